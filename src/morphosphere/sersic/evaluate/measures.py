"""Errors of told parameters, and whether intervals cover as often as they say.

A galaxy counts for a quantity where its truth is known and something is told; how many galaxies
nothing is told of stands beside (``untold``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.sersic.evaluate.bootstrap import interval
from morphosphere.sersic.evaluate.quantities import ANGLE, Quantity
from morphosphere.sersic.evaluate.scored import Scored, mahalanobis
from morphosphere.structure.parameters import Space

#: Share of a normal distribution within one standard deviation of its mean.
ONE_SIGMA = 0.6827
#: Central intervals that are told.
INTERVALS = ("68", "95")


def r_squared(told: np.ndarray, true: np.ndarray, axis: int = -1) -> np.ndarray:
    """Coefficient of determination, 1 - sum (told - true)^2 / sum (true - mean of true)^2.

    1 is exact, 0 no better than always telling the mean; below 0 it is worse. NaN where all true
    values are the same.
    """
    rest = np.sum((told - true) ** 2, axis=axis)
    total = np.sum((true - true.mean(axis=axis, keepdims=True)) ** 2, axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - rest / np.where(np.ptp(true, axis=axis) > 0, total, np.nan)


def width(error: np.ndarray, axis: int = -1) -> np.ndarray:
    """The 68.27 % quantile of the size of errors: one standard deviation of normal errors.

    It is taken about 0 and not about the mean of the errors, so a bias adds to it.
    """
    return np.quantile(np.abs(error), ONE_SIGMA, axis=axis)


def finite(value: Any) -> float | None:
    """A number for JSON, None where there is none."""
    return float(value) if np.isfinite(value) else None


def measure(
    scored: Scored,
    quantities: tuple[Quantity, ...],
    *,
    least: int = 3,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """R^2, errors and coverage of some galaxies.

    Parameters
    ----------
    scored : Scored
    quantities : tuple of Quantity
    least : int
        What is known of fewer galaxies is None.
    bootstrap : int
        Draws of galaxies for the 95 % intervals.
    seed : int

    Returns
    -------
    dict
        ``galaxies`` (of all), ``untold`` (of which a quantity is known, but nothing is told);
        ``r2`` of each quantity on its scale; ``errors`` of each and of the position angle: ``bias``
        (median of told minus true), ``width`` (see `width`), ``galaxies``; ``coverage``, see
        `coverage`; ``intervals`` of r2 and coverage.
    """
    untold = np.zeros(len(scored), bool)
    out: dict[str, Any] = {"galaxies": len(scored), "untold": 0, "r2": {}, "errors": {}}
    within: dict[str, Any] = {"r2": {}}
    for quantity in (*quantities, ANGLE):
        untold |= scored.told_of(quantity) == 0
        error = scored.error(quantity)
        known = np.isfinite(error)
        if enough := known.sum() >= least:
            out["errors"][quantity.name] = {
                "bias": float(np.median(error[known])),
                "width": float(width(error[known])),
                "galaxies": int(known.sum()),
            }
        else:
            out["errors"][quantity.name] = None
        if quantity is ANGLE:
            continue
        out["r2"][quantity.name] = within["r2"][quantity.name] = None
        if enough:
            true = quantity.value(scored.truth[quantity.column])[known]
            told = quantity.value(scored.told[quantity.column]["median"])[known]
            out["r2"][quantity.name] = finite(r_squared(told, true))
            within["r2"][quantity.name] = interval(r_squared, [told, true], bootstrap, seed)
    out["untold"] = int(untold.sum())
    out["coverage"], within["coverage"] = coverage(
        scored, quantities, least=least, bootstrap=bootstrap, seed=seed
    )
    return out | ({"intervals": within} if bootstrap else {})


def coverage(
    scored: Scored,
    quantities: tuple[Quantity, ...],
    *,
    least: int = 3,
    bootstrap: int = 0,
    seed: int = 0,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Share of true values inside the central 68 and 95 % intervals.

    Returns
    -------
    found : dict
        ``68`` and ``95`` of all parameters together, the position angle of all galaxies among them;
        {``68``, ``95``} of each parameter.
    within : dict
        95 % intervals of the first two; galaxies are drawn, with all of their parameters.
    """
    found: dict[str, Any] = dict.fromkeys(INTERVALS)
    within: dict[str, Any] = dict.fromkeys(INTERVALS)
    names = (*quantities, ANGLE)
    for name in INTERVALS:
        table = np.array([scored.inside(quantity.column, name) for quantity in names])
        known = np.isfinite(table)
        whole = known.any(axis=0)
        if whole.sum() >= least:
            found[name] = float(table[known].mean())
            shares = np.nansum(table[:, whole], axis=0), known[:, whole].sum(axis=0)
            within[name] = interval(_share, list(shares), bootstrap, seed)
        for quantity, row, there in zip(names, table, known):
            share = float(row[there].mean()) if there.sum() >= least else None
            found.setdefault(quantity.name, {})[name] = share
    return found, within


def _share(inside: np.ndarray, number: np.ndarray, axis: int = -1) -> np.ndarray:
    return inside.sum(axis=axis) / number.sum(axis=axis)


def joint_coverage(scored: Scored, space: Space, *, least: int = 3) -> dict[str, float | None]:
    """Share of galaxies whose true latent parameters lie inside the 68 and 95 % ellipsoids.

    It tests the whole told covariance, where intervals of single parameters test its diagonal.
    """
    from scipy.stats import chi2

    found = mahalanobis(scored.deviation(space), scored.covariance)
    found = found[np.isfinite(found)]
    if len(found) < least:
        return dict.fromkeys(INTERVALS)
    limits = (chi2.ppf(int(name) / 100, len(space.latents)) for name in INTERVALS)
    return {name: float((found <= limit).mean()) for name, limit in zip(INTERVALS, limits)}


def coverage_by_snr(
    scored: Scored, quantities: tuple[Quantity, ...], *, bins: int, least: int = 3
) -> list[dict[str, Any]]:
    """Coverage of all parameters in bins of equally many galaxies by signal-to-noise ratio.

    Returns
    -------
    list of dict
        ``low``, ``high``, ``snr`` (median), ``galaxies``, ``68``, ``95``.
    """
    snr = scored.about.get("snr", np.full(len(scored), np.nan)).astype(np.float64)
    order = np.flatnonzero(np.isfinite(snr))
    order = order[np.argsort(snr[order], kind="stable")]
    out = []
    for part in np.array_split(order, max(1, min(bins, len(order) // least))):
        found = coverage(scored.take(part), quantities, least=least)[0]
        if found["68"] is not None:
            level = snr[part]
            ends = {"low": float(level[0]), "high": float(level[-1])}
            counts = {"snr": float(np.median(level)), "galaxies": len(part)}
            out.append(ends | counts | {name: found[name] for name in INTERVALS})
    return out
