"""Figures of numbers: loss curves, k-NN scores, rotation scatter."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import BLUE, GREY, INK, ORANGE, STYLE, message, new_figure

#: Properties in the figure of k-NN scores at most.
MAX_BARS = 24
_SETS = {
    "train": ("training", GREY),
    "validation": ("validation", BLUE),
    "val": ("validation", BLUE),
}


@rc_context(STYLE)
def losses(training: Path) -> Figure:
    """Every quantity of the training's log against the epoch, training beside validation."""
    series = read_log(training / "metrics.csv")
    if not series:
        return message("The training left no log with losses (metrics.csv).")
    names = sorted({name for name, _ in series}, key=lambda n: (n != "loss", n))
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    figure = new_figure(3.6 * columns, 2.6 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(grid, names):
        for part, (label, colour) in _SETS.items():
            if (name, part) in series:
                epochs, values = zip(*sorted(series[name, part].items()))
                marker = "o" if len(epochs) < 30 else None
                axes.plot(epochs, values, color=colour, label=label, marker=marker, ms=3)
        axes.set(title=name.replace("_", " "), xlabel="epoch")
        axes.grid(True)
        axes.xaxis.get_major_locator().set_params(integer=True)
    grid[0].legend()
    for axes in grid[len(names) :]:
        axes.axis("off")
    return figure


def read_log(path: Path) -> dict[tuple[str, str], dict[int, float]]:
    """Curves of a CSV log: (quantity, "train" or "validation") to {epoch: mean value}.

    Columns are ``<set>/<quantity>`` or ``<set>_<quantity>``; empty cells are skipped. Empty if
    there is no such file or column.
    """
    if not path.is_file():
        return {}
    values: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    with open(path, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            for column, cell in row.items():
                part, name = _part_and_name(column or "")
                if part and cell and row.get("epoch"):
                    number = float(cell)
                    if math.isfinite(number):
                        values[name, part][int(float(row["epoch"]))].append(number)
    return {
        key: {epoch: float(np.mean(v)) for epoch, v in curve.items()}
        for key, curve in values.items()
    }


def _part_and_name(column: str) -> tuple[str, str]:
    for part in _SETS:
        for separator in ("/", "_"):
            if column.startswith(part + separator):
                name = column[len(part) + 1 :]
                return part, name.removesuffix("_epoch")
    return "", ""


@rc_context(STYLE)
def knn(scores: dict[str, dict[str, float | None]]) -> Figure:
    """Bars of R^2 for each property: sphere, feature vector, random placement."""
    known = {
        name: value
        for name, value in scores["sphere"].items()
        if value is not None and scores["features"][name] is not None
    }
    if not known:
        return message("No property is known for enough held-out galaxies to be compared.")
    names = sorted(known, key=lambda n: max(known[n], scores["features"][n]), reverse=True)
    shown = names[:MAX_BARS][::-1]
    figure = new_figure(7.2, 1.4 + 0.36 * len(shown))
    axes = figure.subplots()
    at = np.arange(len(shown))
    bars = (("random", GREY, "random placement"), ("features", ORANGE, "feature vector"),
            ("sphere", BLUE, "sphere"))  # fmt: skip
    for offset, (space, colour, label) in zip((-0.27, 0.0, 0.27), bars):
        values = [scores[space][name] for name in shown]
        axes.barh(at + offset, values, 0.25, color=colour, label=label)
        for y, value in zip(at + offset, values):
            if value > 0.02:
                axes.text(value + 0.008, y, f"{value:.2f}", va="center", fontsize=6.5, color=INK)
    axes.set_yticks(at, [name.replace("_", " ") for name in shown])
    low = min(0, *(scores[s][n] for s, _, _ in bars for n in shown))
    axes.set(xlim=(max(low, -0.3) - 0.02, 1.0), ylim=(-0.6, len(shown) - 0.4))
    axes.axvline(0, color=INK, lw=0.8)
    axes.grid(True, axis="x")
    axes.set_xlabel("$R^2$ of held-out galaxies from their nearest neighbours")
    handles, labels = axes.get_legend_handles_labels()
    title = f"the best {len(shown)} of {len(names)} properties" if len(names) > len(shown) else None
    figure.legend(handles[::-1], labels[::-1], loc="outside upper center", ncols=3, title=title)
    return figure


@rc_context(STYLE)
def rotation(angles: np.ndarray) -> Figure:
    """Histogram of the angles by which turned copies move on the sphere."""
    if not angles.size:
        return message("No held-out images to turn: more galaxies are needed.")
    angles = np.maximum(angles.ravel(), 1e-3)
    low, high = np.log10(angles.min()) - 0.05, np.log10(angles.max()) + 0.05
    figure = new_figure(6.4, 3.4)
    axes = figure.subplots()
    axes.hist(angles, bins=np.logspace(low, high, 50), color=BLUE, alpha=0.85)
    for value, name, style in (
        (np.median(angles), "median", "-"),
        (np.percentile(angles, 90), "90th percentile", "--"),
    ):
        axes.axvline(value, color=ORANGE, ls=style, lw=1.8, label=f"{name}: {value:.2f}°")
    axes.set(xscale="log", xlabel="angle on the sphere from the image to its copy [deg]")
    axes.set_ylabel("turned and mirrored copies")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.legend()
    return figure
