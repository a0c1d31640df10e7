"""Figures of numbers: the type, told and true, and the domain distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from morphosphere.evaluate.figures.style import BLUE, GREY, INK, ORANGE, message, new_figure
from morphosphere.surveys.evaluate.domain import groups_of
from morphosphere.surveys.evaluate.figures.common import log_axis
from morphosphere.surveys.evaluate.ordinal import Typed
from morphosphere.surveys.evaluate.scored import Survey

#: Fewer images of a type than this have no spread of their own.
_LEAST = 5
_WORDS = {
    "training": "labelled survey, training",
    "labelled": "labelled survey, held out",
    "target": "target survey",
}


def types(typed: Typed, metrics: dict[str, Any]) -> Figure:
    """Told against true type: a map of counts with the median and 68 % of what is told."""
    if not len(typed):
        return message("the model tells no type, or no true type of the test images is known")
    true, said = typed.true, typed.said["median"]
    figure = new_figure(5.6, 5.0)
    axes = figure.subplots()
    low, high = np.floor(min(true.min(), said.min())), np.ceil(max(true.max(), said.max()))
    across = np.arange(low - 0.5, high + 1)  # types are numbers in steps of one
    up = np.linspace(low - 0.5, high + 0.5, 2 * len(across) - 1)
    counts = np.histogram2d(true, said, bins=[across, up])[0]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawn = axes.pcolormesh(across, up, np.where(counts > 0, share, np.nan).T, cmap="Blues", vmin=0)
    axes.plot([low, high], [low, high], color=INK, linewidth=0.8)
    place = np.digitize(true, across) - 1
    rows = [k for k in range(len(across) - 1) if (place == k).sum() >= _LEAST]
    if rows:
        bands = np.array([np.quantile(said[place == k], [0.16, 0.5, 0.84]) for k in rows])
        at = across[rows] + 0.5
        spread = np.abs(bands[:, [0, 2]] - bands[:, [1]]).T
        axes.errorbar(at, bands[:, 1], spread, fmt="o", color=ORANGE, markersize=4.5)
    error, constant = metrics["type_mae"], metrics["type_mae_median_of_training"]
    title = f"{len(typed)} test images: mean absolute error {error:.2f}"
    if constant is not None:
        title += f"\nalways saying the median of training: {constant:.2f}"
    axes.set(xlabel="true type", ylabel="told (median of the posterior)", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(drawn, ax=axes, label="share of the true type", fraction=0.05)
    return figure


def domain(surveys: dict[str, Survey], limit: float) -> Figure:
    """Distribution of the domain distance in both surveys, with the limit of the model."""
    groups = groups_of(surveys)
    if not groups:
        return message("no domain distance of the images is known")
    figure = new_figure(6.6, 3.8)
    axes = figure.subplots()
    values = [(name, np.maximum(s.distance[mask], 1e-3), s, mask) for name, mask, s in groups]
    every = np.concatenate([one[1] for one in values])
    low, high = np.quantile(every, [0.001, 1.0])
    edges = np.geomspace(0.9 * low, 1.1 * max(high, limit), 51)
    paint = {"training": GREY, "labelled": BLUE, "target": ORANGE}
    for name, distance, survey, mask in values:
        outliers = survey.outlier[mask].mean()
        weight = np.full(len(distance), 1 / len(distance))
        words = f"{_WORDS[name]} ({len(distance)}): {outliers:.1%} unlike"
        axes.hist(distance, edges, weights=weight, histtype="step", color=paint[name],
                  linewidth=1.6, label=words)  # fmt: skip
    axes.axvline(limit, color=INK, linewidth=0.9, linestyle="--")
    axes.annotate("limit", (limit, 0.97), xycoords=("data", "axes fraction"), fontsize=8,
                  xytext=(4, 0), textcoords="offset points", va="top")  # fmt: skip
    axes.set(xscale="log", xlabel="domain distance of the image", ylabel="share of images")
    log_axis(axes.xaxis, edges[0], edges[-1])
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))
    return figure
