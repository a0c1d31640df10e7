"""GADGET-4 snapshots in HDF5 with FoF/SUBFIND catalogue (Springel et al. 2021, MNRAS 506, 2871).

The catalogue says where each subhalo starts, in the particles of all files joined. Unlike
positions, which are comoving, the half-mass radii of the catalogue are physical (over h).
"""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.catalogue import ranges
from morphosphere.snapshots.joined import CataloguedSnapshot
from morphosphere.snapshots.protocol import Subhalos


class Gadget4Snapshot(CataloguedSnapshot):
    """A snapshot of the GADGET-4 family with its group catalogue."""

    FAMILY = "gadget4"

    def subhalos(self) -> Subhalos:
        """The catalogue; see `morphosphere.snapshots.protocol`."""
        table, units = self.catalogue, self.particles.files[0].units
        length = table.matrix("Subhalo/SubhaloLenType", 6)
        offset = table.matrix("Subhalo/SubhaloOffsetType", 6)
        offsets, counts = ranges(offset, length, self.particles, table)
        return Subhalos(
            ids=np.arange(len(length)),
            position=table.matrix("Subhalo/SubhaloPos", 3) * units.factor("length"),
            velocity=table.matrix("Subhalo/SubhaloVel", 3) * units.velocity / 1e5,
            stellar_mass=table.matrix("Subhalo/SubhaloMassType", 6)[:, 4] * units.factor("mass"),
            half_mass_radius=table.matrix("Subhalo/SubhaloHalfmassRadType", 6)[:, 4]
            * units.factor("length", comoving=False),
            offset=offsets,
            count=counts,
        )
