"""Errors in units of the Cramér-Rao bound.

The bound is the least standard deviation that an unbiased estimate of a parameter can have, given
the image's noise (Cramér 1946; Rao 1945). It is no limit to what a network or a fitter does:

- A biased estimate can have a smaller error. A network knows the range that it was trained on, and
  draws faint galaxies to its middle and galaxies at its edge inwards, so at low signal-to-noise
  ratio the ratio falls below 1. Only galaxies above a limit count for the headline therefore.
- The bound of the axis ratio is a first-order one; of nearly round galaxies, where the axis ratio
  cannot exceed 1, the distribution of errors is not normal and its width is not the bound's. Of the
  position angle of round galaxies there is no bound; those above `quantities.ROUND` do not count.
- The bound holds the galaxy's centre to be unknown, and PSF, noise level, model and the number of
  sources to be known.

A ratio is told in several ways, all of which are 1 for normal errors at the bound, and count a
bias: they are about an error of 0 and not about the mean error. `typical`, the median of
|error / bound| over that of a normal distribution, is what holds for the median galaxy; `width`,
the 68.27 % quantile of it, sees more of the wings. `joint` is of all latent parameters together:
the root of the median squared Mahalanobis distance of the told means from the truth, for the
covariance of the bound, over that of normal errors at the bound. It does not depend on how
parameters are written, and is the strictest: errors that are small for each parameter count if the
image rules them out together (a larger radius without more light, say).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError
from morphosphere.sersic.evaluate.bootstrap import interval
from morphosphere.sersic.evaluate.measures import width
from morphosphere.sersic.evaluate.quantities import ANGLE, Quantity
from morphosphere.sersic.evaluate.scored import Scored, mahalanobis
from morphosphere.structure.parameters import Space

#: Median of the size of a normal variable of standard deviation 1.
HALF = 0.67449


@dataclass(frozen=True)
class Bounds:
    """Bounds of some galaxies, by ``image_id``.

    Attributes
    ----------
    ids : ndarray of str, shape (n,)
    snr : ndarray, shape (n,)
        sqrt(sum of model^2 / variance) over the pixels.
    std : dict
        Name of a quantity to its least standard deviation (n,), on the quantity's scale; NaN where
        there is none (the Fisher matrix cannot be inverted).
    covariance : ndarray, shape (n, P, P)
        Least covariance of the latent parameters.
    """

    ids: np.ndarray
    snr: np.ndarray
    std: dict[str, np.ndarray]
    covariance: np.ndarray

    def of(self, ids: np.ndarray) -> Bounds:
        """The bounds of these galaxies, in their order; NaN for those that have none."""
        place = {name: k for k, name in enumerate(self.ids)}
        at = np.array([place.get(name, -1) for name in ids], dtype=int)

        def pick(values: np.ndarray) -> np.ndarray:
            return np.concatenate([values, np.full_like(values[:1], np.nan)])[at]

        std = {name: pick(values) for name, values in self.std.items()}
        return Bounds(ids, pick(self.snr), std, pick(self.covariance))


def read_bounds(path: Path, quantities: tuple[Quantity, ...]) -> Bounds:
    """Read a table of bounds.

    Raises
    ------
    InputError
        If it lacks a column.
    """
    catalogue = Catalogue(path)
    names = {quantity.name: quantity.bound for quantity in (*quantities, ANGLE)}
    needed = ["image_id", "snr", "bound_covariance", *names.values()]
    if missing := [name for name in needed if name not in catalogue.columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; run sersic.bound for this model")
    found = catalogue.read(needed)
    covariance = found["bound_covariance"].astype(np.float64)
    size = math.isqrt(covariance.shape[1])
    return Bounds(
        found["image_id"].astype(str),
        found["snr"].astype(np.float64),
        {name: _positive(found[column]) for name, column in names.items()},
        covariance.reshape(-1, size, size),
    )


def _positive(std: np.ndarray) -> np.ndarray:
    std = std.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(std) & (std > 0), std, np.nan)


def typical(*ratios: np.ndarray, axis: int = -1) -> np.ndarray:
    """Median of |error / bound| of all columns together, over that of a normal distribution."""
    return np.median(np.abs(np.concatenate(ratios, axis=axis)), axis=axis) / HALF


def ratios(scored: Scored, bounds: Bounds, quantities: tuple[Quantity, ...]) -> np.ndarray:
    """Error over bound of each quantity, shape (Q, n); NaN where one of them is not known."""
    std = bounds.of(scored.ids).std
    return np.array([scored.error(q) / std[q.name] for q in quantities])


def measure_bound(
    scored: Scored,
    bounds: Bounds,
    quantities: tuple[Quantity, ...],
    space: Space,
    *,
    snr: float,
    bins: int,
    least: int = 10,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """How errors compare with the bound.

    Parameters
    ----------
    scored : Scored
    bounds : Bounds
    quantities : tuple of Quantity
    space : Space
    snr : float
        Galaxies of a greater signal-to-noise ratio count, but for ``by_snr``.
    bins : int
        Of ``by_snr``, equal in the logarithm.
    least : int
        Fewer galaxies are not measured.
    bootstrap, seed : int

    Returns
    -------
    dict
        ``galaxies`` that have a bound and count; ``median``, the `typical` ratio of all galaxies
        and quantities together (not of the position angle), with its ``interval``; ``width``, the
        same by the 68.27 % quantile; ``by_parameter`` and ``width_by_parameter``, the position
        angle among them; ``told``, median over galaxies of half the told 68 % interval over the
        bound, by parameter: what the network itself thinks; ``joint``, see
        above; ``by_snr``: a list of bins with ``low``, ``high``, ``galaxies``, ``median``,
        ``by_parameter``.
    """
    names = (*quantities, ANGLE)
    table = ratios(scored, bounds, names)
    level = bounds.of(scored.ids).snr
    there = np.isfinite(table[: len(quantities)]).all(axis=0) & np.isfinite(level)
    out = _ratio_of(table, names, there & (level > snr), least)
    out["interval"] = None
    if out["median"] is not None:
        whole = list(table[: len(quantities), there & (level > snr)])
        out["interval"] = interval(typical, whole, bootstrap, seed)
    out["joint"] = _joint(scored, bounds, space, there & (level > snr), least)
    out["told"] = _told(scored, bounds, names, there & (level > snr), least)
    out["by_snr"] = []
    if there.sum() >= least and level[there].min() > 0:
        edges = np.geomspace(level[there].min(), level[there].max(), bins + 1)
        place = np.clip(np.searchsorted(edges, level, side="right") - 1, 0, bins - 1)
        for k in range(bins):
            part = _ratio_of(table, names, there & (place == k), least)
            if part["median"] is not None:
                ends = {"low": float(edges[k]), "high": float(edges[k + 1])}
                out["by_snr"].append(ends | part)
    return out


def _ratio_of(
    table: np.ndarray, names: tuple[Quantity, ...], chosen: np.ndarray, least: int
) -> dict[str, Any]:
    """Ratios of some galaxies; the last row of the table is the position angle's."""
    whole = table[:-1, chosen]
    enough = chosen.sum() >= least
    out: dict[str, Any] = {
        "galaxies": int(chosen.sum()),
        "median": float(typical(*whole)) if enough else None,
        "width": float(width(whole.ravel())) if enough else None,
        "by_parameter": {},
        "width_by_parameter": {},
    }
    for quantity, row in zip(names, table):
        row = row[chosen & np.isfinite(row)]
        known = len(row) >= least
        out["by_parameter"][quantity.name] = float(typical(row)) if known else None
        out["width_by_parameter"][quantity.name] = float(width(row)) if known else None
    return out


def _joint(
    scored: Scored, bounds: Bounds, space: Space, chosen: np.ndarray, least: int
) -> float | None:
    from scipy.stats import chi2

    some = scored.take(chosen)
    away = mahalanobis(some.deviation(space), bounds.of(some.ids).covariance)
    away = away[np.isfinite(away)]
    if len(away) < least:
        return None
    return float(np.sqrt(np.median(away) / chi2.ppf(0.5, len(space.latents))))


def _told(
    scored: Scored,
    bounds: Bounds,
    names: tuple[Quantity, ...],
    chosen: np.ndarray,
    least: int,
) -> dict[str, float | None]:
    std = bounds.of(scored.ids).std
    out = {}
    for quantity in names:
        told = scored.told[quantity.column]
        half = (quantity.value(told["high68"]) - quantity.value(told["low68"])) / 2
        ratio = half / std[quantity.name]
        ratio = ratio[chosen & np.isfinite(ratio) & np.isfinite(scored.error(quantity))]
        out[quantity.name] = float(np.median(ratio)) if len(ratio) >= least else None
    return out
