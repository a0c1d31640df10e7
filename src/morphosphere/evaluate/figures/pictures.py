"""Figures of images: reconstructions, most similar images, outliers."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import (
    BLUE,
    ORANGE,
    STYLE,
    message,
    new_figure,
    show,
)
from morphosphere.evaluate.inputs import Inputs
from morphosphere.pictures import rgb

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
        for number, (axes, picture) in enumerate(zip(axes_row, rgb(pictures))):
            error = placed.reconstruction_error[number]
            angle = f"{placed.angle[number]:.0f}°" + (" mirrored" if placed.flip[number] else "")
            captions = {"image": "", "reconstruction": f"L1 {error:.4f}", "as drawn": angle}
            show(axes, picture, captions[name])
        axes_row[0].set_ylabel(name)
    return figure


@rc_context(STYLE)
def neighbours(inputs: Inputs, held_out: np.ndarray, seed: int) -> Figure:
    """Held-out images with their most similar images, nearest first."""
    rows = _some(held_out if len(held_out) else np.arange(len(inputs)), _QUERIES, seed)
    near = inputs.columns(["neighbours"], rows)["neighbours"]
    some = (near >= 0).any(axis=1)
    rows, near = rows[some], near[some]
    if not len(rows):
        return message("There is one galaxy only: no image has neighbours.")
    columns = min(_NEIGHBOURS, near.shape[1])
    figure = new_figure(1.15 * (columns + 1) + 0.2, 1.28 * len(rows))
    grid = figure.subplots(len(rows), columns + 1, squeeze=False)
    shown = np.concatenate([rows[:, None], near[:, :columns]], axis=1)
    names = inputs.columns(["image_id"], np.maximum(shown, 0).ravel())["image_id"]
    for axes_row, images, labels in zip(grid, shown, names.reshape(shown.shape)):
        pictures = rgb(inputs.transformed(np.maximum(images, 0)))
        for number, axes in enumerate(axes_row):
            if images[number] < 0:
                axes.axis("off")
                continue
            frame = BLUE if number == 0 else None
            show(axes, pictures[number], _short(labels[number]), frame)
    grid[0, 0].set_title("image")
    if columns:
        grid[0, 1].set_title("most similar", loc="left")
    return figure


@rc_context(STYLE)
def outliers(inputs: Inputs) -> Figure:
    """The images that stand apart most, one of each galaxy."""
    score = inputs.catalogue.read(["outlier_score"])["outlier_score"]
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
    names = inputs.columns(["image_id"], shown)["image_id"]
    for axes, picture, name, row in zip(grid, rgb(inputs.transformed(shown)), names, shown):
        show(axes, picture, f"{_short(name)}\n{score[row]:.2f}", ORANGE)
    for axes in grid[len(shown) :]:
        axes.axis("off")
    return figure


def _some(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    if len(rows) <= count:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"
