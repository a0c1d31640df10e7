"""Cutouts: a folder in which each file holds one galaxy, as the TNG web API delivers them.

The particles are in ``PartTypeN`` groups as in the snapshot that they were cut from (TNG, EAGLE and
GADGET-4 are known); there is no catalogue. The centre comes from the potential, where the file has
it, or from the stars; see the extract stage.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.hdf5 import attribute, open_hdf5
from morphosphere.snapshots.header import header_groups, number, particle_file
from morphosphere.snapshots.joined import JoinedSnapshot
from morphosphere.snapshots.particles import (
    TYPES,
    JoinedParticles,
    ParticleFile,
    count_particles,
)
from morphosphere.snapshots.protocol import Subhalos

#: Attributes of the header that tell which snapshot a cutout comes from.
_SNAPSHOT_NUMBER = ("SnapshotNumber", "ExtractedFromSnapshot")


@dataclass(frozen=True)
class _Cutout:
    file: ParticleFile
    identifier: int | None


class CutoutSnapshot(JoinedSnapshot):
    """Cutouts of one snapshot, each taken as one subhalo.

    Files that say that they come from another snapshot are left out.

    Parameters
    ----------
    paths : sequence of Path
        Candidate files.
    snapshot : int
        Number of the snapshot.

    Raises
    ------
    InputError
        If no file is of that snapshot, two have the same identifier, or one is damaged.
    """

    def __init__(self, paths: Sequence[Path], snapshot: int) -> None:
        cutouts, others = [], Counter()
        for path in sorted(paths):
            with open_hdf5(path) as handle:
                number = snapshot_number(handle, path)
                if number is not None and number != snapshot:
                    others[number] += 1
                    continue
                counts = count_particles(handle, path)
                file = particle_file(handle, path, counts=counts)
                cutouts.append(_Cutout(file, _identifier(handle, path)))
        if not cutouts:
            raise InputError(
                f"{Path(paths[0]).parent}: no cutout of snapshot {snapshot}; the files are of "
                f"snapshot {', '.join(map(str, sorted(others)))}"
            )
        cutouts.sort(key=lambda c: (c.identifier is None, c.identifier or 0, c.file.path.name))
        self._identifiers = [cutout.identifier for cutout in cutouts]
        _check_unique(cutouts)
        files = [cutout.file for cutout in cutouts]
        super().__init__("cutouts", JoinedParticles(files, winds=True, fill=True))
        _check_one_time(files)
        self.remarks.append("cutouts have no catalogue; masses and radii come from the particles")
        if others:
            self.remarks.append(
                f"{sum(others.values())} cutouts of other snapshots are left out "
                f"({', '.join(map(str, sorted(others)))})"
            )

    def subhalos(self) -> Subhalos:
        """One row per file."""
        files = self.particles.files
        counts = {name: np.array([f.counts[k] for f in files]) for name, (k,) in TYPES.items()}
        unknown = np.full((len(files), 3), np.nan)
        known = [i for i in self._identifiers if i is not None]
        return Subhalos(
            ids=np.array([-1 if i is None else i for i in self._identifiers], dtype=np.int64),
            labels=None
            if len(known) == len(files)
            else [
                file.path.stem if i is None else str(i) for file, i in zip(files, self._identifiers)
            ],
            position=unknown,
            velocity=unknown,
            stellar_mass=unknown[:, 0],
            half_mass_radius=unknown[:, 0],
            offset={name: np.cumsum(n) - n for name, n in counts.items()},
            count=counts,
        )


def snapshot_number(file: h5py.File, path: Path) -> int | None:
    """Number of the snapshot that a cutout says it comes from; None if it does not say."""
    header = header_groups(file, path)[:1]
    for name in _SNAPSHOT_NUMBER:
        value = number(header, name, path, default=math.nan)
        if math.isfinite(value):
            return int(value)
    return None


def _identifier(file: h5py.File, path: Path) -> int | None:
    """Index of the subhalo: from the header, else the number at the end of ``cutout_<id>``."""
    header = file["Header"].attrs
    if "CutoutID" in header:
        return int(attribute(header, "CutoutID"))
    match = re.fullmatch(r"(?:cutout|subhalo|galaxy|halo)_?(\d+)", path.stem)
    return int(match[1]) if match else None


def _check_unique(cutouts: Sequence[_Cutout]) -> None:
    seen: dict[int, Path] = {}
    for cutout in cutouts:
        if cutout.identifier is None:
            continue
        if cutout.identifier in seen:
            raise InputError(
                f"{cutout.file.path}: the same subhalo {cutout.identifier} as "
                f"{seen[cutout.identifier].name}; remove one of them"
            )
        seen[cutout.identifier] = cutout.file.path


def _check_one_time(files: Sequence[ParticleFile]) -> None:
    first = files[0]
    for file in files[1:]:
        if not math.isclose(file.header.redshift, first.header.redshift, abs_tol=1e-3):
            raise InputError(
                f"{file.path}: redshift {file.header.redshift:.4g}, but {first.path.name} has "
                f"{first.header.redshift:.4g}; put cutouts of different snapshots in folders of "
                "their own"
            )
