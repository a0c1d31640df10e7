"""ImageSet: images of any origin and a row of metadata for each, in one HDF5 file.

Layout::

    /                   attributes: format, version, channels, unit, and what the writer adds
    /images             (N, C, H, W)    row 0 is the top of the picture, as in PNG and JPEG
    /table/<column>     (N,)            attributes unit, description, ucd

``image_id`` (unique), ``galaxy_id`` and ``source`` are in every table. Several sets are joined by a
virtual dataset, without copying images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.columns import column
from morphosphere.errors import InputError
from morphosphere.files import atomic_path

FORMAT = "morphosphere.ImageSet"
VERSION = 1
REQUIRED_COLUMNS = ("image_id", "galaxy_id", "source")


class ImageSetWriter:
    """Append images to a new file, which appears under `path` when the block ends well.

    Parameters
    ----------
    path : path-like
    channels : sequence of str
        Names of the channels, in order.
    size : int
        Width and height in pixels.
    dtype : numpy dtype
        float32 for fluxes, uint8 for pictures.
    unit : str
        Unit of the pixel values in VOUnit notation.
    attributes : dict
        Whatever else is true of the whole set.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channels: Sequence[str],
        size: int,
        dtype: Any = np.float32,
        unit: str = "",
        attributes: dict[str, Any] | None = None,
    ) -> None:
        self._atomic = atomic_path(path)
        self._shape = (len(channels), size, size)
        self._dtype = np.dtype(dtype)
        self._attributes = {
            "format": FORMAT,
            "version": VERSION,
            "channels": list(channels),
            "unit": unit,
            **(attributes or {}),
        }

    def __enter__(self) -> ImageSetWriter:
        self._file = h5py.File(self._atomic.__enter__(), "w")
        self._file.attrs.update(self._attributes)
        row = int(np.prod(self._shape)) * self._dtype.itemsize
        self._images = self._file.create_dataset(
            "images",
            shape=(0, *self._shape),
            maxshape=(None, *self._shape),
            dtype=self._dtype,
            chunks=(max(1, (1 << 20) // row), *self._shape),
        )
        self._table = self._file.create_group("table")
        return self

    def append(self, images: np.ndarray, table: dict[str, Sequence[Any] | np.ndarray]) -> None:
        """Append images (n, C, H, W) and their rows; every call has the same columns."""
        start, count = len(self._images), len(images)
        missing = set(REQUIRED_COLUMNS) - set(table)
        if missing or (start and set(table) != set(self._table)):
            raise ValueError(f"columns differ from earlier rows or are missing: {sorted(missing)}")
        self._images.resize(start + count, axis=0)
        self._images[start:] = images
        for name, values in table.items():
            if len(values) != count:
                raise ValueError(f"{name}: {len(values)} values for {count} images")
            _append_column(self._table, name, values, start)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._atomic.__exit__(kind, error, trace)


def _append_column(group: h5py.Group, name: str, values: Any, start: int) -> None:
    array = np.asarray(values)
    if array.dtype.kind in "OUS":
        array, dtype = np.asarray([str(v) for v in values], dtype=object), h5py.string_dtype()
    else:
        dtype = array.dtype
    if name not in group:
        dataset = group.create_dataset(
            name, shape=(0,), maxshape=(None,), dtype=dtype, chunks=(4096,)
        )
        about = column(name)
        dataset.attrs.update(unit=about.unit, description=about.description, ucd=about.ucd)
    group[name].resize(start + len(array), axis=0)
    group[name][start:] = array


class ImageSet:
    """Read an ImageSet.

    Attributes
    ----------
    channels : tuple of str
    attributes : dict
    images : h5py.Dataset
        Shape (N, C, H, W).

    Raises
    ------
    InputError
        If the file is missing, truncated or something else, or a joined file is missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = h5py.File(self.path, "r")
            known = self._file.attrs.get("format") == FORMAT
        except OSError as error:
            raise InputError(f"{path}: cannot be read as an ImageSet ({error})") from None
        if not known:
            raise InputError(
                f"{path}: not an ImageSet; run the render or collect stage to make one"
            )
        self.attributes = dict(self._file.attrs)
        self.channels = tuple(str(c) for c in self._file.attrs["channels"])
        self.images: h5py.Dataset = self._file["images"]
        if self.images.is_virtual:
            for part in self.images.virtual_sources():
                if not (self.path.parent / part.file_name).exists():
                    raise InputError(f"{path}: its part {part.file_name} is missing; render again")

    def __enter__(self) -> ImageSet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Width and height of the images in pixels."""
        return int(self.images.shape[-1])

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the table."""
        return tuple(self._file["table"])

    def column(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """One column, or some of its rows, shape (N,); strings as objects.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if name not in self._file["table"]:
            raise InputError(f"{self.path}: no column {name!r}; it has {', '.join(self.columns)}")
        item = self._file["table"][name]
        return item.asstr()[rows] if h5py.check_string_dtype(item.dtype) else item[rows]

    def table(self) -> dict[str, np.ndarray]:
        """All columns."""
        return {name: self.column(name) for name in self.columns}

    def column_attributes(self, name: str) -> dict[str, str]:
        """Unit, description and UCD of a column."""
        return {k: str(v) for k, v in self._file["table"][name].attrs.items()}

    def read(self, start: int, stop: int) -> np.ndarray:
        """Images ``start:stop``, shape (n, C, H, W)."""
        return self.images[start:stop]

    def chunks(self, size: int = 256) -> Iterator[tuple[int, np.ndarray]]:
        """Iterate over (index of the first, images) in pieces of at most `size`."""
        for start in range(0, len(self), size):
            yield start, self.read(start, start + size)


def join(parts: Sequence[str | Path], path: str | Path) -> int:
    """Join ImageSets into one whose images are virtual; return their number.

    Parts are referred to by relative path. Columns that some parts lack are filled with NaN
    (numbers) or an empty string.

    Raises
    ------
    InputError
        If channels or sizes differ, an ``image_id`` stands twice, or there are no images.
    """
    path = Path(path)
    sets = [ImageSet(part) for part in parts]
    try:
        _check_parts(sets)
        total = sum(map(len, sets))
        shape = (total, *sets[0].images.shape[1:])
        # Pixels of pictures and of fluxes can stand side by side: the wider type holds both.
        layout = h5py.VirtualLayout(shape, dtype=np.result_type(*(s.images.dtype for s in sets)))
        names = list(dict.fromkeys(name for s in sets for name in s.columns))
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as out:
            out.attrs.update({**sets[0].attributes, "n_parts": len(sets)})
            start = 0
            table = out.create_group("table")
            for part in sets:
                stop = start + len(part)
                if stop > start:
                    relative = os.path.relpath(part.path.resolve(), path.parent.resolve())
                    layout[start:stop] = h5py.VirtualSource(relative, "images", part.images.shape)
                for name in names:
                    _append_column(table, name, _column_or_fill(part, sets, name), start)
                start = stop
            out.create_dataset(
                "image_part", data=np.repeat(np.arange(len(sets)), [len(s) for s in sets])
            )
            out.create_virtual_dataset("images", layout)
        return total
    finally:
        for part in sets:
            part.close()


def _check_parts(sets: Sequence[ImageSet]) -> None:
    if not sets or not any(map(len, sets)):
        raise InputError("no images at all: every source came out empty; loosen the cuts")
    first = sets[0]
    for other in sets[1:]:
        if other.channels != first.channels or other.size != first.size:
            raise InputError(
                f"{other.path}: {other.size} px with channels {', '.join(other.channels)}, but "
                f"{first.path} has {first.size} px with {', '.join(first.channels)}; "
                "give all sources of a run the same size and channels"
            )
    names = np.concatenate([s.column("image_id") for s in sets if len(s)])
    unique, counts = np.unique(names.astype(str), return_counts=True)
    if (counts > 1).any():
        raise InputError(f"image_id {unique[counts > 1][0]!r} stands more than once in the run")


def _column_or_fill(part: ImageSet, sets: Sequence[ImageSet], name: str) -> np.ndarray:
    if name in part.columns:
        values = part.column(name)
        mixed = any(name not in s.columns for s in sets)
        return values.astype(np.float64) if mixed and values.dtype.kind in "iub" else values
    model = next(s.column(name) for s in sets if name in s.columns)
    fill = np.nan if model.dtype.kind in "iufb" else ""
    return np.full(len(part), fill, dtype=np.float64 if fill is np.nan else object)
