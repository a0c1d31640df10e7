"""Colours of classes, and figures written as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from morphosphere.evaluate.figures.style import BLUE, ORANGE, STYLE, save

GREEN, VIOLET, RED, BROWN = "#4f9d69", "#8a63b3", "#b0413e", "#8c6d46"
_COLOURS = (BLUE, ORANGE, GREEN, VIOLET, RED, BROWN)


def colour(k: int) -> str:
    """Colour of class `k`."""
    return _COLOURS[k % len(_COLOURS)]


def whiskers(values: list[float], intervals: list[list[float] | None]) -> np.ndarray:
    """Lengths (2, n) of the bars below and above values for `Axes.errorbar`; none where unknown."""
    ends = [(v, v) if given is None else given for v, given in zip(values, intervals)]
    return np.array([[max(v - a, 0), max(b - v, 0)] for v, (a, b) in zip(values, ends)]).T


def percent(axes: Axes, which: str = "y") -> None:
    """Ticks in per cent."""
    for name in which:
        getattr(axes, f"{name}axis").set_major_formatter(PercentFormatter(1, symbol=" %"))


def log_axis(axis: Axis, low: float, high: float) -> None:
    """Plain numbers at 1, 2 and 5 on a logarithmic axis, or at powers of ten on a long one."""
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def write_figures(figures: dict[str, Any], folder: Path, dpi: int) -> list[Path]:
    """Write figures as PNG; their paths."""
    paths = []
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        with rc_context(STYLE):
            save(figure, path, dpi)
        paths.append(path)
    return paths
