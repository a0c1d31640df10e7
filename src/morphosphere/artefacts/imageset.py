"""ImageSet: images of any origin and a row of metadata for each, in one HDF5 file.

Layout::

    /                   attributes: format, version, channels, unit, and what the writer adds
    /images             (N, C, H, W)    row 0 is the top of the picture, as in PNG and JPEG
    /table/<column>     (N,)            attributes unit, description, ucd

``image_id`` (unique), ``galaxy_id`` and ``source`` are in every table. Several sets are joined by a
virtual dataset, without copying images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.columns import column
from morphosphere.artefacts.hdf5 import CACHE, HDF5Output
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
    about : dict
        Column name to {unit, description, ucd}, for columns that
        `morphosphere.artefacts.columns` does not know.
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
        about: dict[str, dict[str, str]] | None = None,
    ) -> None:
        self._atomic = atomic_path(path)
        self._about = about or {}
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
        self._out = HDF5Output(self._atomic.__enter__())
        self._file = self._out.file
        self._file.attrs.update(self._attributes)
        row = int(np.prod(self._shape)) * self._dtype.itemsize
        self._images = self._file.create_dataset(
            "images",
            shape=(0, *self._shape),
            maxshape=(None, *self._shape),
            dtype=self._dtype,
            chunks=(max(1, (1 << 20) // row), *self._shape),
        )
        self._table = self._file.create_group("table", track_order=True)
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
            append_column(self._table, name, values, start, self._about.get(name))
        self._out.check()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._out.close()  # writes what is still in memory, so it can fail
        except BaseException as failure:
            kind, error, trace = type(failure), failure, failure.__traceback__
            self._atomic.__exit__(kind, error, trace)
            raise
        self._atomic.__exit__(kind, error, trace)


def append_column(
    group: h5py.Group, name: str, values: Any, start: int, about: dict[str, str] | None = None
) -> None:
    """Append values to the column `name` of a table, making it if it is not there yet."""
    array = np.asarray(values)
    if array.dtype.kind in "OUS":
        array, dtype = np.asarray([str(v) for v in values], dtype=object), h5py.string_dtype()
    else:
        dtype = array.dtype
    if name not in group:
        dataset = group.create_dataset(
            name, shape=(0,), maxshape=(None,), dtype=dtype, chunks=(4096,)
        )
        known = column(name)
        facts = {"unit": known.unit, "description": known.description, "ucd": known.ucd}
        facts.update({key: value for key, value in (about or {}).items() if value})
        dataset.attrs.update(facts)
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
            self._file = h5py.File(self.path, "r", rdcc_nbytes=CACHE)
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
        try:
            _check_sources(self.path, self.images)
        except InputError:
            self._file.close()
            raise

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


def _check_sources(path: Path, images: h5py.Dataset) -> None:
    """Refuse a virtual dataset whose parts are not as they were: HDF5 would read zeros for them."""
    if not images.is_virtual:
        return
    for part in images.virtual_sources():
        source = path.parent / part.file_name
        first, last = part.vspace.get_select_bounds()
        joined = last[0] - first[0] + 1
        try:
            with h5py.File(source, "r") as file:
                shape = file[part.dset_name].shape
                if shape == (joined, *images.shape[1:]):
                    _check_sources(source, file[part.dset_name])
                    continue
        except (OSError, KeyError):
            raise InputError(
                f"{path}: its part {part.file_name} is missing or cannot be read; "
                "make it again, then join again"
            ) from None
        raise InputError(
            f"{path}: its part {part.file_name} has changed (it holds {shape}, "
            f"{joined} images when it was joined); join again"
        )
