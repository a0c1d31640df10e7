"""The loops over the pixels of a tile, compiled."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, inline="always")
def _fill_row(nodes, row, span, crease, line):  # pragma: no cover
    """Values at the pixel centres of one row of a cell, from its nodes.

    Bilinear between nodes. Where the crease runs through a square of nodes, from corner to corner,
    the two triangles beside it are interpolated each for itself.
    """
    steps = nodes.shape[0] - 1
    i = row // span
    s = (np.float32(row - i * span) + np.float32(0.5)) / np.float32(span)
    for j in range(steps):
        a, b, c, d = nodes[i, j], nodes[i, j + 1], nodes[i + 1, j], nodes[i + 1, j + 1]
        start = a + s * (c - a)
        slope = b + s * (d - b) - start
        if crease and i + j == steps - 1:
            slope = b - a
            second = d - c
            end = d + (np.float32(1) - s) * (b - d)
            for k in range(span):
                t = (np.float32(k) + np.float32(0.5)) / np.float32(span)
                if s + t <= 1:
                    line[j * span + k] = start + slope * t
                else:
                    line[j * span + k] = end - second * (np.float32(1) - t)
        else:
            slope = slope / np.float32(span)
            for k in range(span):
                line[j * span + k] = start + slope * (np.float32(k) + np.float32(0.5))


@numba.njit(nogil=True, cache=True)
def fill_cells(nodes, creases, out):  # pragma: no cover
    """Values at the pixels of all cells of a tile, from their nodes.

    Parameters
    ----------
    nodes : ndarray of float32, shape (S, S, m + 1, m + 1)
    creases : ndarray of bool, shape (S, S)
        Whether the crease of a polar base pixel runs through the cell.
    out : ndarray of float32, shape (S, S, p, p)
    """
    size = out.shape[2]
    span = size // (nodes.shape[2] - 1)
    for a in range(out.shape[0]):
        for b in range(out.shape[1]):
            for i in range(size):
                _fill_row(nodes[a, b], i, span, creases[a, b], out[a, b, i])


@numba.njit(nogil=True, cache=True)
def draw_cells(
    right, up, creases, pictures, which, window, fade, sky, dark, out
):  # pragma: no cover
    """Draw one picture into each cell of a tile.

    Parameters
    ----------
    right, up : ndarray of float32, shape (S, S, m + 1, m + 1)
        Place on the picture of each cell's nodes, in widths of the picture from its centre.
    creases : ndarray of bool, shape (S, S)
        As in `fill_cells`.
    pictures : ndarray of uint8, shape (P, h, h, 3)
        Row 0 is the top.
    which : ndarray of int64, shape (S, S)
        Picture of each cell; -1 for none.
    window : ndarray of float32, shape (p, p)
        Weight of the picture against what lies between pictures, for each pixel of a cell.
    fade : float
        Over this fraction of its width the border of a picture fades into the sky.
    sky, dark : ndarray of float32, shape (3,)
        Colour outside of pictures; colour where the window is 0.
    out : ndarray of uint8, shape (S * p, S * p, 3)
    """
    cells, size, side = which.shape[0], window.shape[0], pictures.shape[1]
    span = size // (right.shape[2] - 1)
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    scale, last = np.float32(side), np.float32(side - 1)
    slope = np.float32(1.0 / max(fade, 1e-6))
    us = np.empty(size, np.float32)
    vs = np.empty(size, np.float32)
    for a in range(cells):
        for b in range(cells):
            index = which[a, b]
            for i in range(size):
                row = a * size + i
                if index >= 0:
                    _fill_row(right[a, b], i, span, creases[a, b], us)
                    _fill_row(up[a, b], i, span, creases[a, b], vs)
                for j in range(size):
                    col = b * size + j
                    w = window[i, j]
                    inside = zero
                    if index >= 0 and w > zero:
                        u, v = us[j], vs[j]
                        inside = (half - max(abs(u), abs(v))) * slope
                        inside = min(max(inside, zero), one)
                    if inside <= zero:
                        for c in range(3):
                            value = sky[c] * w + dark[c] * (one - w)
                            out[row, col, c] = np.uint8(value + half)
                        continue
                    x = min(max((u + half) * scale - half, zero), last)
                    y = min(max((half - v) * scale - half, zero), last)
                    left, top = int(x), int(y)
                    fx, fy = x - np.float32(left), y - np.float32(top)
                    beside, below = min(left + 1, side - 1), min(top + 1, side - 1)
                    for c in range(3):
                        upper = (
                            np.float32(pictures[index, top, left, c]) * (one - fx)
                            + np.float32(pictures[index, top, beside, c]) * fx
                        )
                        lower = (
                            np.float32(pictures[index, below, left, c]) * (one - fx)
                            + np.float32(pictures[index, below, beside, c]) * fx
                        )
                        value = upper * (one - fy) + lower * fy
                        value = value * inside + sky[c] * (one - inside)
                        value = value * w + dark[c] * (one - w)
                        out[row, col, c] = np.uint8(value + half)
