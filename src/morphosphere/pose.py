"""Turn and mirror images: how a canonical picture is drawn in the pose of a galaxy.

Angles are counter-clockwise as seen on the picture, whose row 0 is the top. A galaxy's image is
``turn(mirror(canonical) if flip else canonical, angle)``.
"""

from __future__ import annotations

import numpy as np


def mirror(images: np.ndarray) -> np.ndarray:
    """Images (..., H, W) with left and right exchanged."""
    return images[..., ::-1]


def turn(images: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Turn square images about their centre, each by its own angle.

    Bilinear interpolation; what comes from outside the image continues its border.

    Parameters
    ----------
    images : ndarray, shape (N, C, S, S)
    angle : float or ndarray, shape (N,)
        Degrees, counter-clockwise.

    Returns
    -------
    ndarray of float32, shape (N, C, S, S)
    """
    count, channels, size, _ = images.shape
    theta = np.radians(np.broadcast_to(np.asarray(angle, dtype=np.float64), count))
    cos, sin = np.cos(theta)[:, None, None], np.sin(theta)[:, None, None]
    # Offsets from the centre, x to the right and y up. What stands at (x, y) after the turn stood
    # at the same place turned back.
    y, x = np.meshgrid(*[np.arange(size) - (size - 1) / 2] * 2, indexing="ij")
    y = -y
    old_x = cos * x + sin * y
    old_y = cos * y - sin * x
    column = np.clip(old_x + (size - 1) / 2, 0, size - 1)
    row = np.clip((size - 1) / 2 - old_y, 0, size - 1)
    left = np.minimum(column.astype(np.intp), max(size - 2, 0))
    top = np.minimum(row.astype(np.intp), max(size - 2, 0))
    dx = (column - left).astype(np.float32)
    dy = (row - top).astype(np.float32)

    flat = images.reshape(count, channels, size * size).astype(np.float32, copy=False)
    step = 0 if size == 1 else 1

    def corner(down: int, right: int) -> np.ndarray:
        index = ((top + down * step) * size + left + right * step).reshape(count, 1, -1)
        return np.take_along_axis(flat, index, axis=2).reshape(count, channels, size, size)

    dx, dy = dx[:, None], dy[:, None]
    upper = corner(0, 0) * (1 - dx) + corner(0, 1) * dx
    lower = corner(1, 0) * (1 - dx) + corner(1, 1) * dx
    return upper * (1 - dy) + lower * dy


def posed(canonical: np.ndarray, angle: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """Canonical images in the pose of their galaxies.

    Parameters
    ----------
    canonical : ndarray, shape (N, C, S, S)
    angle : ndarray, shape (N,)
        Degrees, counter-clockwise.
    flip : ndarray of bool, shape (N,)

    Returns
    -------
    ndarray of float32, shape (N, C, S, S)
    """
    flip = np.asarray(flip, dtype=bool)[:, None, None, None]
    return turn(np.where(flip, mirror(canonical), canonical), angle)


def unposed(images: np.ndarray, angle: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """The inverse of `posed`: images turned and mirrored into the canonical pose."""
    flip = np.asarray(flip, dtype=bool)[:, None, None, None]
    turned = turn(images, -np.asarray(angle, dtype=np.float64))
    return np.where(flip, mirror(turned), turned)
