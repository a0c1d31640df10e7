"""Figures of the check without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform, resample
from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.evaluate.figures.style import GREY, INK, STYLE, new_figure, save
from morphosphere.surveys.clusters import mosaic
from morphosphere.surveys.clusters.grouping import NOISE
from morphosphere.surveys.clusters.measure import Found
from morphosphere.surveys.clusters.pictures import read_rows

#: Colours of classes and clusters, from the first.
COLOURS = (
    "#2f6db5", "#e07b39", "#2b9c7a", "#c44e8a", "#8a6fc9", "#b58a1c", "#4fb3d9", "#7a4a2b",
    "#5d8a28", "#d9534f",
)  # fmt: skip
#: Ground of the mosaic, and the points on it.
_GROUND = (245, 246, 248)
_BATCH = 256
#: Width of a picture of the mosaic in inches.
_CELL = 0.36
#: Longer side of the mosaic in inches at most.
_LONGEST = 13.0
_SURVEYS = (INK, COLOURS[2])


def colour(number: int) -> str:
    """Colour of a class; grey for none."""
    return GREY if number < 0 else COLOURS[number % len(COLOURS)]


def cluster_colour(number: int, classes: int) -> str:
    """Colour of a cluster, after those of the classes; grey for none."""
    return GREY if number == NOISE else colour(classes + number)


def draw_all(
    found: Found,
    images: ImageSet,
    transform: Transform,
    settings: SurveyClustersSettings,
    folder: Path,
) -> None:
    """Write all figures as PNG into `folder`."""
    drawn = {
        "clusters_galaxies": galaxies(found, images, transform, settings),
        "clusters_classes": classes(found),
        "clusters_groups": groups(found),
    }
    for name, figure in drawn.items():
        save(figure, folder / f"{name}.png", settings.dpi)


@rc_context(STYLE)
def galaxies(
    found: Found, images: ImageSet, transform: Transform, settings: SurveyClustersSettings
) -> Figure:
    """Pictures of galaxies at their places, framed in the colour of the predicted class."""
    side = mosaic.grid_side(found.positions, settings.thumbnails)
    rows, cells = mosaic.most_central(found.positions, side)
    width = side * mosaic.cell_width(side)
    canvas = _points_on(found, width)
    frames = np.array([to_rgb(colour(k)) for k in found.target.predicted[rows]]) * 255
    for start in range(0, len(rows), _BATCH):
        part = slice(start, start + _BATCH)
        seen = transform(read_rows(images, found.target.rows[rows[part]]))
        small = np.clip(resample(seen, mosaic.picture_width(side)), 0, 1)
        mosaic.paint(small, cells[part], frames[part].astype(np.uint8), side, canvas)
    canvas, extent = _occupied(canvas, cells, side, *mosaic.square(found.positions))
    lines, columns = np.array(canvas.shape[:2]) / mosaic.cell_width(side)
    inch = min(_CELL, _LONGEST / max(columns, lines))
    figure = new_figure(max(5.0, inch * columns), max(3.0, inch * lines) + 0.7)
    axes = figure.subplots()
    axes.imshow(canvas, extent=extent, interpolation="antialiased")
    _bare(axes)
    axes.set_title(f"{len(rows):,} of {len(found.target):,} galaxies; frames: predicted class")
    _legend(axes, found.classes, found.target.predicted, line=True)
    return figure


def _points_on(found: Found, width: int) -> np.ndarray:
    """A ground (width, width, 3) with a faint dot for every galaxy in the colour of its class."""
    canvas = np.empty((width, width, 3), dtype=np.uint8)
    canvas[:] = _GROUND
    corner, extent = mosaic.square(found.positions)
    place = ((found.positions - corner) / extent * width).astype(int)
    column, row = np.clip(place[:, 0], 1, width - 2), np.clip(width - 1 - place[:, 1], 1, width - 2)
    shades = np.array([to_rgb(colour(k)) for k in range(len(found.classes))]) * 255
    faint = (0.55 * shades + 0.45 * np.array(_GROUND)).astype(np.uint8)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            canvas[row + down, column + across] = faint[found.target.predicted]
    return canvas


def _occupied(
    canvas: np.ndarray, cells: np.ndarray, side: int, corner: np.ndarray, width: float
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """The canvas without empty lines and columns at its edges, and its extent in the plane."""
    low, high = cells.min(axis=0), cells.max(axis=0) + 1
    cell = mosaic.cell_width(side)
    cut = canvas[(side - high[1]) * cell : (side - low[1]) * cell, low[0] * cell : high[0] * cell]
    (left, bottom), (right, top) = corner + width * low / side, corner + width * high / side
    return cut, (left, right, bottom, top)


@rc_context(STYLE)
def classes(found: Found) -> Figure:
    """The embedding by predicted class, by labels of people (if any), and by survey (if two)."""
    target = found.target
    known = target.label >= 0
    panels = [_predicted, *([_labels] if known.any() else [])]
    panels += [_surveys] if found.labelled is not None else []
    figure = new_figure(5.4 * len(panels), 5.6)
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        draw(axes, found)
    return figure


def _predicted(axes: Axes, found: Found) -> None:
    target = found.target
    _scatter(axes, found.positions, target.predicted)
    axes.set_title(f"predicted class of {len(target):,} galaxies")
    _legend(axes, found.classes, target.predicted)


def _labels(axes: Axes, found: Found) -> None:
    label = found.target.label
    known = label >= 0
    _scatter(axes, found.positions, np.full(len(label), NOISE), faint=True)
    _scatter(axes, found.positions[known], label[known], large=True)
    axes.set_title(f"labels of {known.sum():,} galaxies")
    _legend(axes, found.classes, label[known])


def _surveys(axes: Axes, found: Found) -> None:
    places = np.concatenate([found.positions, found.labelled_positions])
    survey = np.repeat([0, 1], [len(found.positions), len(found.labelled_positions)])
    shuffled = np.random.default_rng(0).permutation(len(places))
    _scatter(axes, places[shuffled], survey[shuffled], shades=_SURVEYS)
    axes.set_title(f"survey; mixing {found.metrics['mixing']['ratio']:.2f} (1: alike, 0: apart)")
    _legend(axes, ["target", "labelled"], survey, shades=_SURVEYS)


@rc_context(STYLE)
def groups(found: Found) -> Figure:
    """The embedding by cluster, what each cluster holds, and the mixture without labels."""
    figure = new_figure(15.6, 5.4)
    left, middle, right = figure.subplots(1, 3)
    facts = found.metrics["clusters"]
    shades = tuple(cluster_colour(k, len(found.classes)) for k in range(found.clusters.count))
    _scatter(left, found.positions, found.clusters.code, shades=shades)
    left.set_title(f"{facts['number']} clusters, {100 * facts['noise_share']:.1f} % in none")
    for item in facts["items"]:
        inside = found.clusters.code == item["cluster"]
        if item["cluster"] != NOISE:
            at = np.median(found.positions[inside], axis=0)
            box = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": shades[item["cluster"]]}
            left.annotate(
                str(item["cluster"]), at, ha="center", va="center", fontweight="bold", bbox=box
            )
    _bars(middle, facts["items"], found.classes)
    _scatter(right, found.positions, found.components.code)
    without = found.metrics["without_labels"]
    told = next(without[k] for k in ("test_labels", "labels", "predicted") if without[k])
    right.set_title(
        f"mixture of {without['components']} components: agrees on {100 * told['accuracy']:.1f} %"
    )
    _legend(right, found.classes, found.components.code)
    return figure


def _bars(axes: Axes, items: list[dict], names: list[str]) -> None:
    """For each cluster, shares of the predicted classes and of the labels of people."""
    lines, texts = [], []
    for item in items:
        name = "none" if item["cluster"] == NOISE else f"cluster {item['cluster']}"
        lines.append(item["predicted"])
        texts.append(f"{name}: {item['n']:,} predicted")
        if item["labels"]:
            lines.append(item["labels"])
            texts.append(f"{item['labelled']:,} labels")
    down = np.array([k - (0.12 if "labels" in text else 0) for k, text in enumerate(texts)])
    start = np.zeros(len(lines))
    for number, name in enumerate(names):
        share = np.array([line[name] for line in lines])
        axes.barh(down, share, left=start, color=colour(number), height=0.8)
        for y, x, width in zip(down, start, share):
            if width > 0.12:
                axes.text(x + width / 2, y, f"{100 * width:.0f} %", ha="center", va="center",
                          color="white", fontsize=8)  # fmt: skip
        start += share
    axes.set(xlim=(0, 1), xlabel="share of galaxies", ylim=(len(lines) - 0.5, -0.5))
    axes.set_yticks(down, texts, fontsize=8.5)
    axes.set_title("what the clusters hold")


def _scatter(
    axes: Axes,
    positions: np.ndarray,
    code: np.ndarray,
    *,
    faint: bool = False,
    large: bool = False,
    shades: tuple[str, ...] | None = None,
) -> None:
    """Points in the colours of their codes; smaller where there are more of them."""
    size = float(np.clip(30_000 / max(len(positions), 1), 1.5, 22)) * (1.6 if large else 1)
    of = {k: shades[k] if shades and k >= 0 else colour(k) for k in np.unique(code).tolist()}
    axes.scatter(
        *positions.T,
        s=size,
        c=[to_rgb(of[k]) for k in code.tolist()] if len(code) else None,
        alpha=0.3 if faint else 0.85,
        linewidths=0.3 if large else 0,
        edgecolors="white" if large else "none",
        rasterized=True,
    )
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[], aspect="equal", adjustable="box")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _legend(
    axes: Axes,
    names: list[str],
    code: np.ndarray,
    *,
    line: bool = False,
    shades: tuple[str, ...] | None = None,
) -> None:
    """Names with their colours and counts, below the panel."""
    handles = [
        Line2D([], [], marker="s" if line else "o", linestyle="", markersize=7,
               markerfacecolor="white" if line else (shades or COLOURS)[k % 10],
               markeredgecolor=(shades or COLOURS)[k % 10], markeredgewidth=2 if line else 0,
               label=f"{name} ({(code == k).sum():,})")
        for k, name in enumerate(names)
    ]  # fmt: skip
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                ncols=min(len(names), 4), handletextpad=0.2)  # fmt: skip
