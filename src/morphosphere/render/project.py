"""Fast projection of smoothed particles: cost of particles plus pixels.

Particles are sorted by smoothing length into levels. A particle is shared between the two levels
around it so that its flux and the second moment of its kernel are kept. Each level is deposited
with linear weights on a grid of its own resolution, whose cells are a fixed fraction of the
kernel, and taken to the pixels by matrices that hold the kernel integrated over each pixel. The
kernel is a sum of products of functions of x and of y (`kernel.separable_terms`), so that this
costs a product of matrices from the left and one from the right. The blur of the linear deposit
is taken off the width of the kernel.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from morphosphere.render.kernel import separable_terms, variance

#: Ratio of the kernels of neighbouring levels.
RATIO = 2.0**0.25
#: Cells of a level's grid within the radius of its kernel.
CELLS = 5
#: Terms of the separable kernel; two leave 0.2 % of the flux in the wrong place.
RANK = 2
#: Rows of pixels that are made at a time from the nodes that reach them.
_BLOCK = 8
#: Particles, and nodes of grids, that are held for all cameras together.
_PARTICLES = 1 << 20
_NODES = 1 << 23


@dataclass(frozen=True)
class Levels:
    """Particles sorted into levels of smoothing; the same for all cameras.

    Attributes
    ----------
    order : ndarray of int, shape (N,)
        Particles from the smallest to the largest level.
    bounds : ndarray of int, shape (L + 1,)
        Level k has the particles ``order[bounds[k]:bounds[k + 1]]``.
    upper : ndarray, shape (N,)
        Share of each particle, in that order, that goes to the next level.
    first : float
        Support radius of the kernel of level 0, in pixels.
    """

    order: np.ndarray
    bounds: np.ndarray
    upper: np.ndarray
    first: float

    def support(self, level: int) -> float:
        """Support radius of a level's kernel in pixels."""
        return self.first * RATIO**level


def sort_into_levels(support: np.ndarray, smallest: float) -> Levels:
    """Sort particles into levels.

    Parameters
    ----------
    support : ndarray, shape (N,)
        Support radius of each particle's kernel in pixels.
    smallest : float
        Smaller radii are raised to this one, in pixels.
    """
    support = np.maximum(np.asarray(support, dtype=np.float64), smallest)
    level = np.floor(np.log(support / smallest) / np.log(RATIO) + 1e-9).astype(np.int64)
    order = np.argsort(level, kind="stable")
    ratio = (support[order] / (smallest * RATIO ** level[order])) ** 2
    upper = np.clip((ratio - 1) / (RATIO**2 - 1), 0, 1)
    count = int(level.max(initial=-1)) + 1
    bounds = np.searchsorted(level[order], np.arange(count + 1))
    return Levels(order, bounds, upper, smallest)


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
    image = np.zeros((len(positions), len(weights), size, size))
    edges = levels.bounds
    for level in range(len(edges)):
        # this level's share of its own particles and of those one level below
        low, middle = edges[max(level - 1, 0)], edges[level]
        high = edges[min(level + 1, len(edges) - 1)]
        share = np.concatenate([levels.upper[low:middle], 1 - levels.upper[middle:high]])
        chosen = levels.order[low:high][share > 0]
        if not len(chosen):
            continue
        support = levels.support(level)
        grid = _deposit(
            positions[:, chosen], weights[:, :, chosen] * share[share > 0], support, size
        )
        _add_smoothed(image, grid, support)
    return image


def cameras_at_once(particles: int, channels: int, size: int) -> int:
    """For how many cameras `project` may be asked at a time, for bounded memory."""
    nodes = channels * (CELLS * (size + 2)) ** 2
    return max(1, min(_PARTICLES // max(particles, 1), _NODES // max(nodes, 1)))


def _nodes(support: float, size: int) -> tuple[float, float, int]:
    """Cell, first node (both in pixels) and number of nodes of a level's grid along an axis."""
    cell = support / CELLS
    return cell, -support, int(np.ceil((size + 2 * support) / cell)) + 1


def _deposit(positions: np.ndarray, weights: np.ndarray, support: float, size: int) -> np.ndarray:
    """Share each particle among the four nearest nodes; shape (V, C, n, n)."""
    cell, first, n = _nodes(support, size)
    place = (positions - first) / cell
    corner = np.floor(place)
    near = ((corner >= 0) & (corner <= n - 2)).all(axis=-1)
    view, particle = np.nonzero(near)
    place, corner = place[near], corner[near].astype(np.int64)
    x, y = (place - corner).T
    base = (view * n + corner[:, 1]) * n + corner[:, 0]
    index = np.concatenate([base, base + 1, base + n, base + n + 1])
    parts = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    views = len(positions)
    grid = np.empty((views, len(weights), n, n), dtype=np.float32)
    for channel, weight in enumerate(weights):
        values = weight[0 if len(weight) == 1 else view, particle]
        total = np.bincount(index, (parts * values).ravel(), minlength=views * n * n)
        grid[:, channel] = total.reshape(views, n, n)
    return grid


def _add_smoothed(image: np.ndarray, grid: np.ndarray, support: float) -> None:
    """Add a level's grid (V, C, n, n), smoothed and summed into pixels, to the image."""
    size = image.shape[-1]
    signs = separable_terms(RANK)[2]
    blocks = _smoothing_blocks(support, size)
    rows = np.empty((*grid.shape[:2], RANK, size, grid.shape[-1]), dtype=np.float32)
    for pixels, nodes, matrices in blocks:
        for term, matrix in enumerate(matrices):
            np.matmul(matrix, grid[:, :, nodes], out=rows[:, :, term, pixels])
    for pixels, nodes, matrices in blocks:
        for term, matrix in enumerate(matrices):
            image[..., pixels] += signs[term] * (rows[:, :, term, :, nodes] @ matrix.T)


@functools.lru_cache(maxsize=128)
def _smoothing_blocks(support: float, size: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Each term's integral over pixels along an axis, by blocks of pixels.

    Returns
    -------
    list of (slice, slice, ndarray)
        Some of the pixels, the nodes that reach them, and the matrices (terms, pixels, nodes).
    """
    cell, first, n = _nodes(support, size)
    width = np.sqrt(support**2 - cell**2 / (6 * variance()))
    x, cumulative, _ = separable_terms(RANK)
    step = max(_BLOCK, int(2 * support))
    blocks = []
    for start in range(0, size, step):
        stop = min(start + step, size)
        low = max(0, int((start - width - first) / cell))
        high = min(n, int((stop + width - first) / cell) + 2)
        nodes = first + cell * np.arange(low, high)
        offset = (np.arange(start, stop + 1)[:, None] - nodes) / width
        matrices = np.stack([np.diff(np.interp(offset, x, f), axis=0) for f in cumulative])
        blocks.append((slice(start, stop), slice(low, high), matrices.astype(np.float32)))
    return blocks
