"""From Gaussian posteriors of latent parameters to intervals of the columns of a table.

Magnitude, radius and Sérsic index are monotone functions of one latent parameter, so that their
quantiles are exact. Axis ratio and position angle follow from the two components of the
ellipticity and are sampled, with the same points for every galaxy: nothing is drawn by chance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import norm, qmc

from morphosphere.posterior import QUANTILES
from morphosphere.structure.parameters import Space

#: Ends of the names of the columns of a parameter, in order.
ENDS = ("median", "std", *(name for name in QUANTILES if name != "median"))
_SAMPLED = ("axis_ratio", "position_angle")
_LN10 = np.log(10.0)
#: Of what is not known at all, an end of an interval in float32.
_LARGEST = 1e38


def interval_columns(space: Space) -> list[str]:
    """Names of the columns that `intervals` gives, in order."""
    return [f"{name}_{end}" for name in space.columns for end in ENDS]


def intervals(
    space: Space,
    latent: np.ndarray,
    covariance: np.ndarray,
    zero_point: np.ndarray,
    pixel_size: np.ndarray,
    samples: int = 512,
) -> dict[str, np.ndarray]:
    """Median, standard deviation and central intervals of each column.

    Parameters
    ----------
    space : Space
    latent : ndarray, shape (n, P)
        Means.
    covariance : ndarray, shape (n, P, P)
    zero_point, pixel_size : ndarray, shape (n,)
        In mag and arcsec.
    samples : int
        Points of the ellipticity's posterior.

    Returns
    -------
    dict of ndarray of float32, each of shape (n,)
        ``<column>_median``, ``_std``, ``_low68``, ``_high68``, ``_low95``, ``_high95``. The median
        position angle is in [0, 180); the ends of its intervals are at most 90 degrees from it and
        may lie beyond 0 and 180, so that an interval is always from its lower to its upper end.
    """
    std = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    std = np.where(np.isfinite(latent), std, np.nan)
    steps = {name: norm.ppf(q) for name, q in QUANTILES.items()}
    found: dict[str, np.ndarray] = {}
    for end, step in steps.items():
        with np.errstate(over="ignore"):
            columns = space.to_columns(latent + step * std, zero_point, pixel_size)
        for name in space.columns:
            if name not in _SAMPLED:
                found[f"{name}_{end}"] = columns[name]
    for number, name in enumerate(space.columns):
        if name not in _SAMPLED:
            s = std[:, number]
            if name not in ("magnitude", "bulge_to_total"):
                with np.errstate(over="ignore", invalid="ignore"):
                    v = (_LN10 * s) ** 2  # of a log-normal distribution
                    s = found[f"{name}_median"] * np.exp(v / 2) * np.sqrt(np.expm1(v))
            found[f"{name}_std"] = s
    found.update(_shapes(latent[:, -2:], covariance[:, -2:, -2:], samples))
    return {
        name: np.clip(found[name], -_LARGEST, _LARGEST).astype(np.float32)
        for name in interval_columns(space)
    }


def _shapes(mean: np.ndarray, covariance: np.ndarray, samples: int) -> dict[str, np.ndarray]:
    """Axis ratio and position angle of ellipticities with mean (n, 2) and covariance (n, 2, 2)."""
    known = np.isfinite(mean).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2))
    names = [f"{name}_{end}" for name in _SAMPLED for end in ENDS]
    out = {name: np.full(len(mean), np.nan) for name in names}
    if not known.any():
        return out
    mean, covariance = mean[known], covariance[known]
    e1, e2 = (mean[:, None] + _normal(samples) @ _root(covariance).transpose(0, 2, 1)).transpose(
        2, 0, 1
    )
    e = np.minimum(np.hypot(e1, e2), 0.999)
    ratio = (1 - e) / (1 + e)
    turn = np.arctan2(e2, e1)
    # The middle of directions is that of their unit vectors, which has no jump.
    middle = np.arctan2(np.sin(turn).mean(axis=1), np.cos(turn).mean(axis=1))
    away = np.rad2deg((turn - middle[:, None] + np.pi) % (2 * np.pi) - np.pi) / 2
    levels = list(QUANTILES.values())
    for name, q in zip(QUANTILES, np.quantile(ratio, levels, axis=1)):
        out[f"axis_ratio_{name}"][known] = q
    spread = np.quantile(away, levels, axis=1)
    median = np.float32(np.rad2deg(middle) / 2 + spread[0]) % np.float32(180.0)
    for name, q in zip(QUANTILES, spread):
        out[f"position_angle_{name}"][known] = median + q - spread[0]
    out["axis_ratio_std"][known] = ratio.std(axis=1)
    out["position_angle_std"][known] = away.std(axis=1)
    return out


def _root(covariance: np.ndarray) -> np.ndarray:
    """Lower triangular factors of covariances (n, 2, 2), which may be singular."""
    a, b, c = covariance[:, 0, 0], covariance[:, 1, 0], covariance[:, 1, 1]
    first = np.sqrt(np.maximum(a, 0))
    below = np.divide(b, first, out=np.zeros_like(b), where=first > 0)
    last = np.sqrt(np.maximum(c - below**2, 0))
    zero = np.zeros_like(first)
    return np.stack([np.stack([first, zero], -1), np.stack([below, last], -1)], -2)


@lru_cache(maxsize=4)
def _normal(samples: int) -> np.ndarray:
    """Points of the standard normal distribution in the plane, shape (samples, 2): Sobol's."""
    points = qmc.Sobol(2, scramble=True, rng=0)
    drawn = points.random_base2(int(np.ceil(np.log2(samples))))[:samples]
    return norm.ppf(np.clip(drawn, 1e-6, 1 - 1e-6))
