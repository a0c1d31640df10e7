"""Figures that compare: with images, with other codes, with real galaxies, by magnitude."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import GREY, INK, ORANGE, message, new_figure
from morphosphere.sersic.evaluate.euclid import KINDS
from morphosphere.sersic.evaluate.figures.common import (
    FITTERS,
    GREEN,
    NETWORK,
    PAINTS,
    panels,
    plain_log,
    symbol,
    with_unit,
)
from morphosphere.sersic.evaluate.peers import Peer, alike
from morphosphere.sersic.evaluate.quantities import ANGLE, ROUND, Quantity
from morphosphere.sersic.evaluate.real import Real
from morphosphere.sersic.evaluate.residuals import Compared
from morphosphere.sersic.evaluate.scored import Scored
from morphosphere.structure.parameters import Space

_MEASURES = ("bias", "dispersion", "outliers")
#: Residuals are shown up to so many standard deviations.
_SIGMAS = 5


def residuals(groups: list[tuple[str, Scored, list[Compared]]]) -> Figure:
    """Image, model from the told parameters, difference over the noise; groups one below another.

    Parameters
    ----------
    groups : list of (title, Scored, list of Compared)
    """
    groups = [group for group in groups if group[2]]
    if not groups:
        return message("no test galaxy has all that drawing its model needs")
    width = max(len(found) for _, _, found in groups)
    figure = new_figure(1.75 * width + 0.9, 5.6 * len(groups))
    drawn = None
    for part, (title, scored, found) in zip(np.atleast_1d(figure.subfigures(len(groups))), groups):
        grid = part.subplots(3, width, squeeze=False)
        part.suptitle(title, fontsize=10.5, color=INK)
        for k, line in enumerate(grid.T):
            if k >= len(found):
                for axes in line:
                    axes.set_axis_off()
                continue
            one = found[k]
            top = np.nanmax(one.model)
            for axes, image in zip(line, (one.data, one.model)):
                _picture(axes, np.arcsinh(image / (2 * one.sky_noise)),
                         -1, np.arcsinh(top / (2 * one.sky_noise)), "gray")  # fmt: skip
            drawn = _picture(line[2], one.residual, -_SIGMAS, _SIGMAS, "RdBu_r")
            line[0].set_title(_caption(scored, one.place), fontsize=7.5)
            line[2].set_xlabel(f"mean square {one.chi2:.2f}", fontsize=7.5, labelpad=2)
        for axes, words in zip(grid[:, 0], ("image", "model", "difference / noise")):
            axes.set_ylabel(words, fontsize=8.5)
        part.colorbar(
            drawn, ax=list(grid.ravel()), fraction=0.02, aspect=40, label="standard deviations"
        )
    return figure


def _picture(axes: Axes, image: np.ndarray, low: float, high: float, colours: str) -> Any:
    drawn = axes.imshow(image, vmin=low, vmax=high, cmap=colours, interpolation="antialiased")
    axes.set(xticks=[], yticks=[], facecolor="#c9ced4")
    for spine in axes.spines.values():
        spine.set_visible(False)
    return drawn


def _caption(scored: Scored, k: int) -> str:
    said = {name: told["median"][k] for name, told in scored.told.items()}
    true = {name: values[k] for name, values in scored.truth.items()}
    lines = []
    for name, letter, form in (
        ("magnitude", "m", ".2f"),
        ("radius", "r", ".2f"),
        ("sersic_index", "n", ".2f"),
        ("bulge_to_total", "B/T", ".2f"),
        ("axis_ratio", "q", ".2f"),
    ):
        if name in said:
            known = f" ({true[name]:{form}})" if np.isfinite(true[name]) else ""
            lines.append(f"{letter} {said[name]:{form}}{known}")
    return "\n".join(lines)


def euclid(scores: list[tuple[str, str, dict[str, Any]]]) -> Figure:
    """Bias, dispersion and share of outliers of each parameter by magnitude, for each code.

    Parameters
    ----------
    scores : list of (str, str, dict)
        Words for the code; ``all`` for the network on all galaxies, ``same`` for it on those of a
        fitter, ``fitter``; what `euclid.measure_euclid` gives.
    """
    shown = [one for one in scores if one[2]["by_magnitude"]]
    if not shown:
        return message("too few test galaxies for a bin of magnitude")
    columns = [name for name in KINDS if name in shown[0][2]["by_magnitude"][0]]
    figure = new_figure(2.5 * len(columns) + 0.5, 6.2)
    grid = figure.subplots(3, len(columns), sharex=True, squeeze=False)
    paints = iter(FITTERS)
    for name, kind, found in shown:
        paint = next(paints) if kind == "fitter" else NETWORK
        style = "o--" if kind == "same" else "o-"
        bins = found["by_magnitude"]
        at = [0.5 * (one["low"] + one["high"]) for one in bins]
        for k, column in enumerate(columns):
            for axes, key in zip(grid[:, k], _MEASURES):
                axes.plot(at, [one[column][key] for one in bins], style, color=paint,
                          markersize=4, linewidth=1.2, label=name)  # fmt: skip
    for k, column in enumerate(columns):
        grid[0, k].axhline(0, color=INK, linewidth=0.8, linestyle=":")
        kind = "mag" if column == "magnitude" else KINDS[column]
        scores = [f"{one[column]:.2g}" for *_, one in shown if one.get(column) is not None]
        lines = [Space.label(column).partition(" [")[0], f"({kind})"]
        lines.append(f"S = {', '.join(scores)}" if scores else "")
        grid[0, k].set_title("\n".join(lines), fontsize=9.5)
        grid[2, k].set_xlabel("true magnitude")
        grid[1, k].set_ylim(0, None)
        grid[2, k].set_ylim(-0.02, max(0.1, grid[2, k].get_ylim()[1]))
    for axes, key in zip(grid[:, 0], _MEASURES):
        axes.set_ylabel("share of outliers" if key == "outliers" else key)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8.5)
    return figure


def peers(
    found: list[Peer], quantities: tuple[Quantity, ...], metrics: dict[str, dict[str, Any]]
) -> Figure:
    """Cumulative distribution of the errors of network and fitters, and their ratio to the bound.

    Parameters
    ----------
    found : list of Peer
    quantities : tuple of Quantity
    metrics : dict
        Name of a fitter to what `peers.measure_peer` gives.
    """
    if not found:
        return message("no classical fitter was run")
    shown = (*quantities, ANGLE)
    figure, grid = panels(len(shown) + 1)
    groups = alike(found)
    for axes, quantity in zip(grid, shown):
        for peer, paint in zip(found, FITTERS):
            _curve(axes, peer.fitter, quantity, paint, "-", peer.name)
        for group, style in zip(groups, ("-", "--", ":", "-.")):
            names = ", ".join(peer.name for peer in group)
            words = "network" if len(groups) == 1 else f"network, galaxies of {names}"
            _curve(axes, group[0].network, quantity, NETWORK, style, words)
        plain_log(axes, "x")
        axes.axhline(0.6827, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(ylim=(0, 1.02), ylabel="share of galaxies below")
        axes.set_xlabel(with_unit(f"error of {symbol(quantity)}", quantity.unit))
    _ratios(grid[-1], found, metrics)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8.5)
    return figure


def _ratios(axes: Axes, found: list[Peer], metrics: dict[str, dict[str, Any]]) -> None:
    """Typical errors over the bound: of each fitter, and of the network on what it fitted."""
    rows = np.arange(len(found))
    for row, peer, paint in zip(rows, found, FITTERS):
        one = metrics[peer.name]
        for value, colour in (
            (one["bound_ratio"], paint),
            (one["network"]["bound_ratio"], NETWORK),
        ):
            if value is not None:
                axes.plot(value, row, "o", color=colour)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    words = [f"{p.name}\n{p.failed.sum()} of {len(p.failed)}\nfail" for p in found]
    axes.set_yticks(rows, words, fontsize=8.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.1 * max(axes.get_xlim()[1], 1))
    axes.set_xlabel("typical error / bound, of bright galaxies")


def _curve(
    axes: Axes, scored: Scored, quantity: Quantity, paint: str, style: str, words: str
) -> None:
    """Share of all galaxies with a smaller error; those that nothing is told of never join."""
    known = np.isfinite(scored.truth[quantity.column])
    if quantity is ANGLE:
        known &= scored.truth["axis_ratio"] <= ROUND
    error = np.abs(scored.error(quantity))[known]
    told = np.sort(error[np.isfinite(error) & (error > 0)])
    if len(told):
        share = (np.arange(1, len(told) + 1) + np.sum(error == 0)) / known.sum()
        axes.plot(told, share, style, color=paint, linewidth=1.4, label=words)


def real(sets: dict[str, Real], quantities: tuple[Quantity, ...]) -> Figure:
    """Told against catalogued parameters of real galaxies: before and after adaptation, fitters."""
    sets = {name: found for name, found in sets.items() if len(found.before)}
    if not sets:
        return message("no real galaxies with known parameters are in the configuration")
    figure = new_figure(2.9 * len(quantities) + 0.4, 3.1 * len(sets) + 0.5)
    grid = figure.subplots(len(sets), len(quantities), squeeze=False)
    for (name, found), line in zip(sets.items(), grid):
        for axes, quantity in zip(line, quantities):
            codes = [("network", found.before, NETWORK, "o")]
            if found.after is not None:
                codes.append(("network, adapted", found.after, ORANGE, "D"))
            codes += [
                (peer.name, peer.fitter, paint, "x")
                for peer, paint in zip(found.peers, (GREEN, *PAINTS[3:]))
            ]
            ends = []
            for words, scored, paint, mark in codes:
                true = scored.truth[quantity.column]
                told = scored.told[quantity.column]["median"]
                known = np.isfinite(true) & np.isfinite(told)
                fill = "full" if mark == "x" else "none"
                axes.plot(true[known], told[known], mark, color=paint, fillstyle=fill,
                          markersize=4.5, alpha=0.8, label=words)  # fmt: skip
                ends += [true[known], told[known]] if words == "network" else []
            every = np.concatenate(ends) if ends else np.empty(0)
            if len(every):
                low, high = every.min(), every.max()
                axes.plot([low, high], [low, high], color=INK, linewidth=0.8)
                if quantity.scale == "log10" and low > 0:
                    axes.set(xlim=(0.8 * low, 1.25 * high), ylim=(0.8 * low, 1.25 * high))
                    plain_log(axes, "xy")
                else:
                    room = 0.06 * (high - low)
                    axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room))
            axes.set_xlabel(f"catalogue: {Space.label(quantity.column)}", fontsize=8.5)
        line[0].set_ylabel(f"told ({name})")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8.5)
    return figure
