"""Figures of the report on mergers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from morphosphere.evaluate.figures.style import (
    BLUE,
    INK,
    ORANGE,
    STYLE,
    message,
    new_figure,
    save,
    show,
)
from morphosphere.mergers.evaluate import errors
from morphosphere.mergers.evaluate.held import Held
from morphosphere.mergers.evaluate.show import picture, strip_caption
from morphosphere.posterior import Label

#: Bins of the maps of told against true values, and of the confusion.
_BINS, _COARSE = 48, 12


def told_and_true(held: Held, label: Label, title: str) -> Any:
    """Told against true values: a map of counts with the running median and 68 % of the errors."""
    true, said = held.truth[label.name], held.said[label.name]["median"]
    known = np.isfinite(true)
    if known.sum() < errors.LEAST:
        return message(f"{label.name} is known of {known.sum()} held-out images only")
    true, said = label.scaled(true[known]), label.scaled(said[known])
    low, high = np.quantile(true, [0.0, 1.0])
    figure = new_figure(5.4, 5.0)
    axes = figure.subplots()
    edges = np.linspace(low, high, _BINS + 1)
    counts = np.histogram2d(true, said, bins=[edges, edges])[0]
    ends = label.value([low, high])
    axes.pcolormesh(label.value(edges), label.value(edges), np.sqrt(counts.T), cmap="Blues")
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    centres, bands = _running(true, said, low, high)
    for band, style in zip(bands, (":", "-", ":")):
        axes.plot(label.value(centres), label.value(band), style, color=ORANGE, linewidth=1.4)
    words = label.name.replace("_", " ") + (f" [{label.unit}]" if label.unit else "")
    axes.set(xlabel=f"true {words}", ylabel="told (median of the posterior)", title=title)
    axes.set(xlim=ends, ylim=ends)
    if label.scale == "log10":
        axes.set(xscale="log", yscale="log")
        marks = label.value(np.linspace(low, high, 6))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(marks, [f"{mark:.2g}" for mark in marks])
            axis.set_ticks([], minor=True)
    return figure


def _running(
    true: np.ndarray, said: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    edges = np.linspace(low, high, 17)
    place = np.digitize(true, edges[1:-1])
    bands = np.full((3, 16), np.nan)
    for k in range(16):
        if (place == k).sum() >= 5:
            bands[:, k] = np.quantile(said[place == k], [0.16, 0.5, 0.84])
    return 0.5 * (edges[1:] + edges[:-1]), bands


def phases(held: Held, labels: tuple[Label, ...], metrics: dict[str, Any]) -> Any:
    """Median error of each label by phase, beside that of a constant answer."""
    found = metrics.get("by_phase") or {}
    if not found:
        return message("the phase of the held-out images is not known")
    shown = [
        label for label in labels if any(g.get(errors.error_key(label)) for g in found.values())
    ]
    if not shown:
        return message("no label is known of enough held-out images of a phase")
    figure = new_figure(2.7 * len(shown) + 0.6, 3.2)
    for axes, label in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown):
        key = errors.error_key(label)
        names = [name for name in found if found[name].get(key)]
        at = np.arange(len(names))
        axes.bar(at - 0.2, [found[n][key]["constant"] for n in names], 0.4, color="#dde1e6",
                 label="constant answer")  # fmt: skip
        axes.bar(at + 0.2, [found[n][key]["median"] for n in names], 0.4, color=BLUE,
                 label="network")  # fmt: skip
        axes.set_xticks(at, names, rotation=25, ha="right")
        axes.set_title(_words(key))
    axes.legend(fontsize=8)
    return figure


def _words(key: str) -> str:
    name, _, unit = key.rpartition("_error_")
    if not name:
        return f"median error, {key.removesuffix('_error').replace('_', ' ')}"
    return f"median error, {name.replace('_', ' ')} [{'Myr' if unit == 'myr' else unit}]"


def calibration(held: Held, labels: tuple[Label, ...]) -> Any:
    """Share of true values inside the central 68 and 95 % intervals of each label."""
    known = [label for label in labels if np.isfinite(held.truth[label.name]).any()]
    if not known:
        return message("no label of the held-out images is known")
    figure = new_figure(5.4, 0.45 * len(known) + 1.4)
    axes = figure.subplots()
    rows = np.arange(len(known))
    for name, colour in zip(errors.INTERVALS, (BLUE, ORANGE)):
        shares = [100 * float(np.nanmean(errors.inside(held, label, name))) for label in known]
        axes.axvline(float(name), color=colour, linewidth=1, linestyle=":")
        axes.plot(shares, rows, "o", color=colour, label=f"{name} % interval")
        for share, row in zip(shares, rows):
            axes.annotate(f"{share:.1f}", (share, row - 0.18), ha="center", fontsize=8)
    axes.set_yticks(rows, [label.name.replace("_", " ") for label in known])
    axes.set(xlabel="true values inside [%]; dotted: as it should be", xlim=(40, 104))
    axes.set_ylim(len(known) - 0.4, -0.7)
    axes.legend(fontsize=8, loc="lower left")
    return figure


def cameras(held: Held, label: Label) -> Any:
    """Confusion of the first label, for cameras face-on to the orbit, oblique and edge-on."""
    groups = {k: m for k, m in errors.cameras_of(held).items() if m.sum() >= errors.LEAST}
    if not groups:
        return message("the cameras of the held-out images are not known")
    figure = new_figure(3.3 * len(groups) + 0.7, 3.6)
    panels = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
    for axes, (name, mask) in zip(panels, groups.items()):
        edges, table = errors.confusion(held.take(mask), label, _COARSE)
        drawn = axes.pcolormesh(edges, edges, table.T, cmap="Blues", vmin=0, vmax=1)
        axes.plot(edges[[0, -1]], edges[[0, -1]], color=INK, linewidth=0.6)
        axes.set(title=f"{name} ({mask.sum()} images)", xlabel=f"true [{label.unit}]")
    panels[0].set_ylabel(f"told [{label.unit}]")
    figure.colorbar(drawn, ax=list(panels), label="share of the true bin", fraction=0.05)
    return figure


def similar(rows: list[list[tuple[np.ndarray, str]]]) -> Any:
    """Held-out images, what the decoder draws of their z, and the most similar training images.

    Parameters
    ----------
    rows : list of list of (picture, caption)
    """
    if not rows:
        return message("there are no held-out images with neighbours")
    width = max(map(len, rows))
    figure = new_figure(1.35 * width, 1.65 * len(rows))
    grid = figure.subplots(len(rows), width, squeeze=False)
    for line, axes in zip(rows, grid):
        for k, one in enumerate(axes):
            if k < len(line):
                show(one, picture(line[k][0]), line[k][1], frame=BLUE if k == 0 else None)
            else:
                one.set_axis_off()
    for one, title in zip(grid[0], ["image", "drawn from z", *["similar"] * (width - 2)]):
        one.set_title(title, fontsize=9)
    return figure


def splits(metrics: dict[str, Any], labels: tuple[Label, ...]) -> Any:
    """Errors under the split by encounter, and under the one by snapshot that leaks."""
    leaky = metrics.get("leaky_split")
    if not leaky:
        return message("the network was not trained under the split by snapshot (leaky_split)")
    keys = [errors.error_key(label) for label in labels]
    keys = [key for key in keys if metrics.get(key) and leaky.get(key)]
    if not keys:
        return message("too few held-out images with known labels to compare the two splits")
    figure = new_figure(2.2 * len(keys) + 0.6, 3.2)
    for axes, key in zip(np.atleast_1d(figure.subplots(1, len(keys))), keys):
        values = [metrics[key]["median"], leaky[key]["median"]]
        axes.bar([0, 1], values, color=[BLUE, ORANGE], width=0.6)
        for at, value in enumerate(values):
            axes.annotate(f"{value:.3g}", (at, value), ha="center", va="bottom", fontsize=9)
        axes.set_xticks([0, 1], ["by\nencounter", "by snapshot\n(leaks)"], fontsize=8.5)
        axes.set_ylim(0, 1.15 * max(values))
        axes.set_title(_words(key).removeprefix("median error, "), fontsize=9)
    figure.suptitle("Median error of held-out images", fontsize=10.5, color=INK)
    return figure


def tests(sets: dict[str, tuple[Held, np.ndarray]], labels: tuple[Label, ...]) -> Any:
    """Images of runs and real images, with what the model says of them."""
    lines = [(name, held, images) for name, (held, images) in sets.items() if len(held)]
    if not lines:
        return message("no runs or real images are named in the configuration (mergers.runs, real)")
    width = max(len(images) for _, _, images in lines)
    figure = new_figure(1.9 * width, 2.3 * len(lines))
    grid = figure.subplots(len(lines), width, squeeze=False)
    for (name, held, images), axes in zip(lines, grid):
        for k, one in enumerate(axes):
            if k < len(images):
                show(one, picture(images[k]), strip_caption(held, k, labels))
            else:
                one.set_axis_off()
        axes[0].set_ylabel(name, fontsize=9)
    return figure


def write_figures(figures: dict[str, Any], folder: Path, dpi: int) -> list[Path]:
    """Write figures as PNG; their paths."""
    paths = []
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        with rc_context(STYLE):
            save(figure, path, dpi)
        paths.append(path)
    return paths
