"""Errors of labels, and whether intervals cover as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from morphosphere.mergers.evaluate.held import Held
from morphosphere.posterior import Label

#: Central intervals: name to the ends' names in `posterior.QUANTILES`.
INTERVALS = {"68": ("low68", "high68"), "95": ("low95", "high95")}
#: Inclinations of the camera against the orbit, in degrees.
CAMERAS = {"face-on": (0, 40), "oblique": (40, 65), "edge-on": (65, 90.1)}
PHASES = ("approach", "passage", "final", "remnant")
#: Fewer images than this are not measured by themselves.
LEAST = 10


def error_key(label: Label) -> str:
    """Name of a label's error in metrics: ``time_error_myr``, ``mass_ratio_error_dex``."""
    name = "time" if label.name == "time_since_pericentre" else label.name
    unit = "dex" if label.scale == "log10" else label.unit.lower()
    return f"{name}_error_{unit}" if unit else f"{name}_error"


def differences(held: Held, label: Label) -> np.ndarray:
    """Posterior median minus truth, in dex for logarithmic labels, shape (n,)."""
    said, true = held.said[label.name]["median"], held.truth[label.name]
    if label.scale == "log10":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(said) - np.log10(true)
    return said - true


def inside(held: Held, label: Label, interval: str) -> np.ndarray:
    """1 where an interval holds the truth, 0 where it does not, NaN where it is not known."""
    low, high = (held.said[label.name][end] for end in INTERVALS[interval])
    true = held.truth[label.name]
    return np.where(np.isfinite(true), (low <= true) & (true <= high), np.nan)


def measure(
    held: Held, labels: tuple[Label, ...], *, bootstrap: int = 0, seed: int = 0
) -> dict[str, Any]:
    """Errors and coverage of some images.

    Parameters
    ----------
    held : Held
    labels : tuple of Label
    bootstrap : int
        Draws of encounters for the 95 % interval of each median error.
    seed : int

    Returns
    -------
    dict
        ``images``; for each label its error: ``median`` (absolute), ``p84``, ``bias`` (median of
        the difference), ``constant`` (median absolute error of always saying the median of these
        images' true values), with draws ``low`` and ``high``; ``coverage`` of the 68 and 95 %
        intervals, of all labels together and of each.
    """
    out: dict[str, Any] = {"images": len(held)}
    units = held.about.get("encounter_id", held.about.get("image_id"))
    coverage: dict[str, Any] = {}
    for label in labels:
        difference = differences(held, label)
        known = np.isfinite(difference)
        if known.sum() < LEAST:
            out[error_key(label)] = None
            continue
        size = np.abs(difference[known])
        true = held.truth[label.name][known]
        true = np.log10(true) if label.scale == "log10" else true
        found = {
            "median": float(np.median(size)),
            "p84": float(np.quantile(size, 0.84)),
            "bias": float(np.median(difference[known])),
            "constant": float(np.median(np.abs(true - np.median(true)))),
        }
        if bootstrap and units is not None:
            found |= dict(
                zip(("low", "high"), bootstrapped(np.median, size, units[known], bootstrap, seed))
            )
        out[error_key(label)] = found
        coverage[label.name] = {
            name: float(np.nanmean(inside(held, label, name))) for name in INTERVALS
        }
    pooled = {}
    for name in INTERVALS:
        values = np.concatenate([inside(held, label, name) for label in labels])
        pooled[name] = float(np.nanmean(values)) if np.isfinite(values).any() else None
    out["coverage"] = pooled | coverage
    return out


def bootstrapped(
    statistic: Callable[[np.ndarray], float],
    values: np.ndarray,
    units: np.ndarray,
    draws: int,
    seed: int,
) -> tuple[float, float]:
    """Central 95 % of a statistic over draws of whole units (encounters), with replacement."""
    random = np.random.default_rng(seed)
    _, code = np.unique(units.astype(str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    groups = np.split(values[order], np.flatnonzero(np.diff(code[order])) + 1)
    found = [
        statistic(np.concatenate([groups[k] for k in random.integers(0, len(groups), len(groups))]))
        for _ in range(draws)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def by_group(
    held: Held, labels: tuple[Label, ...], groups: dict[str, np.ndarray]
) -> dict[str, dict[str, Any]]:
    """`measure` of each of some groups of images, given as masks; small ones are left out."""
    return {
        name: measure(held.take(mask), labels)
        for name, mask in groups.items()
        if mask.sum() >= LEAST
    }


def phases_of(held: Held) -> dict[str, np.ndarray]:
    """Masks of the images of each phase."""
    phase = held.about.get("phase")
    return {} if phase is None else {name: phase == name for name in PHASES}


def cameras_of(held: Held) -> dict[str, np.ndarray]:
    """Masks of images by the inclination of the camera against the orbit."""
    tilt = held.about.get("inclination")
    if tilt is None:
        return {}
    return {name: (low <= tilt) & (tilt < high) for name, (low, high) in CAMERAS.items()}


def confusion(held: Held, label: Label, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """How often images of each true bin are told to be in each bin.

    Returns
    -------
    edges : ndarray, shape (bins + 1,)
        Of the values, from the least to the greatest true one.
    table : ndarray, shape (bins, bins)
        Rows are the true bins and sum to one; those without images are NaN.
    """
    true, said = label.scaled(held.truth[label.name]), label.scaled(held.said[label.name]["median"])
    known = np.isfinite(true)
    if not known.any():
        return label.value(np.linspace(0, 1, bins + 1)), np.full((bins, bins), np.nan)
    low, high = true[known].min(), true[known].max()
    edges = np.linspace(low, max(high, low + 1e-6), bins + 1)
    inner = edges[1:-1]
    counts = np.zeros((bins, bins))
    np.add.at(counts, (np.digitize(true[known], inner), np.digitize(said[known], inner)), 1)
    with np.errstate(invalid="ignore"):
        return label.value(edges), counts / counts.sum(1, keepdims=True)
