"""What the figures have in common: size, colours, pictures of images, saving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morphosphere.files import atomic_path

INK = "#26303d"
SKY = "#0b0e14"
BLUE, ORANGE, GREY = "#2f6db5", "#e07b39", "#a7adb5"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#dde1e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure as PNG in one step."""
    with atomic_path(path) as temporary, rc_context(STYLE):
        figure.savefig(
            temporary, dpi=dpi, metadata={"Software": None}, bbox_inches="tight", pad_inches=0.08
        )


def message(text: str) -> Figure:
    """A figure that says why there is nothing to show."""
    figure = new_figure(7, 2)
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, fontsize=11, color=INK)
    return figure


def show(axes: Axes, picture: np.ndarray, caption: str = "", frame: str | None = None) -> None:
    """A picture without ticks, with a caption below and a coloured frame."""
    axes.imshow(picture, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        spine.set(color=frame, linewidth=2.5)
    if caption:
        axes.set_xlabel(caption, fontsize=7.5, labelpad=2)


def label_of(name: str, about: dict[str, str], logarithmic: bool) -> str:
    """Axis label of a column: its name in words, with log10 and the unit."""
    words = name.replace("_", " ")
    text = f"log10 {words}" if logarithmic else words
    return f"{text} [{about['unit']}]" if about.get("unit") else text
