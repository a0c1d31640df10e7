"""Several ImageSets joined into one whose images are virtual: no pixel is copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.hdf5 import HDF5Output
from morphosphere.artefacts.imageset import ImageSet, append_column
from morphosphere.errors import InputError
from morphosphere.files import atomic_path


@dataclass(frozen=True)
class _Part:
    """What is known of an ImageSet that is joined; it is open only while a column is read.

    There can be more parts than a process may open, and HDF5 holds megabytes for each open one.
    """

    path: Path
    count: int
    channels: tuple[str, ...]
    size: int
    dtype: np.dtype
    attributes: dict[str, Any]
    columns: dict[str, np.dtype]

    @classmethod
    def of(cls, path: str | Path) -> _Part:
        with ImageSet(path) as images:
            return cls(
                images.path,
                len(images),
                images.channels,
                images.size,
                images.images.dtype,
                images.attributes,
                {name: images.column(name, slice(0, 0)).dtype for name in images.columns},
            )

    def pieces(self, name: str, size: int = 8192) -> Iterator[tuple[int, np.ndarray]]:
        """A column by its pieces: (first row, values)."""
        with ImageSet(self.path) as images:
            for start in range(0, self.count, size):
                yield start, images.column(name, slice(start, start + size))

    def about(self, name: str) -> dict[str, str]:
        """Unit, description and UCD of a column."""
        with ImageSet(self.path) as images:
            return images.column_attributes(name)


def join(parts: Sequence[str | Path], path: str | Path, *, digests: Sequence[str] = ()) -> int:
    """Join ImageSets into one whose images are virtual; return their number.

    Parts are referred to by relative path. Columns that some parts lack are filled with NaN
    (numbers) or an empty string; a column of numbers in one part and text in another becomes text.
    One digest of the parts' digests is kept, so that the digest of the joined file stands for all
    pixels.

    Raises
    ------
    InputError
        If channels or sizes differ, an ``image_id`` stands twice, or there are no images.
    """
    path = Path(path)
    sets = [_Part.of(part) for part in parts]
    _check_parts(sets)
    total = sum(part.count for part in sets)
    picture = (len(sets[0].channels), sets[0].size, sets[0].size)
    # Pixels of pictures and of fluxes can stand side by side: the wider type holds both.
    layout = h5py.VirtualLayout((total, *picture), dtype=np.result_type(*(s.dtype for s in sets)))
    layout.dcpl.set_obj_track_times(False)  # the same parts give the same bytes
    names = list(dict.fromkeys(name for s in sets for name in s.columns))
    with atomic_path(path) as temporary, HDF5Output(temporary) as out:
        out.attrs.update({**_common(sets), "n_parts": len(sets)})
        if digests:
            out.attrs["parts_digest"] = sha256("\n".join(digests).encode()).hexdigest()
        start = 0
        for part in sets:
            stop = start + part.count
            if stop > start:
                relative = os.path.relpath(part.path.resolve(), path.parent.resolve())
                layout[start:stop] = h5py.VirtualSource(relative, "images", (part.count, *picture))
            start = stop
        table = out.create_group("table", track_order=True)
        for name in names:
            _join_column(table, name, sets)
        numbers = np.arange(len(sets), dtype=np.int32)
        out.create_dataset("image_part", data=np.repeat(numbers, [s.count for s in sets]))
        out.create_virtual_dataset("images", layout)
    return total


def _common(sets: Sequence[_Part]) -> dict[str, Any]:
    """Attributes that are the same in all sets; the first set's, if it has one alone, are not."""
    first, *others = [s.attributes for s in sets]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and np.array_equal(other[name], value) for other in others)
    }


def _check_parts(sets: Sequence[_Part]) -> None:
    if not sets or not any(part.count for part in sets):
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


def _check_unique(sets: Sequence[_Part]) -> None:
    """Refuse ids that stand twice, holding eight bytes of each in memory."""
    hashed = np.concatenate([_hashes(ids) for s in sets for _, ids in s.pieces("image_id")])
    hashed.sort()
    twice = set(hashed[1:][hashed[1:] == hashed[:-1]].tolist())
    if not twice:
        return
    seen: dict[str, Path] = {}
    for part in sets:
        for _, ids in part.pieces("image_id"):
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


def _join_column(table: h5py.Group, name: str, sets: Sequence[_Part]) -> None:
    having = [s for s in sets if name in s.columns and s.count]
    kinds = [s.columns[name] for s in having]
    if not having:
        return
    text = any(kind.kind == "O" for kind in kinds)
    if text:
        dtype, fill = np.dtype(object), ""
    elif any(s.count and name not in s.columns for s in sets):
        dtype, fill = np.result_type(np.float64, *kinds), np.nan
    else:
        dtype, fill = np.result_type(*kinds), None
    about = having[0].about(name)
    start = 0
    for part in sets:
        if not part.count or name not in part.columns:
            append_column(table, name, np.full(part.count, fill, dtype=dtype), start, about)
        else:
            for first, values in part.pieces(name):
                values = [str(v) for v in values] if text else values.astype(dtype)
                append_column(table, name, values, start + first, about)
        start += part.count
