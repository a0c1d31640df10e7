"""What a model is worth on sets that it was not made for: N-body runs and real images."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.mergers.evaluate.errors import INTERVALS, differences, error_key, inside
from morphosphere.mergers.evaluate.held import Held
from morphosphere.posterior import Label


def measure_test(held: Held, labels: tuple[Label, ...]) -> dict[str, Any]:
    """Errors, rank correlation and coverage for every label that is known of some images.

    However few there are: ``known`` says how many.

    Returns
    -------
    dict
        ``images``, ``outliers`` (share that is told to be unlike training), and for each label its
        error (``known``, ``median``, ``bias``, ``rank_correlation`` by Spearman, None for fewer
        than three different values, ``coverage``), and ``mass_ratio_within_bounds`` where bounds
        are known.
    """
    out: dict[str, Any] = {
        "images": len(held),
        "outliers": float(held.outlier.mean()) if len(held) else None,
    }
    for label in labels:
        difference = differences(held, label)
        known = np.isfinite(difference)
        if not known.any():
            continue
        out[error_key(label)] = {
            "known": int(known.sum()),
            "median": float(np.median(np.abs(difference[known]))),
            "bias": float(np.median(difference[known])),
            "rank_correlation": rank_correlation(
                held.truth[label.name][known], held.said[label.name]["median"][known]
            ),
            "coverage": {name: float(np.nanmean(inside(held, label, name))) for name in INTERVALS},
        }
    if within := _within_bounds(held):
        out["mass_ratio_within_bounds"] = within
    return out


def rank_correlation(true: np.ndarray, said: np.ndarray) -> float | None:
    """Spearman's correlation; None where it does not exist."""
    from scipy.stats import spearmanr

    if len(np.unique(true)) < 3 or len(np.unique(said)) < 2:
        return None
    return float(spearmanr(true, said).statistic)


def _within_bounds(held: Held) -> dict[str, Any] | None:
    """How often the posterior median, and any of the 68 % interval, lies within known bounds."""
    low, high = (held.about.get(f"mass_ratio_{end}") for end in ("low", "high"))
    if low is None or high is None or "mass_ratio" not in held.said:
        return None
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return None
    said = {key: values[known] for key, values in held.said["mass_ratio"].items()}
    median = (low[known] <= said["median"]) & (said["median"] <= high[known])
    touches = (low[known] <= said["high68"]) & (said["low68"] <= high[known])
    return {
        "known": int(known.sum()),
        "median": float(median.mean()),
        "interval": float(touches.mean()),
    }
