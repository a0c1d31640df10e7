"""Figures of the test galaxies: told and true, errors with the bound, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import BLUE, GREY, INK, ORANGE, message, new_figure
from morphosphere.sersic.evaluate.bounds import Bounds
from morphosphere.sersic.evaluate.figures.common import (
    LEAST,
    NETWORK,
    PAINTS,
    panels,
    plain_log,
    running_width,
    symbol,
    wilson,
    with_unit,
)
from morphosphere.sersic.evaluate.measures import INTERVALS
from morphosphere.sersic.evaluate.quantities import ANGLE, Quantity
from morphosphere.sersic.evaluate.scored import Scored
from morphosphere.structure.parameters import Space


def parameters(scored: Scored, quantities: tuple[Quantity, ...], metrics: dict[str, Any]) -> Figure:
    """Told against true value of each parameter; flagged galaxies stand out."""
    if not len(scored):
        return message("no test galaxy has known parameters")
    shown = (*quantities, ANGLE)
    figure, grid = panels(len(shown))
    for axes, quantity in zip(grid, shown):
        true = scored.truth[quantity.column]
        told = scored.told[quantity.column]["median"]
        known = np.isfinite(scored.error(quantity))
        if quantity is ANGLE:  # the shorter way: 179 is beside 1
            told = true + scored.error(quantity)
        flagged = known & ~scored.sound
        plain = known & scored.sound
        size = np.clip(4000 / max(known.sum(), 1), 3, 12)
        axes.scatter(true[plain], told[plain], s=size, color=BLUE, alpha=0.5, linewidths=0,
                     rasterized=True, label="sound")  # fmt: skip
        if flagged.any():
            axes.scatter(true[flagged], told[flagged], s=size + 8, facecolors="none",
                         edgecolors=ORANGE, linewidths=0.8, label="flagged")  # fmt: skip
        if known.any():
            ends = [true[known].min(), true[known].max()]
            axes.plot(ends, ends, color=INK, linewidth=0.8)
        if quantity.scale == "log10":
            plain_log(axes, "xy")
        label = Space.label(quantity.column)
        score = metrics["r2"].get(quantity.name)
        spread = metrics["errors"].get(quantity.name)
        if quantity is ANGLE:
            axes.set_title("of galaxies that are not round")
            said = f"68 % within {spread['width']:.2g} deg" if spread else ""
        else:
            said = "" if score is None else f"R² = {score:.4f}"
        axes.annotate(said, (0.04, 0.95), xycoords="axes fraction", va="top", fontsize=9)
        axes.set(xlabel=f"true {label}", ylabel="told (median)")
    if (scored.flags != 0).any():
        grid[0].legend(fontsize=8, loc="lower right")
    return figure


def errors(
    scored: Scored,
    bounds: Bounds,
    quantities: tuple[Quantity, ...],
    fitters: list[tuple[str, Scored]],
) -> Figure:
    """Size of errors against magnitude: galaxies, their width, the fitters', and the bound."""
    if not len(scored):
        return message("no test galaxy has known parameters")
    shown = (*quantities, ANGLE)
    figure, grid = panels(len(shown))
    magnitude, least = scored.truth["magnitude"], bounds.of(scored.ids).std
    for axes, quantity in zip(grid, shown):
        error = np.abs(scored.error(quantity))
        known = np.isfinite(error) & (error > 0)
        if not known.any():
            continue
        axes.scatter(magnitude[known], error[known], s=4, color=GREY, alpha=0.5, linewidths=0,
                     rasterized=True)  # fmt: skip
        at, spread = running_width(magnitude, error)
        axes.plot(
            at, spread, "o-", color=NETWORK, markersize=4, label=f"network, 68 % of {len(scored)}"
        )
        for (name, fitted), paint in zip(fitters, PAINTS[1:]):
            at, spread = running_width(fitted.truth["magnitude"], fitted.error(quantity), 5)
            axes.plot(
                at, spread, "s--", color=paint, markersize=4, label=f"{name}, 68 % of {len(fitted)}"
            )
        low = least[quantity.name]
        low = np.where(np.isfinite(error), low, np.nan)  # of the same galaxies
        at, middle = _running_median(magnitude, low)
        axes.plot(at, middle, color=INK, linewidth=1.6, label="Cramér-Rao bound, median")
        plain_log(axes)
        floor = np.nanquantile(error[known], 0.02)
        if len(middle):
            floor = min(floor, 0.7 * middle.min())
        axes.set_ylim(0.8 * floor, 1.3 * max(error[known].max(), axes.dataLim.y1))
        axes.set(xlabel="true magnitude")
        axes.set_ylabel(with_unit(f"error of {symbol(quantity)}", quantity.unit))
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8.5)
    return figure


def _running_median(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(at) & np.isfinite(values)
    if known.sum() < LEAST:
        return np.empty(0), np.empty(0)
    at, values = at[known], values[known]
    parts = np.array_split(np.argsort(at, kind="stable"), max(1, min(12, len(at) // LEAST)))
    return (
        np.array([np.median(at[part]) for part in parts]),
        np.array([np.median(values[part]) for part in parts]),
    )


def bound(found: dict[str, Any], quantities: tuple[Quantity, ...], snr: float) -> Figure:
    """Typical error in units of the bound against signal-to-noise ratio, and what is told."""
    bins = found["by_snr"]
    if not bins:
        return message("too few test galaxies with a Cramér-Rao bound")
    figure = new_figure(9.4, 3.8)
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    at = [np.sqrt(one["low"] * one["high"]) for one in bins]
    for quantity, paint in zip((*quantities, ANGLE), (*PAINTS[: len(quantities)], GREY)):
        values = [one["by_parameter"][quantity.name] for one in bins]
        left.plot(at, [np.nan if v is None else v for v in values], "o-", color=paint,
                  markersize=4, linewidth=1.2, label=symbol(quantity))  # fmt: skip
    left.plot(at, [one["median"] for one in bins], color=INK, linewidth=2.2, label="all")
    left.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    for one in bins:
        left.annotate(f"n={one['galaxies']}", (np.sqrt(one["low"] * one["high"]), 0.01),
                      xycoords=("data", "axes fraction"), ha="center", va="bottom",
                      fontsize=7)  # fmt: skip
    plain_log(left, "xy")
    left.axvspan(left.get_xlim()[0], max(snr, left.get_xlim()[0]), color="#f1f3f5", zorder=-2)
    left.set(xlabel="signal-to-noise ratio", ylabel="typical error / bound")
    left.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    rows = np.arange(len(quantities) + 1)
    for key, mark, paint, words in (
        ("by_parameter", "o", BLUE, "error, median"),
        ("width_by_parameter", "D", GREY, "error, 68 %"),
        ("told", "|", ORANGE, "told standard deviation"),
    ):
        values = [found[key].get(q.name) for q in (*quantities, ANGLE)]
        values = [np.nan if v is None else v for v in values]
        right.plot(values, rows, mark, color=paint, fillstyle="none" if mark == "D" else "full",
                   markersize=12 if mark == "|" else 6,
                   markeredgewidth=2.2 if mark == "|" else 1, label=words)  # fmt: skip
    right.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    right.set_yticks(rows, [symbol(q) for q in (*quantities, ANGLE)])
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set_xlim(0, None)
    right.set(xlabel=f"over bound, S/N > {snr:g}")
    right.legend(fontsize=8, loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)
    return figure


def calibration(
    scored: Scored, quantities: tuple[Quantity, ...], by_snr: list[dict[str, Any]]
) -> Figure:
    """Share of true values inside the intervals: of each parameter, and by signal-to-noise.

    Parameters
    ----------
    scored : Scored
    quantities : tuple of Quantity
    by_snr : list of dict
        As `measures.coverage_by_snr` gives them.
    """
    names = (*quantities, ANGLE)
    if not any(np.isfinite(scored.inside(q.column, "68")).any() for q in names):
        return message("no interval of a test galaxy can be compared with its truth")
    figure = new_figure(9.4, 3.8)
    left, right = figure.subplots(1, 2)
    rows = np.arange(len(names))
    for name, paint in zip(INTERVALS, (BLUE, ORANGE)):
        for row, quantity in zip(rows, names):
            inside = scored.inside(quantity.column, name)
            inside = inside[np.isfinite(inside)]
            if not len(inside):
                continue
            ends = 100 * np.array(wilson(inside.sum(), len(inside)))
            left.plot(ends, [row, row], color=paint, linewidth=2)
            left.plot(100 * inside.mean(), row, "o", color=paint,
                      label=f"{name} % interval" if row == 0 else None)  # fmt: skip
        left.axvline(float(name), color=paint, linewidth=1, linestyle=":")
        right.axhline(float(name), color=paint, linewidth=1, linestyle=":")
    left.set_yticks(rows, [quantity.words for quantity in names])
    left.set_ylim(len(rows) - 0.5, -0.5)
    left.set(xlabel="true values inside [%]; dotted: as it should be")
    left.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    if by_snr:
        for name, paint in zip(INTERVALS, (BLUE, ORANGE)):
            at = [one["snr"] for one in by_snr]
            right.plot(at, [100 * one[name] for one in by_snr], "o-", color=paint)
        plain_log(right, "x")
        right.set(xlabel="signal-to-noise ratio", ylabel="inside, all parameters [%]")
    else:
        right.set_axis_off()
    return figure
