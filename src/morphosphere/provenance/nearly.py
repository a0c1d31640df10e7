"""How much two files differ in what they say, where their digests differ.

Numbers are compared in units of the spread of their column: the difference between the largest and
the smallest finite value. Angles and positions of different scale are so held to one tolerance.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: Rows that are held of each file at a time.
_ROWS = 65536


@dataclass(frozen=True)
class Nearness:
    """How far two files are apart.

    Attributes
    ----------
    largest : float
        Largest difference of two numbers, in units of their column's spread; infinite where files
        cannot be compared value by value.
    where : str
        The column of the largest difference, or why there is none.
    """

    largest: float
    where: str = ""

    def within(self, tolerance: float) -> bool:
        """Whether all numbers differ by at most `tolerance`."""
        return self.largest <= tolerance

    def __str__(self) -> str:
        if np.isinf(self.largest):
            return self.where
        return (
            f"{self.largest:.2g} of the spread of {self.where}" if self.largest else "same values"
        )


def nearness(a: Path, b: Path) -> Nearness:
    """Compare two files value by value, if they are of a kind that holds values."""
    for path in (a, b):
        if not path.exists():
            return Nearness(np.inf, f"{path} is gone")
    read = next((read for suffixes, read in _READERS if a.suffix in suffixes), None)
    if read is None:
        return Nearness(np.inf, "other bytes")
    return _nearness(read(a, b))


def _nearness(columns: Iterator[tuple[str, Any, Any]]) -> Nearness:
    worst = Nearness(0.0)
    for name, one, other in columns:
        one, other = np.asarray(one), np.asarray(other)
        largest = _difference(one, other)
        if np.isinf(largest):
            return Nearness(np.inf, f"{name} differs in more than digits")
        if largest > worst.largest:
            worst = Nearness(largest, name)
    return worst


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference in units of the spread; infinite for another shape, text or gap."""
    if a.shape != b.shape:
        return np.inf
    if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return 0.0 if a.tolist() == b.tolist() else np.inf
    a, b = a.astype(np.float64), b.astype(np.float64)
    gaps = ~np.isfinite(a)
    if not np.array_equal(gaps, ~np.isfinite(b)):
        return np.inf
    a, b = a[~gaps], b[~gaps]
    largest = float(np.abs(a - b).max(initial=0.0))
    spread = (
        float(np.ptp(np.concatenate([a, b]))) if a.size > 1 else float(np.abs(a).max(initial=0))
    )
    return largest / max(spread, 1e-300)


def _hdf5(a: Path, b: Path) -> Iterator[tuple[str, Any, Any]]:
    import h5py

    with h5py.File(a) as one, h5py.File(b) as other:
        names: list[set[str]] = [set(), set()]
        for found, file in zip(names, (one, other)):
            file.visititems(
                lambda name, thing, found=found: (
                    found.add(name) if isinstance(thing, h5py.Dataset) else None
                )
            )
        yield "the list of datasets", sorted(names[0]), sorted(names[1])
        for name in sorted(names[0] & names[1]):
            if one[name].shape != other[name].shape or not one[name].shape:
                yield name, one[name][()], other[name][()]
                continue
            for start in range(0, max(1, len(one[name])), _ROWS):
                part = slice(start, start + _ROWS)
                yield name, one[name][part], other[name][part]


def _parquet(a: Path, b: Path) -> Iterator[tuple[str, Any, Any]]:
    from pyarrow import parquet

    with parquet.ParquetFile(a) as one, parquet.ParquetFile(b) as other:
        names = one.schema_arrow.names
        yield "the list of columns", names, other.schema_arrow.names
        for name in names:
            yield name, *(_values(file.read([name]).column(name)) for file in (one, other))


def _values(column: Any) -> np.ndarray:
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype == object and len(values) and isinstance(values[0], np.ndarray):
        lengths = {len(value) for value in values if value is not None}
        return np.stack(values) if len(lengths) == 1 else values
    return values


def _json(a: Path, b: Path) -> Iterator[tuple[str, Any, Any]]:
    one, other = (dict(_leaves(json.loads(path.read_text("utf-8")))) for path in (a, b))
    yield "the list of keys", sorted(one), sorted(other)
    for name in one.keys() & other.keys():
        yield name, one[name], other[name]


def _leaves(value: Any, start: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{start}.{key}" if start else key)
    else:
        yield start, "null" if value is None else value


def _csv(a: Path, b: Path) -> Iterator[tuple[str, Any, Any]]:
    rows = []
    for path in (a, b):
        with open(path, newline="", encoding="utf-8") as handle:
            rows.append(list(csv.DictReader(handle)))
    one, other = rows
    names = list(one[0]) if one else []
    yield "the number of rows", len(one), len(other)
    for name in (name for name in names if not name.endswith("seconds")):
        yield name, *(_numbers([row[name] for row in part]) for part in (one, other))


def _numbers(texts: list[str]) -> list[Any]:
    try:
        return [float(text) if text else np.nan for text in texts]
    except ValueError:
        return texts


def _picture(a: Path, b: Path) -> Iterator[tuple[str, Any, Any]]:
    from PIL import Image

    with Image.open(a) as one, Image.open(b) as other:
        yield "the pixels", np.asarray(one), np.asarray(other)


_READERS: list[tuple[tuple[str, ...], Callable[[Path, Path], Iterator[tuple[str, Any, Any]]]]] = [
    ((".h5", ".hdf5"), _hdf5),
    ((".parquet",), _parquet),
    ((".json",), _json),
    ((".csv",), _csv),
    ((".png", ".jpg"), _picture),
]
