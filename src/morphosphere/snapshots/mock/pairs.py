"""Close pairs of galaxies."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.mock.particles import Stars
from morphosphere.snapshots.mock.populations import Traits


def encounter(
    rng: np.random.Generator, stars: list[Stars], traits: list[Traits]
) -> tuple[list[Stars], np.ndarray, np.ndarray]:
    """Two galaxies beside each other."""
    away = np.array([2.5 * (traits[0].size + traits[1].size), 0, 0])
    return stars, away, rng.normal(scale=100, size=3)
