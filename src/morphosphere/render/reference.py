"""The slow, obvious renderer that holds the fast one: every particle's kernel in every pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morphosphere.render.kernel import projected


def project_directly(
    positions: np.ndarray,
    weights: np.ndarray,
    support: np.ndarray,
    *,
    size: int,
    fine: int = 12,
    kernel: Callable[[np.ndarray, float], np.ndarray] = projected,
) -> np.ndarray:
    """Sum the projected kernel of each particle at `fine` x `fine` points of each pixel.

    Parameters
    ----------
    positions : ndarray, shape (N, 2)
        Column and row of each particle in pixels from the top left corner of the picture.
    weights : ndarray, shape (N,)
    support : ndarray, shape (N,)
        Support radius of each kernel in pixels.
    size : int
        Width and height in pixels.
    fine : int
        Points per pixel and axis at which the kernel is taken.
    kernel : callable
        Projected kernel, of distances and of its support radius.

    Returns
    -------
    ndarray of float64, shape (size, size)
        Flux in each pixel. Each kernel's sum over the plane is scaled to one, as its integral is.
    """
    image = np.zeros((size, size))
    for (x, y), weight, radius in zip(positions, weights, support):
        # all the points within the kernel, also those outside the picture
        columns = _points(x, radius, fine)
        rows = _points(y, radius, fine)
        distance = np.hypot((rows[:, None] + 0.5) / fine - y, (columns[None, :] + 0.5) / fine - x)
        values = kernel(distance, radius)
        values *= weight / values.sum()
        row, column = rows // fine, columns // fine
        inside = np.ix_((row >= 0) & (row < size), (column >= 0) & (column < size))
        row, column = row[(row >= 0) & (row < size)], column[(column >= 0) & (column < size)]
        np.add.at(image, np.ix_(row, column), values[inside])
    return image


def _points(centre: float, radius: float, fine: int) -> np.ndarray:
    low, high = np.floor((centre - radius) * fine), np.ceil((centre + radius) * fine)
    return np.arange(int(low), int(high) + 1)
