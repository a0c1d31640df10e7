"""The order at which each source of a catalogue HiPS appears.

A tile adds the sources of the highest rank that no tile above it has shown, up to a number. Tiles
above the leaves of a partition are filled from the best of each leaf, since none can take more of
it: everything else is settled leaf by leaf.
"""

from __future__ import annotations

import numpy as np

from morphosphere.hips.partition import KEYS, LAST_ORDER, Leaves, Scratch


def levels_of(keys: np.ndarray, rows: int, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The order at which each source appears, int8 (n,); -1 for those that do not.

    Parameters
    ----------
    keys : ndarray of KEYS, shape (n,)
        In the order of the catalogue, which decides between equal ranks.
    rows : int
        Sources that a tile adds; at the deepest order there is no limit.
    first, last : ndarray of int, shape (n,)
        Orders at which each source may appear.
    """
    level = np.full(len(keys), -1, dtype=np.int8)
    left = np.argsort(-keys["worth"], kind="stable")
    for order in range(LAST_ORDER + 1):
        if not len(left):
            break
        here = left[(first[left] <= order) & (order <= last[left])]
        now = np.zeros(len(here), dtype=bool)
        tile = keys["pixel"][here] >> 2 * (LAST_ORDER - order)
        now[_best(tile, rows)] = True
        level[here if order == LAST_ORDER else here[now]] = order
        left = left[level[left] < 0]
    return level


def _best(group: np.ndarray, most: int | np.ndarray) -> np.ndarray:
    """Indices of the first `most` members of each group, of members in order of rank."""
    by_group = np.argsort(group, kind="stable")
    _, start, count = np.unique(group[by_group], return_index=True, return_counts=True)
    place = np.arange(len(group)) - np.repeat(start, count)
    return by_group[place < (most if np.isscalar(most) else most[by_group])]


def spread(keys: np.ndarray) -> np.ndarray:
    """Levels 0 to 2 for a third of the sources each, the highest in rank first."""
    level = np.empty(len(keys), dtype=np.int8)
    by_rank = np.argsort(-keys["worth"], kind="stable")
    level[by_rank] = np.arange(len(keys)) * 3 // max(1, len(keys))
    return level


class Above:
    """The sources that appear in tiles above the leaves.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Their rows in the catalogue, ascending.
    level : ndarray of int8, shape (n,)
    """

    def __init__(self, scratch: Scratch, rows: int) -> None:
        leaves = scratch.leaves
        found = np.empty(0, KEYS)
        if leaves.above:
            parts = [_candidates(scratch.keys(n), leaves, rows) for n in range(scratch.buckets)]
            found = np.concatenate(parts)
        found = found[np.argsort(found["row"])]
        last = leaves.order[leaves.of(found["pixel"])] - 1
        level = levels_of(found, rows, np.zeros_like(last), last)
        self.row, self.level = found["row"][level >= 0], level[level >= 0]
        self._pixel = found["pixel"][level >= 0]

    def of(self, row: np.ndarray) -> np.ndarray:
        """Levels of sources, int8 (n,); -1 for those that appear in a leaf or below it."""
        if not len(self.row):
            return np.full(len(row), -1, dtype=np.int8)
        at = np.minimum(np.searchsorted(self.row, row), len(self.row) - 1)
        return np.where(self.row[at] == row, self.level[at], np.int8(-1))

    def shown(self, order: int, tile: int) -> int:
        """Sources in a tile that it or tiles above it show."""
        inside = self._pixel >> 2 * (LAST_ORDER - order) == tile
        return int((inside & (self.level <= order)).sum())


def _candidates(keys: np.ndarray, leaves: Leaves, rows: int) -> np.ndarray:
    """The sources of a bucket of which some may appear above their leaf."""
    keys = keys[np.argsort(-keys["worth"], kind="stable")]
    leaf = leaves.of(keys["pixel"])
    return keys[_best(leaf, rows * leaves.order[leaf].astype(np.int64))]
