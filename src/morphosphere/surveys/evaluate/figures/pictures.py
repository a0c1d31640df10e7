"""Sheets of pictures: the most and the least certain of each class."""

from __future__ import annotations

from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import INK, ORANGE, message, new_figure, show
from morphosphere.surveys.evaluate.sheets import Sheet


def sheets(rows: list[Sheet], title: str, nothing: str) -> Figure:
    """Rows of pictures with captions; those that are told wrongly have a frame.

    `nothing` is said where there are no rows.
    """
    if not rows:
        return message(nothing)
    width = max(len(row.pictures) for row in rows)
    figure = new_figure(1.3 * width + 0.9, 1.62 * len(rows) + 0.4)
    grid = figure.subplots(len(rows), width, squeeze=False)
    for row, line in zip(rows, grid):
        for k, axes in enumerate(line):
            if k < len(row.pictures):
                frame = ORANGE if row.wrong[k] else None
                show(axes, row.pictures[k], row.captions[k], frame=frame)
            else:
                axes.set_axis_off()
        line[0].set_ylabel(row.title, fontsize=8.5, color=INK)
    figure.suptitle(title, fontsize=10.5, color=INK)
    return figure
