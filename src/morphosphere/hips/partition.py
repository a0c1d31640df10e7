"""Sources on disk by place: pieces of the sphere that each fit into memory.

The sphere is cut into leaves, tiles of different orders with at most so many sources each, and
neighbouring leaves are joined to buckets. The rows of a catalogue are put aside bucket by bucket in
one scratch file, so that memory holds one bucket however long the catalogue is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hpgeom
import numpy as np
import pyarrow as pa

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.system import writing

#: Deepest order of a catalogue HiPS; places are kept as pixels of it.
LAST_ORDER = 11
#: Order at which sources are counted, and so the deepest of a leaf: 7 arcmin.
_COUNTED = 9
#: Rows read at a time.
BATCH = 32768
#: What is known of a source beside its row: enough to find the tile in which it appears.
KEYS = np.dtype([("pixel", "<i4"), ("worth", "<f8"), ("row", "<i8")])


@dataclass(frozen=True)
class Leaves:
    """A cut of the sphere.

    Attributes
    ----------
    start : ndarray of int64, shape (n,)
        First pixel (of `LAST_ORDER`, nested) of each leaf, ascending.
    order : ndarray of int8, shape (n,)
        Orders of the leaves.
    bucket : ndarray of int64, shape (n,)
        Buckets that they belong to, ascending from 0.
    above : dict
        Sources in each tile above the leaves, by (order, tile).
    total : int
        All sources.
    """

    start: np.ndarray
    order: np.ndarray
    bucket: np.ndarray
    above: dict[tuple[int, int], int]
    total: int

    def of(self, pixel: np.ndarray) -> np.ndarray:
        """Number of the leaf that holds each pixel (n,)."""
        return np.searchsorted(self.start, pixel, side="right") - 1


def cut(counts: np.ndarray, limit: int) -> Leaves:
    """Cut the sphere into leaves of at most `limit` sources, and join them to buckets of as many.

    Parameters
    ----------
    counts : ndarray, shape (12 * 4**k,)
        Sources in each pixel of an order k; pixels are not cut further.
    limit : int
    """
    totals = [counts]
    while len(totals[0]) > 12:
        totals.insert(0, totals[0].reshape(-1, 4).sum(axis=1))
    starts, orders, sizes, above = [], [], [], {}
    whole = np.ones(12, dtype=bool)
    for order, total in enumerate(totals):
        leaf = whole & ((total <= limit) | (order == len(totals) - 1))
        tiles = np.flatnonzero(leaf)
        starts.append(tiles << 2 * (LAST_ORDER - order))
        orders.append(np.full(len(tiles), order, dtype=np.int8))
        sizes.append(total[tiles])
        parents = whole & ~leaf
        above.update({(order, int(t)): int(total[t]) for t in np.flatnonzero(parents)})
        whole = np.repeat(parents, 4)
    start = np.concatenate(starts)
    by_place = np.argsort(start)
    bucket, number, filled = np.zeros(len(start), dtype=np.int64), 0, 0
    for at, size in enumerate(np.concatenate(sizes)[by_place].tolist()):
        if filled and filled + size > limit:
            number, filled = number + 1, 0
        bucket[at] = number
        filled += size
    orders = np.concatenate(orders)[by_place]
    return Leaves(start[by_place], orders, bucket, above, int(counts.sum()))


def places(catalogue: Catalogue, axes: tuple[str, str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Longitudes and latitudes of the sources that have both, in pieces; degrees."""
    for batch in catalogue.batches(list(axes)):
        lon, lat = batch[axes[0]], batch[axes[1]]
        known = np.isfinite(lon) & np.isfinite(lat)
        yield lon[known], lat[known]


def count(catalogue: Catalogue, axes: tuple[str, str]) -> np.ndarray:
    """Sources in each pixel of the order at which they are counted, uint32."""
    counts = np.zeros(12 * 4**_COUNTED, dtype=np.uint32)
    for lon, lat in places(catalogue, axes):
        pixels = hpgeom.angle_to_pixel(1 << _COUNTED, lon, lat)
        found, number = np.unique(pixels, return_counts=True)
        counts[found] += number.astype(np.uint32)
    return counts


class Scratch:
    """Rows by bucket in two files of a folder: their keys, and their columns.

    Parameters
    ----------
    folder : Path
    catalogue : Catalogue
    names : list of str
        Columns to keep.
    axes : tuple of str
        Columns of longitude and latitude.
    rank : str
        Column of which the largest values come first, or with a leading minus the smallest.
    leaves : Leaves
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        names: list[str],
        *,
        axes: tuple[str, str],
        rank: str,
        leaves: Leaves,
    ) -> None:
        self._keys, self._rows = folder / "keys", folder / "columns"
        self.leaves = leaves
        self.buckets = int(leaves.bucket[-1]) + 1
        self._pieces: list[list[tuple[int, ...]]] = [[] for _ in range(self.buckets)]
        first = 0
        with writing(folder), open(self._keys, "wb") as keys, open(self._rows, "wb") as rows:
            for table in catalogue.tables(names, BATCH):
                self._schema = table.schema
                self._put(table, _keys_of(table, axes, rank, first), keys, rows)
                first += len(table)

    def _put(self, table: pa.Table, found: np.ndarray, keys: Any, rows: Any) -> None:
        known = np.flatnonzero(found["pixel"] >= 0)
        if not len(known):
            return
        bucket = self.leaves.bucket[self.leaves.of(found["pixel"][known])]
        by_bucket = np.argsort(bucket, kind="stable")
        members = known[by_bucket]
        found = found[members]
        (batch,) = table.take(pa.array(members)).combine_chunks().to_batches()
        edges = np.searchsorted(bucket[by_bucket], np.arange(self.buckets + 1)).tolist()
        for number in np.unique(bucket).tolist():
            start, stop = edges[number : number + 2]
            text = batch.slice(start, stop - start).serialize()
            self._pieces[number].append((keys.tell(), stop - start, rows.tell(), text.size))
            keys.write(found[start:stop])
            rows.write(text)

    def keys(self, bucket: int) -> np.ndarray:
        """`KEYS` of the sources of a bucket, in the order of the catalogue."""
        parts = [
            np.fromfile(self._keys, KEYS, count, offset=at)
            for at, count, _, _ in self._pieces[bucket]
        ]
        return np.concatenate(parts) if parts else np.empty(0, KEYS)

    def rows(self, bucket: int) -> pa.Table:
        """Columns of the same sources."""
        batches = []
        with open(self._rows, "rb") as handle:
            for _, _, at, size in self._pieces[bucket]:
                handle.seek(at)
                batches.append(
                    pa.ipc.read_record_batch(pa.py_buffer(handle.read(size)), self._schema)
                )
        return pa.Table.from_batches(batches, self._schema)


def _keys_of(table: pa.Table, axes: tuple[str, str], rank: str, first: int) -> np.ndarray:
    lon, lat, worth = (
        table.column(name).to_numpy().astype(np.float64) for name in (*axes, rank.removeprefix("-"))
    )
    known = np.isfinite(lon) & np.isfinite(lat)
    keys = np.empty(len(table), KEYS)
    keys["pixel"] = -1
    keys["pixel"][known] = hpgeom.angle_to_pixel(1 << LAST_ORDER, lon[known], lat[known])
    worth = -worth if rank.startswith("-") else worth
    keys["worth"] = np.where(np.isnan(worth), -np.inf, worth)
    keys["row"] = np.arange(first, first + len(table))
    return keys
