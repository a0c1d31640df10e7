"""The measures of the Euclid Morphology Challenge.

Bretonnière et al. 2023, A&A 671, A102 (section 3). The error of a galaxy, b, is relative for radii,
(told - true) / true; absolute for axis ratio and bulge-to-total, told - true; and logarithmic for
the Sérsic index, log10 told - log10 true. In each bin of true magnitude

    bias B = median of b,  dispersion D = 68 % quantile of |b - B|,  outliers O = share with |b| > L

and the global score of a parameter, smaller being better, is

    S = w_C (1 - C) + sum over bins of w_i (w_B |B_i| + w_D D_i + w_O O_i)

with C the share of galaxies that something is told of. Bins weigh as the number of their galaxies
times the logarithm of their signal-to-noise ratio, and their weights sum to 1. In the challenge the
ratios are those of Euclid's VIS camera by magnitude; here they are the medians of the galaxies in
the bin, so scores of other surveys compare with each other and not with the challenge's. The score
of all is the mean over parameters. The magnitude is the challenge's other part (Merlin et al. 2023,
A&A 671, A101): its errors are told in magnitudes, and are no part of the score.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from morphosphere.sersic.evaluate.scored import Scored

#: How errors of columns are told; the magnitude is no part of the score.
KINDS = {
    "radius": "relative",
    "axis_ratio": "absolute",
    "sersic_index": "logarithmic",
    "bulge_radius": "relative",
    "bulge_to_total": "absolute",
    "magnitude": "absolute",
}
_DISPERSION = 0.68


def errors_of(scored: Scored, column: str) -> np.ndarray:
    """Error b of each galaxy in the challenge's sense, shape (n,); NaN where not known."""
    told, true = scored.told[column]["median"], scored.truth[column]
    with np.errstate(invalid="ignore", divide="ignore"):
        if KINDS[column] == "relative":
            return (told - true) / true
        if KINDS[column] == "logarithmic":
            return np.log10(told) - np.log10(true)
    return told - true


def summary(error: np.ndarray, outlier: float) -> dict[str, float]:
    """Bias, dispersion and share of outliers of finite errors."""
    bias = float(np.median(error))
    return {
        "bias": bias,
        "dispersion": float(np.quantile(np.abs(error - bias), _DISPERSION)),
        "outliers": float((np.abs(error) > outlier).mean()),
    }


def magnitude_edges(magnitude: np.ndarray, bins: int) -> np.ndarray:
    """Ends of equal bins from the least to the greatest magnitude, shape (bins + 1,)."""
    known = magnitude[np.isfinite(magnitude)]
    return np.linspace(known.min(), known.max(), bins + 1)


def measure_euclid(
    scored: Scored,
    edges: np.ndarray,
    *,
    outlier: float,
    weights: tuple[float, float, float, float],
    least: int = 3,
) -> dict[str, Any]:
    """Bias, dispersion, outliers by magnitude, and the global score.

    Parameters
    ----------
    scored : Scored
        All galaxies that something should be told of; those without count as incompleteness.
    edges : ndarray
        Of the bins of true magnitude.
    outlier : float
        L.
    weights : (float, float, float, float)
        w_B, w_D, w_O, w_C.
    least : int
        Bins with fewer galaxies do not count.

    Returns
    -------
    dict
        ``global`` (mean score), the score of each parameter, ``completeness``, and
        ``by_magnitude``: a list of bins with ``low``, ``high``, ``galaxies``, ``snr`` (median) and
        {bias, dispersion, outliers} of each parameter. Scores are None where no bin counts.
    """
    columns = [name for name in KINDS if name in scored.truth]
    errors = {name: errors_of(scored, name) for name in columns}
    true = np.array([np.isfinite(scored.truth[name]) for name in columns]).all(axis=0)
    told = true & np.array([np.isfinite(errors[name]) for name in columns]).all(axis=0)
    out: dict[str, Any] = {"global": None, **dict.fromkeys(columns[:-1])}
    out["completeness"] = float(told.sum() / true.sum()) if true.any() else None
    out["by_magnitude"] = found = []
    magnitude = scored.truth["magnitude"]
    place = np.searchsorted(edges[1:-1], magnitude, side="right")
    snr = scored.about.get("snr", np.full(len(scored), np.nan)).astype(np.float64)
    for k, (low, high) in enumerate(pairwise(edges)):
        chosen = told & (place == k) & (magnitude >= edges[0]) & (magnitude <= edges[-1])
        if chosen.sum() < least:
            continue
        level = snr[chosen][np.isfinite(snr[chosen])]
        found.append(
            {"low": float(low), "high": float(high), "galaxies": int(chosen.sum()),
             "snr": float(np.median(level)) if len(level) else None}
            | {name: summary(errors[name][chosen], outlier) for name in columns}
        )  # fmt: skip
    if found:
        share = bin_weights(found)
        w_bias, w_dispersion, w_outliers, w_missing = weights
        for name in columns[:-1]:
            terms = [
                w_bias * abs(one[name]["bias"])
                + w_dispersion * one[name]["dispersion"]
                + w_outliers * one[name]["outliers"]
                for one in found
            ]
            out[name] = float(w_missing * (1 - out["completeness"]) + share @ np.array(terms))
        out["global"] = float(np.mean([out[name] for name in columns[:-1]]))
    return out


def bin_weights(bins: list[dict[str, Any]]) -> np.ndarray:
    """Weights of bins, which sum to 1: numbers times ln of the signal-to-noise ratio.

    A ratio below 1, or one that is not known, leaves the weight to the numbers alone: all bins are
    then taken by their numbers.
    """
    number = np.array([one["galaxies"] for one in bins], np.float64)
    level = np.array([np.nan if one["snr"] is None else one["snr"] for one in bins])
    if np.isfinite(level).all() and (level > 1).all():
        number = number * np.log(level)
    return number / number.sum()
