"""Fast projection of smoothed particles: cost of particles plus pixels.

Particles are sorted by smoothing length into levels. Where a level has many particles, a particle
is shared between the two levels around it so that its flux and the second moment of its kernel
are kept; each level is deposited with linear weights on a grid of its own resolution, whose cells
are a fixed fraction of the kernel, and taken to the pixels by matrices that hold the kernel
integrated over each pixel. Where a level has few, each kernel is integrated over pixels by itself.
Either way the kernel is a sum of products of functions of x and of y (`kernel.separable_terms`).
Wide kernels are drawn on pictures of coarser pixels, octave by octave, which are refined at last.
"""

from __future__ import annotations

import numpy as np

from morphosphere.render.kernel import separable_terms
from morphosphere.render.levels import (
    CELLS,
    RANK,
    Levels,
    grid_of,
    octave,
    octave_of,
    sort_into_levels,
    table,
    taps,
)
from morphosphere.render.splat import MARGIN, arrange, deposit, refine, smooth, splat

__all__ = ["Levels", "cameras_at_once", "project", "sort_into_levels"]
#: Particles, and nodes of grids, that are held for all cameras together.
_PARTICLES = 1 << 20
_NODES = 1 << 23
#: Nanoseconds of a particle drawn by itself and of each pixel under its kernel, of a particle that
#: is deposited, of a node in the product of matrices from one side, of a pixel in that from the
#: other. Of three channels, whatever their number, so that channels that are divided by each other
#: are drawn alike.
_SPLAT, _PIXEL, _DEPOSIT, _ROWS, _COLUMNS = 35.0, 1.3, 35.0, 0.9, 3.75


def project(positions: np.ndarray, weights: np.ndarray, levels: Levels, *, size: int) -> np.ndarray:
    """Sums of smoothed weights in pixels.

    Parameters
    ----------
    positions : ndarray, shape (V, N, 2)
        Column and row of each particle for each of V cameras, in pixels from the top left corner
        of the picture.
    weights : ndarray, shape (C, V, N) or (C, 1, N)
        What is summed up in each channel; (C, 1, N) if it is the same for all cameras.
    levels : Levels
        Of the same particles.
    size : int
        Width and height in pixels.

    Returns
    -------
    ndarray of float64, shape (V, C, size, size)
        Flux of kernels that reach over the edge is lost, that of particles outside which reach in
        is counted.
    """
    image = np.empty((len(positions), len(weights), size, size))
    fixed = _arranged(weights[:, 0], levels) if weights.shape[1] == 1 else None
    for view, places in enumerate(positions):
        own = _arranged(weights[:, view], levels) if fixed is None else fixed
        image[view] = _picture(_arranged(places.T, levels), own, levels, size)
    return image


def cameras_at_once(particles: int, channels: int, size: int) -> int:
    """For how many cameras `project` may be asked at a time, for bounded memory."""
    nodes = channels * (CELLS * (size + 2)) ** 2
    return max(1, min(_PARTICLES // max(particles, 1), _NODES // max(nodes, 1)))


def _arranged(values: np.ndarray, levels: Levels) -> np.ndarray:
    """Rows of numbers in the order of the levels, float32 (R, N)."""
    out = np.empty(values.shape, np.float32)
    for row, arranged in zip(values, out):
        arrange(row, levels.place, arranged)
    return out


def _picture(places: np.ndarray, weights: np.ndarray, levels: Levels, size: int) -> np.ndarray:
    """One camera's pictures, float32 (C, size, size), of particles in the order of the levels."""
    channels = len(weights)
    signs = separable_terms(RANK)[2]
    count = octave_of(levels.radius(len(levels))) + 1 if len(levels) else 1
    octaves = [octave(number, size) for number in range(count)]
    pictures = [
        np.zeros((one.size + 1, (one.size + 2 * MARGIN) * channels), np.float32) for one in octaves
    ]
    grids: dict[int, np.ndarray] = {}

    def add(level: int, start: int, stop: int, *, higher: bool) -> None:
        grid = grid_of(levels.radius(level), size)
        if level not in grids:
            grids[level] = np.zeros((channels, grid.nodes, grid.nodes), np.float32)
        if start < stop:
            ends = (grid.first, grid.cell)
            deposit(grids[level], *ends, places, weights, levels.upper, start, stop, higher)

    for level in range(len(levels) + 1):
        if level < len(levels):
            start, stop = (int(bound) for bound in levels.bounds[level : level + 2])
            radius = levels.radius(level)
            if deposits(stop - start, radius, size):
                add(level, start, stop, higher=False)
                add(level + 1, levels.raised if level == 0 else start, stop, higher=True)
            elif start < stop:
                drawn = octaves[octave_of(radius)]
                splat(
                    pictures[drawn.number], drawn.start, drawn.scale,
                    places, weights, levels.support, start, stop, table(), signs,
                )  # fmt: skip
        if (nodes := grids.pop(level, None)) is not None:
            grid = grid_of(levels.radius(level), size)
            smooth(pictures[grid.octave.number], nodes, grid.low, grid.matrices, signs)
    for coarse, fine in zip(pictures[:0:-1], pictures[-2::-1]):
        refine(coarse, fine, channels, taps())
    shown = pictures[0].reshape(size + 1, size + 2 * MARGIN, channels)
    return np.moveaxis(shown[:-1, MARGIN:-MARGIN], -1, 0)


def deposits(particles: int, radius: float, size: int) -> bool:
    """Whether a level with so many particles is deposited on a grid, which is then quicker."""
    grid = grid_of(radius, size)
    pixels, band = grid.matrices.shape[1:]
    alone = _SPLAT + _PIXEL * (2 * radius / grid.octave.scale + 1) ** 2
    matrices = band * pixels * (_ROWS * grid.nodes + _COLUMNS * pixels)
    return particles * (alone - _DEPOSIT) > matrices
