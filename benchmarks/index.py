"""The search for similar images among a million feature vectors, against brute force.

Vectors are made up, of the default width and of unit length, as the encoder gives them: classes of
galaxies of unequal size, each a cloud of a few hidden properties, bent into the space of features
by a random network, with noise. Brute force is faiss's exhaustive index, in blocks by products of
matrices. Both sides get the same queries, vectors of the set, and as many threads; ours looks
through as many lists as the settings say, and also sorts the neighbours by exact distances and
leaves out views of the same galaxy. Its recall is measured against brute force.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.result import Result, alternate
from morphosphere.config.learn import LearnSettings
from morphosphere.config.predict import PredictSettings
from morphosphere.parallel import threads_given
from morphosphere.predict import neighbours as similar

COUNT = 1_000_000
RECALL = 0.99
#: Queries of both sides; brute force answers fewer, in a time that is linear in their number.
OUR_QUERIES, THEIR_QUERIES = 16_384, 512


def run(*, full: bool = False) -> Iterator[Result]:
    """Vectors, index and queries are in memory on both sides."""
    import faiss

    settings = PredictSettings()
    width, count = LearnSettings().features, settings.neighbours
    vectors = InMemory(feature_vectors(COUNT, width))
    galaxies = np.arange(COUNT)
    lists = similar.number_of_lists(COUNT)
    start = time.perf_counter()
    index = similar.build_index(vectors, width=width, lists=lists)
    built = time.perf_counter() - start
    index.nprobe = settings.probes
    flat = similar.build_index(vectors, width=width)
    ours, theirs = OUR_QUERIES * (8 if full else 1), THEIR_QUERIES * (8 if full else 1)
    chunks = [(s, s + settings.chunk) for s in range(0, ours, settings.chunk)]

    def search() -> np.ndarray:
        found = similar.nearest(index, vectors, galaxies, chunks=iter(chunks), count=count)
        return np.concatenate([rows for _, rows, _ in found])

    def brute() -> np.ndarray:
        faiss.omp_set_num_threads(threads_given())
        return flat.search(vectors.read(0, theirs), count + 1)[1]

    pair = alternate(search, brute, repeats=3)
    reached = recall(search()[:theirs], brute())
    yield pair.result(
        "index",
        ours,
        "queries/s",
        20,
        f"brute force over 10^6 vectors of {width} numbers; recall {reached:.4f}"
        + ("" if reached >= RECALL else f", below {RECALL}: not equal"),
        their_amount=theirs,
        recall=reached,
        lists=lists,
        probes=settings.probes,
        neighbours=count,
        build_seconds=built,
        brute_force_of_all_seconds=COUNT / theirs * pair[1],
    )


class InMemory:
    """Vectors as `morphosphere.predict.neighbours` wants them."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Vectors ``start:stop``."""
        return self.vectors[start:stop]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Vectors at `rows`, of any shape."""
        return self.vectors[rows]


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Part of the true neighbours that were found.

    Parameters
    ----------
    found : ndarray of int, shape (n, k)
        Row n is of vector n, which is not in it.
    exact : ndarray of int, shape (n, k + 1)
        Of brute force, which finds each vector itself as well.
    """
    hits = 0
    for n, (ours, theirs) in enumerate(zip(found, exact)):
        true = [row for row in theirs if row != n][: len(ours)]
        hits += len(np.intersect1d(ours, true))
    return hits / found.size


def feature_vectors(
    count: int,
    width: int,
    *,
    classes: int = 40,
    hidden: int = 8,
    noise: float = 0.02,
    seed: int = 0,
) -> np.ndarray:
    """Clustered vectors of unit length, (count, width), float32; see the module's text."""
    random = np.random.default_rng(seed)
    centre = random.standard_normal((classes, hidden), np.float32)
    spread = random.uniform(0.15, 0.6, (classes, 1)).astype(np.float32)
    share = random.dirichlet(np.ones(classes))
    into = random.standard_normal((hidden, 2 * width), np.float32) / np.float32(np.sqrt(hidden))
    bias = random.standard_normal(2 * width, np.float32)
    out_of = random.standard_normal((2 * width, width), np.float32) / np.float32(np.sqrt(2 * width))
    out = np.empty((count, width), np.float32)
    for start in range(0, count, 1 << 16):
        part = out[start : start + (1 << 16)]
        kind = random.choice(classes, len(part), p=share)
        cloud = random.standard_normal((len(part), hidden), np.float32)
        part[:] = np.tanh((centre[kind] + spread[kind] * cloud) @ into + bias) @ out_of
        part += noise * random.standard_normal(part.shape, np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return out
