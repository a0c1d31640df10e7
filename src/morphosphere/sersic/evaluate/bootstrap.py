"""Confidence intervals of measures, by drawing galaxies anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: Numbers that are drawn at a time.
_ELEMENTS = 2_000_000


def interval(
    statistic: Callable[..., Any], columns: list[np.ndarray], draws: int, seed: int
) -> list[float] | None:
    """Central 95 % of a statistic over draws of galaxies, with replacement.

    Parameters
    ----------
    statistic : callable
        Of arrays (..., n) along their last axis.
    columns : list of ndarray, each of shape (n,)
        Values of the same galaxies.
    draws : int
    seed : int

    Returns
    -------
    [float, float] or None
        Of the draws in which the statistic exists; None without any, or with a single galaxy.
    """
    count = len(columns[0])
    if not draws or count < 2:
        return None
    random = np.random.default_rng(seed)
    step = max(1, _ELEMENTS // count)
    found = []
    for start in range(0, draws, step):
        chosen = random.integers(0, count, (min(step, draws - start), count))
        found.append(statistic(*(values[chosen] for values in columns)))
    every = np.concatenate(found)
    every = every[np.isfinite(every)]
    return [float(end) for end in np.quantile(every, [0.025, 0.975])] if len(every) else None
