"""Figures of images: reconstructions, most similar images, outliers."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import (
    BLUE,
    ORANGE,
    STYLE,
    as_rgb,
    message,
    new_figure,
    show,
)
from morphosphere.evaluate.inputs import Inputs

_COLUMNS = 10
_QUERIES = 7
_NEIGHBOURS = 8
_OUTLIERS = (4, 8)


@rc_context(STYLE)
def reconstructions(inputs: Inputs, held_out: np.ndarray, seed: int) -> Figure:
    """Held-out images; what the decoder draws at their places, turned like them, and as drawn."""
    if not len(held_out):
        return message("No held-out images: more galaxies are needed.")
    rows = _some(held_out, _COLUMNS, seed)
    images = inputs.transformed(rows)
    placed = inputs.model.place(images)
    canonical = inputs.model.decode(placed.position)
    lines = (
        ("image", images),
        ("reconstruction", placed.reconstruction),
        ("as drawn", canonical),
    )
    figure = new_figure(1.15 * len(rows) + 0.4, 3.9)
    grid = figure.subplots(len(lines), len(rows), squeeze=False)
    for axes_row, (name, pictures) in zip(grid, lines):
        for number, (axes, picture) in enumerate(zip(axes_row, as_rgb(pictures))):
            error = placed.reconstruction_error[number]
            angle = f"{placed.angle[number]:.0f}°" + (" mirrored" if placed.flip[number] else "")
            captions = {"image": "", "reconstruction": f"L1 {error:.4f}", "as drawn": angle}
            show(axes, picture, captions[name])
        axes_row[0].set_ylabel(name)
    return figure


@rc_context(STYLE)
def neighbours(inputs: Inputs, held_out: np.ndarray, seed: int) -> Figure:
    """Held-out images with their most similar images, nearest first."""
    listed = inputs.catalogue.read(["neighbours", "image_id"])
    near, names = listed["neighbours"], listed["image_id"]
    rows = _some(held_out if len(held_out) else np.arange(len(inputs)), _QUERIES, seed)
    rows = rows[(near[rows] >= 0).any(axis=1)]
    if not len(rows):
        return message("There is one galaxy only: no image has neighbours.")
    columns = min(_NEIGHBOURS, near.shape[1])
    figure = new_figure(1.15 * (columns + 1) + 0.2, 1.28 * len(rows))
    grid = figure.subplots(len(rows), columns + 1, squeeze=False)
    for axes_row, row in zip(grid, rows):
        shown = np.concatenate([[row], near[row, :columns]])
        pictures = as_rgb(inputs.transformed(np.maximum(shown, 0)))
        for number, (axes, picture, image) in enumerate(zip(axes_row, pictures, shown)):
            if image < 0:
                axes.axis("off")
                continue
            show(axes, picture, _short(names[image]), BLUE if number == 0 else None)
    grid[0, 0].set_title("image")
    if columns:
        grid[0, 1].set_title("most similar", loc="left")
    return figure


@rc_context(STYLE)
def outliers(inputs: Inputs) -> Figure:
    """The images that stand apart most, one of each galaxy."""
    columns = inputs.catalogue.read(["outlier_score", "image_id"])
    score = columns["outlier_score"]
    known = np.flatnonzero(np.isfinite(score))
    if not len(known):
        return message("There is one galaxy only: no image has an outlier score.")
    ranked = known[np.argsort(-score[known], kind="stable")]
    # One image of each galaxy: its most outstanding.
    first = np.sort(np.unique(inputs.galaxies[ranked], return_index=True)[1])
    shown = ranked[first][: _OUTLIERS[0] * _OUTLIERS[1]]
    lines = -(-len(shown) // _OUTLIERS[1])
    figure = new_figure(1.25 * _OUTLIERS[1], 1.45 * lines)
    grid = figure.subplots(lines, _OUTLIERS[1], squeeze=False).ravel()
    for axes, picture, row in zip(grid, as_rgb(inputs.transformed(shown)), shown):
        show(axes, picture, f"{_short(columns['image_id'][row])}\n{score[row]:.2f}", ORANGE)
    for axes in grid[len(shown) :]:
        axes.axis("off")
    return figure


def _some(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    if len(rows) <= count:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"
