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
        Of arrays (..., n) along their last axis, which ``axis`` names.
    columns : list of ndarray, each of shape (n,)
        Values of the same galaxies.
    draws : int
    seed : int

    Returns
    -------
    [float, float] or None
        None without draws, with fewer than two galaxies, or where the statistic is not finite.
    """
    from scipy.stats import bootstrap

    count = len(columns[0])
    if not draws or count < 2:
        return None
    found = bootstrap(
        columns, statistic, n_resamples=draws, paired=True, vectorized=True, method="percentile",
        batch=max(1, _ELEMENTS // count), rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    ends = [float(found.low), float(found.high)]
    return ends if np.isfinite(ends).all() else None
