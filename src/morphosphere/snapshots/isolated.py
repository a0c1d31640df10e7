"""A snapshot without group catalogue, taken as one object: a simulated galaxy or encounter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphosphere.snapshots.hdf5 import OpenFiles
from morphosphere.snapshots.header import particle_files
from morphosphere.snapshots.joined import JoinedSnapshot
from morphosphere.snapshots.particles import READY_MADE, TYPES, JoinedParticles
from morphosphere.snapshots.protocol import Subhalos


class IsolatedSnapshot(JoinedSnapshot):
    """All particles of a snapshot as one object.

    Without cosmology, particles of types 2 and 3 are the stars of ready-made discs and bulges, of
    unknown age and metallicity; in a cosmological run they are boundary particles, and left out.

    Parameters
    ----------
    snapshot : sequence of Path
        Files, in the order of their numbers.
    """

    def __init__(self, snapshot: Sequence[Path]) -> None:
        files = particle_files(snapshot, OpenFiles())
        types = dict(TYPES)
        if not files[0].header.cosmological:
            types["stars"] = (*READY_MADE, *TYPES["stars"])
        super().__init__("isolated", JoinedParticles(files, types=types))
        self.remarks.append("no group catalogue; the snapshot is taken as one object")

    def subhalos(self) -> Subhalos:
        """One row, with everything."""
        unknown = np.full((1, 3), np.nan)
        return Subhalos(
            ids=np.zeros(1, dtype=np.int64),
            position=unknown,
            velocity=unknown,
            stellar_mass=unknown[:, 0],
            half_mass_radius=unknown[:, 0],
            offset={name: np.zeros(1, dtype=np.int64) for name in TYPES},
            count={name: np.array([self.particles.total(name)]) for name in TYPES},
        )
