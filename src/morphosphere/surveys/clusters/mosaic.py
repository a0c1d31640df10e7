"""Pictures of galaxies laid over an embedding, none over another."""

from __future__ import annotations

import numpy as np

from morphosphere.pictures import rgb

#: Width of the drawn mosaic in pixels, about; more would take memory and not be seen.
WIDTH = 2300
#: Width of a cell in pixels, frame and gap included.
_LEAST_CELL, _MOST_CELL = 24, 72
_FRAME, _GAP = 3, 2


def square(positions: np.ndarray, margin: float = 0.03) -> tuple[np.ndarray, float]:
    """Corner (least x, least y) and width of the square about all positions (n, 2)."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    width = max(float((high - low).max()) * (1 + 2 * margin), 1e-6)
    return (low + high) / 2 - width / 2, width


def cells_of(positions: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Cell of each position (column, row from the bottom), and its distance from the centre.

    Returns
    -------
    cells : ndarray of int, shape (n, 2)
        In a grid of `side` by `side` over the square about all positions.
    distance : ndarray, shape (n,)
    """
    corner, width = square(positions)
    scaled = (positions - corner) / width * side
    cells = np.clip(scaled.astype(np.int64), 0, side - 1)
    return cells, np.hypot(*(scaled - cells - 0.5).T)


def most_central(positions: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The galaxy nearest to the centre of each occupied cell: rows (k,) and cells (k, 2)."""
    cells, distance = cells_of(positions, side)
    number = cells[:, 1] * side + cells[:, 0]
    order = np.lexsort((distance, number))
    first = np.unique(number[order], return_index=True)[1]
    rows = order[first]
    return rows, cells[rows]


def grid_side(positions: np.ndarray, wanted: int, most: int = 96) -> int:
    """Cells along the side of the finest grid with at most about `wanted` occupied cells."""
    for side in range(most, 3, -1):
        if len(most_central(positions, side)[0]) <= wanted:
            return side
    return 3


def cell_width(side: int) -> int:
    """Width of a cell in pixels, of so many along the side."""
    return max(_LEAST_CELL, min(_MOST_CELL, WIDTH // side))


def picture_width(side: int) -> int:
    """Width of a picture in pixels, of so many along the side."""
    return cell_width(side) - 2 * (_GAP + _FRAME)


def paint(
    pictures: np.ndarray, cells: np.ndarray, frames: np.ndarray, side: int, ground: np.ndarray
) -> np.ndarray:
    """The mosaic: each picture in its cell, in a frame of its colour.

    Parameters
    ----------
    pictures : ndarray, shape (k, C, S, S)
        Transformed images of S = `picture_width` pixels.
    cells : ndarray of int, shape (k, 2)
    frames : ndarray of uint8, shape (k, 3)
    ground : ndarray of uint8, shape (W, W, 3) with W = side * `cell_width`
        What is seen between the pictures; painted on.
    """
    cell, width = cell_width(side), picture_width(side)
    inner = cell - 2 * _GAP
    for picture, (column, row), frame in zip(rgb(pictures), cells, frames):
        top, left = (side - 1 - row) * cell + _GAP, column * cell + _GAP
        ground[top : top + inner, left : left + inner] = frame
        ground[top + _FRAME : top + _FRAME + width, left + _FRAME : left + _FRAME + width] = picture
    return ground
