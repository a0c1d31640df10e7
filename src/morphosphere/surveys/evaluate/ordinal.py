"""Errors of the ordinal target (Hubble type T), against always saying the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.surveys.evaluate.bootstrap import mean_interval
from morphosphere.surveys.evaluate.scored import Scored

#: Central intervals of the posterior: name to the ends' names.
INTERVALS = {"68": ("low68", "high68"), "95": ("low95", "high95")}


def measure_type(
    scored: Scored, training: np.ndarray, *, bootstrap: int, seed: int
) -> dict[str, Any]:
    """Errors of the posterior's median, and how often its intervals hold the truth.

    Parameters
    ----------
    scored : Scored
    training : ndarray, shape (m,)
        Types of the training images.
    bootstrap : int
        Draws of objects for the interval of the mean absolute error.
    seed : int

    Returns
    -------
    dict
        ``type_mae``, ``type_mae_median_of_training`` (of always saying the median of `training`),
        ``type``: {n, bias (mean of told minus true), coverage}, and ``intervals``. None where not
        known.
    """
    known = type_known(scored)
    out: dict[str, Any] = {"type_mae": None, "type_mae_median_of_training": None, "intervals": {}}
    if not known.any():
        return out
    true = scored.type_true[known]
    error = scored.type_said["median"][known] - true
    out["type_mae"] = float(np.abs(error).mean())
    if len(training):
        out["type_mae_median_of_training"] = float(np.abs(true - np.median(training)).mean())
    out["type"] = {
        "n": int(known.sum()),
        "bias": float(error.mean()),
        "coverage": {
            name: float(((scored.type_said[low][known] <= true)
                         & (true <= scored.type_said[high][known])).mean())
            for name, (low, high) in INTERVALS.items()
        },
    }  # fmt: skip
    out["intervals"]["type_mae"] = mean_interval(
        np.abs(error), scored.objects[known], bootstrap, seed
    )
    return out


def type_known(scored: Scored) -> np.ndarray:
    """Which images have both a true type and one that the model tells: mask (n,)."""
    if not scored.type_said:
        return np.zeros(len(scored), bool)
    return np.isfinite(scored.type_true) & np.isfinite(scored.type_said["median"])
