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
from hashlib import blake2b
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
            _append_column(self._table, name, values, start, self._about.get(name))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()  # writes what is still in memory, so it can fail
        except BaseException as failure:
            kind, error, trace = type(failure), failure, failure.__traceback__
            self._atomic.__exit__(kind, error, trace)
            raise
        self._atomic.__exit__(kind, error, trace)


def _append_column(
    group: h5py.Group, name: str, values: Any, start: int, about: dict[str, str] | None = None
) -> None:
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


def join(parts: Sequence[str | Path], path: str | Path) -> int:
    """Join ImageSets into one whose images are virtual; return their number.

    Parts are referred to by relative path. Columns that some parts lack are filled with NaN
    (numbers) or an empty string; a column of numbers in one part and text in another becomes text.

    Raises
    ------
    InputError
        If channels or sizes differ, an ``image_id`` stands twice, or there are no images.
    """
    path = Path(path)
    sets: list[ImageSet] = []
    try:
        for part in parts:
            sets.append(ImageSet(part))
        _check_parts(sets)
        total = sum(map(len, sets))
        shape = (total, *sets[0].images.shape[1:])
        # Pixels of pictures and of fluxes can stand side by side: the wider type holds both.
        layout = h5py.VirtualLayout(shape, dtype=np.result_type(*(s.images.dtype for s in sets)))
        names = list(dict.fromkeys(name for s in sets for name in s.columns))
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as out:
            out.attrs.update({**_common(sets), "n_parts": len(sets)})
            start = 0
            for part in sets:
                stop = start + len(part)
                if stop > start:
                    relative = os.path.relpath(part.path.resolve(), path.parent.resolve())
                    layout[start:stop] = h5py.VirtualSource(relative, "images", part.images.shape)
                start = stop
            table = out.create_group("table", track_order=True)
            for name in names:
                _join_column(table, name, sets)
            out.create_dataset(
                "image_part",
                data=np.repeat(np.arange(len(sets), dtype=np.int32), [len(s) for s in sets]),
            )
            out.create_virtual_dataset("images", layout)
        return total
    finally:
        for part in sets:
            part.close()


def _common(sets: Sequence[ImageSet]) -> dict[str, Any]:
    """Attributes that are the same in all sets; the first set's, if it has one alone, are not."""
    first, *others = [s.attributes for s in sets]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and np.array_equal(other[name], value) for other in others)
    }


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
    _check_unique(sets)


def _check_unique(sets: Sequence[ImageSet]) -> None:
    """Refuse ids that stand twice, holding eight bytes of each in memory."""
    hashed = np.concatenate([_hashes(ids) for s in sets for _, ids in _pieces(s, "image_id")])
    hashed.sort()
    twice = set(hashed[1:][hashed[1:] == hashed[:-1]].tolist())
    if not twice:
        return
    seen: dict[str, Path] = {}
    for part in sets:
        for _, ids in _pieces(part, "image_id"):
            for name in ids[np.isin(_hashes(ids), list(twice))]:
                if name in seen:
                    raise InputError(
                        f"image_id {name!r} stands more than once in the run: in {seen[name]} and "
                        f"in {part.path}; give the sources different names"
                    )
                seen[name] = part.path


def _hashes(names: np.ndarray) -> np.ndarray:
    return np.fromiter(
        (int.from_bytes(blake2b(n.encode(), digest_size=8).digest(), "big") for n in names),
        dtype=np.uint64,
        count=len(names),
    )


def _pieces(part: ImageSet, name: str, size: int = 65536) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(part), size):
        yield start, part.column(name, slice(start, start + size))


def _join_column(table: h5py.Group, name: str, sets: Sequence[ImageSet]) -> None:
    having = [s for s in sets if name in s.columns and len(s)]
    kinds = [s.column(name, slice(0, 0)).dtype for s in having]
    if not having:
        return
    text = any(kind.kind == "O" for kind in kinds)
    if text:
        dtype, fill = np.dtype(object), ""
    elif any(len(s) and name not in s.columns for s in sets):
        dtype, fill = np.result_type(np.float64, *kinds), np.nan
    else:
        dtype, fill = np.result_type(*kinds), None
    about = having[0].column_attributes(name)
    start = 0
    for part in sets:
        if part not in having:
            _append_column(table, name, np.full(len(part), fill, dtype=dtype), start, about)
        else:
            for first, values in _pieces(part, name):
                values = [str(v) for v in values] if text else values.astype(dtype)
                _append_column(table, name, values, start + first, about)
        start += len(part)
