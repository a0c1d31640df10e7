"""AREPO snapshots as Illustris and IllustrisTNG write them (Nelson et al. 2019, ComAC 6, 2).

Particles are ordered by group and, within a group, by subhalo, then come those of the group that
belong to no subhalo, at the end those of no group. Neither snapshot nor catalogue says where a
subhalo starts: it follows from adding up the numbers of particles in that order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.catalogue import ranges
from morphosphere.snapshots.joined import CataloguedSnapshot
from morphosphere.snapshots.protocol import Subhalos


class TngSnapshot(CataloguedSnapshot):
    """A snapshot of the AREPO/TNG family with its group catalogue."""

    FAMILY = "tng"
    WINDS = True

    def subhalos(self) -> Subhalos:
        """The catalogue; see `morphosphere.snapshots.protocol`."""
        table, units = self.catalogue, self.particles.files[0].units
        length = table.matrix("Subhalo/SubhaloLenType", 6).astype(np.int64)
        group = table.column("Subhalo/SubhaloGrNr").astype(np.int64)
        group_length = table.matrix("Group/GroupLenType", 6).astype(np.int64)
        offset = subhalo_offsets(length, group, group_length, self.files[-1].parent)
        offsets, counts = ranges(offset, length, self.particles, table)
        flag = table.column("Subhalo/SubhaloFlag") if table.has("Subhalo/SubhaloFlag") else None
        return Subhalos(
            ids=np.arange(len(length)),
            position=table.matrix("Subhalo/SubhaloPos", 3) * units.factor("length"),
            velocity=table.matrix("Subhalo/SubhaloVel", 3) * units.velocity / 1e5,
            stellar_mass=table.matrix("Subhalo/SubhaloMassType", 6)[:, 4] * units.factor("mass"),
            half_mass_radius=table.matrix("Subhalo/SubhaloHalfmassRadType", 6)[:, 4]
            * units.factor("length"),
            flag=None if flag is None else flag.astype(bool),
            offset=offsets,
            count=counts,
        )


def subhalo_offsets(
    length: np.ndarray, group: np.ndarray, group_length: np.ndarray, where: Path
) -> np.ndarray:
    """First particle of each subhalo and type, by adding up in the order of the groups.

    Parameters
    ----------
    length : ndarray of int64, shape (S, 6)
        Particles of each subhalo and type.
    group : ndarray of int64, shape (S,)
        Group of each subhalo; does not decrease.
    group_length : ndarray of int64, shape (G, 6)
        Particles of each group and type, with those in no subhalo.
    where : Path
        Named in errors.

    Returns
    -------
    ndarray of int64, shape (S, 6)

    Raises
    ------
    InputError
        If the subhalos of a group have more particles than the group.
    """
    if len(length) == 0:
        return np.zeros((0, 6), dtype=np.int64)
    if (np.diff(group) < 0).any() or group[0] < 0 or group[-1] >= len(group_length):
        raise InputError(f"{where}: SubhaloGrNr does not follow the order of the groups")
    starts = np.zeros_like(group_length)
    np.cumsum(group_length[:-1], axis=0, out=starts[1:])
    before = np.zeros_like(length)
    np.cumsum(length[:-1], axis=0, out=before[1:])
    first_of_group = np.searchsorted(group, group, side="left")
    within = before - before[first_of_group]
    if (within + length > group_length[group]).any():
        row = int(np.argmax((within + length > group_length[group]).any(axis=1)))
        raise InputError(
            f"{where}: up to subhalo {row}, group {group[row]} has more particles in subhalos than "
            "its GroupLenType; the catalogue is inconsistent, copy it again"
        )
    return starts[group] + within
