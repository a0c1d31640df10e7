"""The figure of how stages grow: ``python -m benchmarks.growth_figure FILE`` draws it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.result import FOLDER
from morphosphere.files import atomic_path, read_json

_MARKERS = "osD^vP*X<>phd8H"


def draw(grown: dict[str, dict[str, list[float]]], path: Path) -> None:
    """Time and memory over work, each relative to the smallest, in logarithms; a line a stage.

    Parameters
    ----------
    grown : dict
        For each stage lists of ``work``, ``seconds`` and ``mib``.
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure = Figure(figsize=(11, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2)
    kinds = (("seconds", "time / time at 1x", 1.05), ("mib", "peak memory / memory at 1x", 0.1))
    colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777"]
    for axis, (key, label, goal) in zip(axes, kinds, strict=True):
        most = 1.0
        for number, (stage, found) in enumerate(grown.items()):
            x, y = (np.divide(found[name], found[name][0]) for name in ("work", key))
            most = max(most, x[-1])
            axis.plot(
                x, y, label=stage, lw=1.2, ms=5, color=colours[number % len(colours)],
                marker=_MARKERS[number % len(_MARKERS)],
                ls="-" if number < len(colours) else "--",
            )  # fmt: skip
        ends = np.array([1.0, most])
        axis.plot(ends, ends**goal, color="black", lw=2.5, alpha=0.4, label="goal")
        axis.set(xscale="log", yscale="log", xlabel="work / work at 1x", ylabel=label)
        axis.set_title(f"goal: power {goal:g}", fontsize=10)
        for ruler in (axis.xaxis, axis.yaxis):
            ruler.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        minor = FuncFormatter(lambda value, _: f"{value:g}") if _span(axis) < 3 else NullFormatter()
        axis.yaxis.set_minor_formatter(minor)
        axis.grid(alpha=0.3, which="both")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    with atomic_path(path) as beside:
        figure.savefig(beside, dpi=110, format="png")


def _span(axis: Any) -> float:
    """Ratio of the ends of a vertical axis."""
    low, high = axis.get_ylim()
    return high / low


if __name__ == "__main__":
    draw(read_json(FOLDER / "growth.json"), Path(sys.argv[1]))
