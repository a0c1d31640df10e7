"""GalaxySet: the particles of many galaxies, centred, in physical units, in one HDF5 file.

Layout::

    /                       attributes: format, version, and what the writer says of the snapshot
    /galaxies/<property>    (G,)          one value per galaxy; attributes unit, description
    /galaxies/frame         (G, 3, 3)     rows: axes of the disc frame, the last along its spin
    /<component>/offset     (G,) int64    first particle of each galaxy
    /<component>/count      (G,) int64    number of particles of each galaxy
    /<component>/<field>    (N, ...)      concatenated particle arrays; attribute unit

Components are ``stars``, ``gas`` and ``dark_matter``. Fields and units are in `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.columns import column
from morphosphere.artefacts.hdf5 import CACHE, HDF5Output
from morphosphere.errors import InputError
from morphosphere.files import atomic_path

FORMAT = "morphosphere.GalaxySet"
VERSION = 1
COMPONENTS = ("stars", "gas", "dark_matter")

#: Unit of each particle field. Positions and velocities are relative to the galaxy's centre.
FIELDS = {
    "position": "kpc",
    "velocity": "km/s",
    "mass": "solMass",
    "initial_mass": "solMass",
    "age": "Gyr",
    "metallicity": "",
    "sfr": "solMass/yr",
    "density": "solMass/kpc3",
    "smoothing_length": "kpc",
    "magnitudes": "mag",
}
_CHUNK = 1 << 16
#: Chunks by which a column grows; what is not needed is taken off at the end.
_AHEAD = 16
#: Datasets of a component that say where the particles of each galaxy are.
_INDEX = ("offset", "count")
#: Galaxies whose properties are read at a time.
_ROWS = 1024


@dataclass(frozen=True)
class Galaxy:
    """One galaxy.

    Attributes
    ----------
    properties : dict
        Numbers and strings by column name; ``galaxy_id`` is required.
    components : dict
        Component name to {field name: array with one row per particle}.
    frame : ndarray, shape (3, 3)
        Rows are the axes of the disc frame in the axes of `position`; the last row is along the
        stellar angular momentum.
    """

    properties: dict[str, Any]
    components: dict[str, dict[str, np.ndarray]]
    frame: np.ndarray = field(default_factory=lambda: np.eye(3))


class GalaxySetWriter:
    """Append galaxies to a new file, which appears under `path` when the block ends well.

    Parameters
    ----------
    path : path-like
    attributes : dict
        Said of the whole set: simulation, snapshot, redshift, magnitude_bands, ...
    """

    def __init__(self, path: str | Path, attributes: dict[str, Any]) -> None:
        self._atomic = atomic_path(path)
        self._attributes = attributes
        self._rows: dict[str, list[Any]] = {}
        self._frames: list[np.ndarray] = []
        self._offsets = {name: ([], []) for name in COMPONENTS}
        self._columns: dict[str, _GrowingColumn] = {}
        self._count = 0

    def __enter__(self) -> GalaxySetWriter:
        self._out = HDF5Output(self._atomic.__enter__())
        self._file = self._out.file
        self._file.attrs.update({"format": FORMAT, "version": VERSION, **self._attributes})
        return self

    def add(self, galaxy: Galaxy) -> None:
        """Append one galaxy. All galaxies of a file have the same properties and fields."""
        if self._count and set(galaxy.properties) != set(self._rows):
            raise ValueError("galaxies of one set must have the same properties")
        for name, value in galaxy.properties.items():
            self._rows.setdefault(name, []).append(value)
        self._frames.append(np.asarray(galaxy.frame, dtype=np.float64))
        for name in COMPONENTS:
            fields = galaxy.components.get(name, {})
            count = len(fields["position"]) if fields else 0
            offsets, counts = self._offsets[name]
            offsets.append(offsets[-1] + counts[-1] if offsets else 0)
            counts.append(count)
            for key, values in fields.items():
                if len(values) != count:
                    raise ValueError(f"{name}/{key}: {len(values)} rows, position has {count}")
                self._append(name, key, values, offsets[-1])
        self._count += 1
        self._out.check()

    def _append(self, component: str, key: str, values: np.ndarray, start: int) -> None:
        path = f"{component}/{key}"
        if path not in self._columns:
            dataset = self._file.create_dataset(
                path,
                shape=(0, *values.shape[1:]),
                maxshape=(None, *values.shape[1:]),
                dtype=np.float32 if values.dtype.kind == "f" else values.dtype,
                chunks=(_CHUNK, *values.shape[1:]),
            )
            dataset.attrs["unit"] = FIELDS.get(key, "")
            self._columns[path] = _GrowingColumn(dataset)
        self._columns[path].append(values, start)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                if kind is None:
                    self._finish()
            finally:
                self._out.close()  # writes what is still in memory, so it can fail
        except BaseException as failure:
            self._atomic.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._atomic.__exit__(kind, error, trace)

    def _finish(self) -> None:
        for grown in self._columns.values():
            grown.finish()
        table = self._file.create_group("galaxies")
        for name, values in self._rows.items():
            text = isinstance(values[0], str)
            dataset = table.create_dataset(
                name, data=values, dtype=h5py.string_dtype() if text else None
            )
            dataset.attrs.update(unit=column(name).unit, description=column(name).description)
        table.create_dataset("frame", data=np.reshape(self._frames, (-1, 3, 3)))
        for name, (offsets, counts) in self._offsets.items():
            group = self._file.require_group(name)
            group.create_dataset("offset", data=np.asarray(offsets, dtype=np.int64))
            group.create_dataset("count", data=np.asarray(counts, dtype=np.int64))
        self._file.attrs["n_galaxies"] = self._count


class _GrowingColumn:
    """A dataset that grows by whole chunks; galaxy by galaxy, each would be written many times."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self._held = np.empty((_CHUNK, *dataset.shape[1:]), dtype=dataset.dtype)
        self._written = self._waiting = self._room = 0

    def append(self, values: np.ndarray, start: int) -> None:
        """Append rows; rows that were left out before `start` are zero."""
        if gap := start - self._written - self._waiting:
            self.append(np.zeros((gap, *values.shape[1:]), values.dtype), start - gap)
        count = len(values)
        if self._waiting + count < _CHUNK:
            self._held[self._waiting : self._waiting + count] = values
            self._waiting += count
            return
        while len(values):
            n = min(len(values), _CHUNK - self._waiting)
            self._held[self._waiting : self._waiting + n] = values[:n]
            self._waiting += n
            values = values[n:]
            if self._waiting == _CHUNK:
                self._flush()

    def _flush(self) -> None:
        """Write a whole chunk as it is, past HDF5's cache."""
        if self._written == self._room:
            self._room += _AHEAD * _CHUNK
            self._dataset.resize(self._room, axis=0)
        place = (self._written,) + (0,) * (self._held.ndim - 1)
        self._dataset.id.write_direct_chunk(place, self._held)
        self._written, self._waiting = self._written + _CHUNK, 0

    def finish(self) -> None:
        """Write what is waiting, and cut to the rows that there are."""
        stop = self._written + self._waiting
        self._dataset.resize(stop, axis=0)
        self._dataset[self._written : stop] = self._held[: self._waiting]


class GalaxySet:
    """Read a GalaxySet, one galaxy at a time.

    Raises
    ------
    InputError
        If the file is missing, truncated or something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = h5py.File(self.path, "r", rdcc_nbytes=CACHE)
            known = self._file.attrs.get("format") == FORMAT
        except OSError as error:
            raise InputError(f"{path}: cannot be read as a GalaxySet ({error})") from None
        if not known:
            raise InputError(f"{path}: not a GalaxySet; run the extract stage to make one")
        self.attributes = dict(self._file.attrs)
        self._frames = self._file["galaxies/frame"][()]
        self._index = {
            name: (self._file[name]["offset"][()], self._file[name]["count"][()])
            for name in COMPONENTS
        }
        # opening a dataset costs as much as reading a galaxy's part of it
        self._fields = {
            name: {key: item for key, item in self._file[name].items() if key not in _INDEX}
            for name in COMPONENTS
        }
        self._columns = {
            name: item.asstr() if h5py.check_string_dtype(item.dtype) else item
            for name, item in self._file["galaxies"].items()
            if name != "frame"
        }
        self._rows: tuple[range, dict[str, np.ndarray]] = (range(0), {})

    def __enter__(self) -> GalaxySet:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return int(self.attributes["n_galaxies"])

    def properties(self) -> dict[str, np.ndarray]:
        """All properties: column name to array (G,); strings as objects."""
        return {name: column[()] for name, column in self._columns.items()}

    def count(self, component: str) -> np.ndarray:
        """Number of particles of a component in each galaxy, shape (G,)."""
        return self._index[component][1]

    def galaxy(self, index: int, components: tuple[str, ...] = COMPONENTS) -> Galaxy:
        """Read one galaxy; components without particles in this file are absent."""
        parts = {}
        for name in components:
            offset, count = (int(a[index]) for a in self._index[name])
            if fields := self._fields[name]:
                parts[name] = {key: it[offset : offset + count] for key, it in fields.items()}
        return Galaxy(self._properties(index), parts, self._frames[index])

    def _properties(self, index: int) -> dict[str, Any]:
        """Properties of one galaxy; read for many galaxies at a time."""
        if index not in self._rows[0]:
            block = range(index - index % _ROWS, min(index - index % _ROWS + _ROWS, len(self)))
            part = slice(block.start, block.stop)
            self._rows = block, {name: column[part] for name, column in self._columns.items()}
        block, values = self._rows
        return {name: value[index - block.start] for name, value in values.items()}

    def __iter__(self) -> Iterator[Galaxy]:
        return (self.galaxy(i) for i in range(len(self)))
