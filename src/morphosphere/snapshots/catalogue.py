"""FoF and Subfind catalogues in HDF5: datasets of several files, joined and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.hdf5 import OpenFiles, check_complete
from morphosphere.snapshots.header import header_groups, number
from morphosphere.snapshots.particles import TYPES, JoinedParticles
from morphosphere.snapshots.protocol import Header


class JoinedCatalogue:
    """Group and subhalo tables of one snapshot over all files of the catalogue.

    Parameters
    ----------
    paths : sequence of Path
        In the order of their numbers.
    header : Header
        Of the snapshot that it must belong to.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the catalogue is of another snapshot.
    """

    def __init__(self, paths: Sequence[Path], header: Header) -> None:
        self.paths = list(paths)
        self._handles = OpenFiles()
        first = header_groups(self._handles[paths[0]], paths[0])
        check_complete(paths, int(number(first, "NumFiles", paths[0], default=1)))
        time = number(first, "Time", paths[0], default=header.scale_factor)
        if header.cosmological and abs(time - header.scale_factor) > 1e-5:
            raise InputError(
                f"{paths[0]}: the catalogue is of scale factor {time:.6g}, the snapshot of "
                f"{header.scale_factor:.6g}; they do not belong together"
            )
        self.groups = self._count(("Ngroups",))
        self.subhalos = self._count(("Nsubhalos", "Nsubgroups"))

    def _count(self, names: Sequence[str]) -> np.ndarray:
        """Rows in each file, checked against the total that the headers give."""
        rows = []
        for path in self.paths:
            groups = header_groups(self._handles[path], path)
            name = next((n for n in names if f"{n}_ThisFile" in groups[0]), names[0])
            rows.append(int(number(groups, f"{name}_ThisFile", path)))
        total = int(number(groups, f"{name}_Total", path, default=sum(rows)))
        if total != sum(rows):
            raise InputError(
                f"{self.paths[0].parent}: the files hold {sum(rows)} {name[1:]}, but their headers "
                f"say {total} in total; copy the files again"
            )
        return np.asarray(rows, dtype=np.int64)

    def has(self, name: str) -> bool:
        """Whether the catalogue has a dataset, for example ``Subhalo/SubhaloFlag``."""
        rows = self.subhalos if name.startswith("Subhalo/") else self.groups
        return any(name in self._handles[path] for path, n in zip(self.paths, rows) if n)

    def column(self, name: str) -> np.ndarray:
        """A dataset over all files.

        Raises
        ------
        InputError
            If it is missing or has another number of rows than the header says.
        """
        rows = self.subhalos if name.startswith("Subhalo/") else self.groups
        parts = []
        for path, n in zip(self.paths, rows):
            if n == 0:
                continue
            file = self._handles[path]
            if name not in file:
                raise InputError(f"{path}: has no {name}; the catalogue cannot be used without")
            try:
                parts.append(file[name][()])
            except OSError as error:
                raise InputError(f"{path}: {name} cannot be read ({error})") from None
            if len(parts[-1]) != n:
                raise InputError(
                    f"{path}: {name} has {len(parts[-1])} rows, but the header says {n}; "
                    "copy the file again"
                )
        return np.concatenate(parts) if parts else np.empty(0)

    def matrix(self, name: str, width: int) -> np.ndarray:
        """A dataset with `width` values per row; empty catalogues give shape (0, width)."""
        values = self.column(name)
        if values.size == 0:
            return values.reshape(0, width)
        if values.ndim != 2 or values.shape[1] < width:
            raise InputError(
                f"{self.paths[0]}: {name} has shape {values.shape}, expected (N, {width})"
            )
        return values

    def close(self) -> None:
        """Close all files."""
        self._handles.close()


def ranges(
    offset: np.ndarray, length: np.ndarray, particles: JoinedParticles, catalogue: JoinedCatalogue
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """First particle and number by component, from arrays (S, 6) by type.

    Raises
    ------
    InputError
        If a range does not lie within the snapshot.
    """
    offsets, counts = {}, {}
    for name, (kind,) in TYPES.items():
        offsets[name] = offset[:, kind].astype(np.int64)
        counts[name] = length[:, kind].astype(np.int64)
        end = offsets[name] + counts[name]
        bad = (counts[name] < 0) | (offsets[name] < 0) | (end > particles.total(name))
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"{catalogue.paths[0].parent}: subhalo {row} has the particles "
                f"{offsets[name][row]} to {end[row]} of PartType{kind}, but the snapshot holds "
                f"{particles.total(name)}; catalogue and snapshot do not belong together"
            )
    return offsets, counts
