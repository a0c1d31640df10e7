"""What the figures share: colours, panels, running widths, and writing PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import BLUE, GREY, ORANGE, STYLE, new_figure, save
from morphosphere.sersic.evaluate.measures import width
from morphosphere.sersic.evaluate.quantities import Quantity

GREEN, VIOLET, RED = "#4f9d69", "#8a63b3", "#b0413e"
#: Colours of the network and of the fitters beside it.
NETWORK, FITTERS = BLUE, (ORANGE, GREEN, VIOLET, RED)
#: Colours of quantities in one panel.
PAINTS = (BLUE, ORANGE, GREEN, VIOLET, RED, GREY)
#: Galaxies that a running width is of, at least.
LEAST = 8
_SYMBOLS = {
    "magnitude": "m",
    "log_radius": "log r",
    "axis_ratio": "q",
    "log_index": "log n",
    "log_bulge_radius": "log r of bulge",
    "bulge_to_total": "B/T",
    "position_angle": "angle",
}


def symbol(quantity: Quantity) -> str:
    """A short name of a quantity for legends."""
    return _SYMBOLS.get(quantity.name, quantity.words)


def with_unit(words: str, unit: str) -> str:
    """Words of an axis with the unit in brackets, if there is one."""
    return f"{words} [{unit}]" if unit else words


def panels(count: int, *, across: int = 3, width: float = 3.3, height: float = 3.0) -> tuple:
    """A figure with so many panels: (figure, list of Axes); places left over are empty."""
    across = min(across, count)
    down = -(-count // across)
    figure = new_figure(width * across, height * down)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, list(grid[:count])


def running_width(
    at: np.ndarray, error: np.ndarray, bins: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Width of errors in bins with equally many galaxies: (medians of `at`, widths)."""
    known = np.isfinite(at) & np.isfinite(error)
    at, error = at[known], error[known]
    bins = max(1, min(bins, len(at) // LEAST))
    if len(at) < LEAST:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.argsort(at, kind="stable"), bins)
    return (
        np.array([np.median(at[part]) for part in parts]),
        np.array([width(error[part]) for part in parts]),
    )


def wilson(hits: float, number: float) -> tuple[float, float]:
    """Ends of the 95 % interval of a share (Wilson 1927, JASA 22, 209)."""
    from scipy.stats import binomtest

    ends = binomtest(round(hits), round(number)).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


def plain_log(axes: Axes, which: str = "y") -> None:
    """A logarithmic axis with plain numbers: powers of ten on a long one, more on a short one."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for name in which:
        axis = getattr(axes, f"{name}axis")
        getattr(axes, f"set_{name}scale")("log")
        low, high = getattr(axes, f"get_{name}lim")()
        subs = (1.0, 2.0, 5.0) if high < 300 * low else (1.0,)
        subs = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if high < 6 * low else subs
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def write_figures(figures: dict[str, Figure], folder: Path, dpi: int) -> list[Path]:
    """Write figures as PNG; their paths."""
    paths = []
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        with rc_context(STYLE):
            save(figure, path, dpi)
        paths.append(path)
    return paths
