"""The loop over the pixels of a tile, compiled."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, fastmath=False)
def draw_cells(right, up, pictures, which, window, fade, sky, dark, out):  # pragma: no cover
    """Draw one picture into each cell of a tile.

    Parameters
    ----------
    right, up : ndarray of float32, shape (S, S, m + 1, m + 1)
        Place on the picture of each cell's nodes, in widths of the picture from its centre.
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
    steps = right.shape[2] - 1
    span = size // steps
    last = side - 1
    half = np.float32(0.5)
    one = np.float32(1.0)
    scale = np.float32(side)
    slope = np.float32(1.0 / max(fade, 1e-6))
    inverse = np.float32(1.0 / span)
    for a in range(cells):
        for b in range(cells):
            index = which[a, b]
            for i in range(size):
                ni = i // span
                ti = (np.float32(i - ni * span) + half) * inverse
                for nj in range(steps):
                    # Linear along the row of pixels within this interval of nodes.
                    u0 = right[a, b, ni, nj] * (one - ti) + right[a, b, ni + 1, nj] * ti
                    u1 = right[a, b, ni, nj + 1] * (one - ti) + right[a, b, ni + 1, nj + 1] * ti
                    v0 = up[a, b, ni, nj] * (one - ti) + up[a, b, ni + 1, nj] * ti
                    v1 = up[a, b, ni, nj + 1] * (one - ti) + up[a, b, ni + 1, nj + 1] * ti
                    du, dv = (u1 - u0) * inverse, (v1 - v0) * inverse
                    u, v = u0 + half * du, v0 + half * dv
                    for j in range(nj * span, nj * span + span):
                        w = window[i, j]
                        border = half - max(abs(u), abs(v))
                        inside = min(border * slope, one) if border > 0 and index >= 0 else 0
                        alpha = np.float32(w * inside)
                        row, col = a * size + i, b * size + j
                        x = (u + half) * scale - half
                        y = (half - v) * scale - half
                        u += du
                        v += dv
                        if alpha <= 0:
                            for c in range(3):
                                value = sky[c] * w + dark[c] * (one - w)
                                out[row, col, c] = np.uint8(value + half)
                            continue
                        x = min(max(x, np.float32(0)), np.float32(last))
                        y = min(max(y, np.float32(0)), np.float32(last))
                        left, top = int(x), int(y)
                        fx, fy = x - np.float32(left), y - np.float32(top)
                        beside, below = min(left + 1, last), min(top + 1, last)
                        for c in range(3):
                            upper = (
                                pictures[index, top, left, c] * (one - fx)
                                + pictures[index, top, beside, c] * fx
                            )
                            lower = (
                                pictures[index, below, left, c] * (one - fx)
                                + pictures[index, below, beside, c] * fx
                            )
                            value = upper * (one - fy) + lower * fy
                            value = value * inside + sky[c] * (one - inside)
                            value = value * w + dark[c] * (one - w)
                            out[row, col, c] = np.uint8(value + half)
