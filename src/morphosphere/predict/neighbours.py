"""The most similar images of each image, in the space of feature vectors.

Up to a number of images the search is exhaustive; above it, an inverted-file index (Sivic &
Zisserman 2003, ICCV; the implementation is that of faiss, Douze et al. 2024, arXiv:2401.08281)
looks through the closest of its lists only. It is built once, on disk, and mapped into the memory
of every process, and, unlike a graph, it does not depend on the order of its making.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from morphosphere.parallel import threads_given
from morphosphere.predict.ahead import in_order

BLOCK = 16384
#: Feature vectors for each list that the lists' centres are fitted to.
_TRAINING_PER_LIST = 64
#: Rounds of the fit: more of them change no recall, and take most of the time.
_ROUNDS = 10


class Vectors(Protocol):
    """Feature vectors (N, F) on disk or in memory."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """Vectors ``start:stop``."""
        ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Vectors at `rows`, of any shape."""
        ...


def build_index(vectors: Vectors, *, width: int, lists: int = 0, seed: int = 0):
    """A faiss index of all vectors.

    Parameters
    ----------
    vectors : Vectors
        Of `width` numbers each.
    lists : int
        Lists of an inverted-file index; 0 for an exhaustive search.
    seed : int
        Of the choice of vectors that the lists' centres are fitted to.
    """
    import faiss

    index = faiss.IndexFlatL2(width)
    if lists:
        index = faiss.IndexIVFFlat(index, width, lists, faiss.METRIC_L2)
        index.cp.seed, index.cp.niter = seed % 2**31, _ROUNDS
        count = min(len(vectors), _TRAINING_PER_LIST * lists)
        chosen = np.random.default_rng(seed).choice(len(vectors), count, replace=False)
        index.train(vectors.take(np.sort(chosen)))
    for start in range(0, len(vectors), BLOCK):
        index.add(vectors.read(start, min(start + BLOCK, len(vectors))))
    return index


def number_of_lists(count: int) -> int:
    """Lists of an inverted-file index of `count` vectors: four times its square root."""
    return max(1, int(4 * np.sqrt(count)))


def write_index(index, path: Path) -> None:
    """Write an index to a file."""
    import faiss

    faiss.write_index(index, str(path))


def read_index(path: Path, probes: int):
    """An inverted-file index on disk, mapped rather than read; looks through `probes` lists."""
    import faiss

    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    index.nprobe = probes
    return index


def usable_neighbours(wanted: int, galaxies: np.ndarray) -> int:
    """How many neighbours every image has: at most `wanted`, never another view of its galaxy.

    Parameters
    ----------
    wanted : int
    galaxies : ndarray of int, shape (N,)
        The galaxy that each image shows.
    """
    return min(wanted, len(galaxies) - most_views(galaxies))


def most_views(galaxies: np.ndarray) -> int:
    """The largest number of images of one galaxy."""
    return int(np.unique(galaxies, return_counts=True)[1].max())


def nearest(
    index,
    vectors: Vectors,
    galaxies: np.ndarray,
    *,
    chunks: Iterator[tuple[int, int]],
    count: int,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Nearest images of other galaxies, for one chunk of rows after the other.

    Parameters
    ----------
    index : faiss index of `vectors`
    vectors : Vectors
    galaxies : ndarray of int, shape (N,)
        Images of the same galaxy are not neighbours of each other.
    chunks : iterator of (start, stop)
    count : int
        Neighbours for each image, from `usable_neighbours`.

    Yields
    ------
    start : int
    rows : ndarray of int64, shape (n, max(count, 1))
        Nearest first; equal distances by row. -1 where there is none.
    distances : ndarray of float32, same shape
        NaN where there is none.
    """
    views = most_views(galaxies)

    def search(start: int, stop: int) -> tuple[int, np.ndarray, np.ndarray]:
        if count < 1:
            shape = (stop - start, 1)
            return start, np.full(shape, -1), np.full(shape, np.nan, np.float32)
        queries = vectors.read(start, stop)
        rows = _candidates(index, queries, galaxies[start:stop], galaxies, count, views)
        return start, *_sorted(queries, vectors, rows)

    yield from in_order(search, chunks, threads_given(), begin=_one_thread)


def _one_thread() -> None:
    """Let a search that this thread begins use this thread alone."""
    import faiss

    faiss.omp_set_num_threads(1)


def _candidates(index, queries, mine, galaxies, count, views, probes=0) -> np.ndarray:
    """The `count` nearest rows of other galaxies than `mine`; -1 where an index finds too few."""
    wanted = min(count + views, index.ntotal)
    if probes:
        import faiss

        found = index.search(queries, wanted, params=faiss.SearchParametersIVF(nprobe=probes))[1]
    else:
        found = index.search(queries, wanted)[1]
    barred = (found < 0) | (galaxies[found] == mine[:, None])
    order = np.argsort(barred, axis=1, kind="stable")[:, :count]
    rows = np.take_along_axis(np.where(barred, -1, found), order, axis=1)
    lists = getattr(index, "nlist", 0)
    if not probes and getattr(index, "nprobe", lists) < lists:
        short = np.flatnonzero((rows < 0).any(axis=1))
        if len(short):  # too few images in the lists looked through: look through all of them
            rows[short] = _candidates(
                index, queries[short], mine[short], galaxies, count, views, probes=lists
            )
    return rows


def _sorted(queries, vectors, rows) -> tuple[np.ndarray, np.ndarray]:
    """Rows by distance, then number, with distances worked out without cancellation."""
    gap = vectors.take(np.maximum(rows, 0)).astype(np.float64) - queries[:, None]
    distances = np.sqrt((gap * gap).sum(axis=-1))
    distances[rows < 0] = np.inf
    order = np.lexsort((rows, distances), axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    distances[np.isinf(distances)] = np.nan
    return np.take_along_axis(rows, order, axis=1), distances.astype(np.float32)
