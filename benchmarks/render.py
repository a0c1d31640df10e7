"""Project particles by adaptive smoothing, against depositing them on pixels unsmoothed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.result import Result, alternate
from morphosphere.render.project import project, sort_into_levels

STARS, SIZE = 1_000_000, 64


def run() -> Iterator[Result]:
    """A million particles, three channels, one camera and process; the peer smooths nothing."""
    rng = np.random.default_rng(1)
    places = rng.normal(SIZE / 2, SIZE / 8, (1, STARS, 2))
    support = np.exp(rng.normal(0.5, 0.7, STARS))
    weights = rng.uniform(0, 1, (3, 1, STARS))
    ours, theirs = alternate(
        lambda: project(places, weights, sort_into_levels(support, 1.0), size=SIZE),
        lambda: _deposit(places[0], weights[:, 0]),
        repeats=3,
    )
    yield Result(
        "render", STARS / ours, STARS / theirs, 0.1, True, "particles/s", "unsmoothed deposit"
    )


def _deposit(places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    pixel = places.astype(np.int64)
    inside = ((pixel >= 0) & (pixel < SIZE)).all(axis=1)
    index = pixel[inside] @ [1, SIZE]
    return np.stack([np.bincount(index, w[inside], SIZE * SIZE) for w in weights])
