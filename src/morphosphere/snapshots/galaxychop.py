"""Single galaxies as galaxy-chop stores them (Cristiani et al. 2024, A&A 692, A63).

Each file holds one galaxy in three tables, ``stars``, ``gas`` and ``dark_matter``, with the columns
``id, m, x, y, z, vx, vy, vz`` and often ``potential``. The format fixes the units: solar masses,
physical kpc, km/s. It knows neither ages nor metallicities nor the redshift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.hdf5 import OpenFiles, attribute
from morphosphere.snapshots.protocol import Header, Source, Subhalos
from morphosphere.snapshots.rooms import Rooms

COMPONENTS = ("stars", "gas", "dark_matter")
_COLUMNS = {
    "position": ("x", "y", "z"),
    "velocity": ("vx", "vy", "vz"),
    "mass": ("m",),
    "potential": ("potential",),
}


def has_tables(file: object) -> bool:
    """Whether an HDF5 file has a table of stars with the columns of galaxy-chop."""
    names = getattr(getattr(file.get("stars"), "dtype", None), "names", None) or ()
    return {"m", "x", "y", "z", "vx", "vy", "vz"} <= set(names)


class GalaxyChopSnapshot:
    """A folder of such files, each taken as one subhalo.

    Parameters
    ----------
    paths : sequence of Path

    Raises
    ------
    InputError
        If a file is damaged or lacks a column.
    """

    family = "galaxychop"
    bands: tuple[str, ...] = ()

    def __init__(self, paths: Sequence[Path]) -> None:
        self.files = sorted(paths)
        self._handles = OpenFiles()
        self.header = Header(
            scale_factor=math.nan,
            redshift=math.nan,
            box_size=0.0,
            units="fixed by the format: solar masses, kpc, km/s",
        )
        self.remarks = [
            "galaxy-chop files have no redshift, ages, metallicities or smoothing lengths"
        ]
        self._ids = []
        rows = {name: [] for name in COMPONENTS}
        self._fields = {name: tuple(_COLUMNS) for name in COMPONENTS}
        for path in self.files:
            file = self._handles[path]
            if not has_tables(file):
                raise InputError(f"{path}: has no table stars with columns m, x, y, z, vx, vy, vz")
            self._ids.append(int(attribute(file.attrs, "id")) if "id" in file.attrs else None)
            for name in COMPONENTS:
                rows[name].append(len(file[name]) if name in file else 0)
                if rows[name][-1]:
                    columns = file[name].dtype.names
                    self._fields[name] = tuple(
                        field
                        for field in self._fields[name]
                        if all(c in columns for c in _COLUMNS[field])
                    )
        self._rows = {name: np.array(n, dtype=np.int64) for name, n in rows.items()}

    def subhalos(self) -> Subhalos:
        """One row per file."""
        unknown = np.full((len(self.files), 3), np.nan)
        labels = [path.stem if i is None else str(i) for path, i in zip(self.files, self._ids)]
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise InputError(f"{self.files[0].parent}: two files hold galaxy {twice}; remove one")
        return Subhalos(
            ids=np.array([-1 if i is None else i for i in self._ids], dtype=np.int64),
            labels=labels,
            position=unknown,
            velocity=unknown,
            stellar_mass=unknown[:, 0],
            half_mass_radius=unknown[:, 0],
            offset={name: np.cumsum(n) - n for name, n in self._rows.items()},
            count=dict(self._rows),
        )

    def fields(self, component: str) -> tuple[str, ...]:
        """Fields of a component."""
        return self._fields[component] if self._rows[component].any() else ()

    def read(
        self,
        component: str,
        fields: Sequence[str],
        start: int,
        stop: int,
        rooms: Rooms | None = None,
    ) -> dict[str, np.ndarray]:
        """Particles of a component; tables are read as a whole, into memory of their own."""
        pieces = []
        first = 0
        for path, n in zip(self.files, self._rows[component]):
            low, high = max(start, first), min(stop, first + n)
            if high > low:
                try:
                    pieces.append(self._handles[path][component][low - first : high - first])
                except OSError as error:
                    raise InputError(f"{path}: {component} cannot be read ({error})") from None
            first += n
        if not pieces:
            shapes = {name: (0, 3) if len(_COLUMNS[name]) == 3 else (0,) for name in fields}
            return {name: np.empty(shape, dtype=_kind(name)) for name, shape in shapes.items()}
        table = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return {name: _column(table, name) for name in fields}

    def where(self, component: str, field: str, index: int) -> Source:
        """File and dataset of a particle's field."""
        part = int(np.searchsorted(np.cumsum(self._rows[component]), index, side="right"))
        return Source(self.files[part], f"{component}: {', '.join(_COLUMNS[field])}")

    def close(self) -> None:
        """Close all files."""
        self._handles.close()


def _kind(field: str) -> type:
    return np.float64 if field == "position" else np.float32


def _column(table: np.ndarray, field: str) -> np.ndarray:
    parts = [table[name].astype(_kind(field)) for name in _COLUMNS[field]]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1)
