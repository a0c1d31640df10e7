"""The loops over the pixels of a tile, compiled."""

from __future__ import annotations

import numpy as np

from morphosphere.compiled import compiled, inlined

#: Bits of a weight, and where green and blue lie in a word.
_BITS, _GREEN, _BLUE = np.uint64(13), np.uint64(21), np.uint64(42)
_ONE = np.uint64(1) << _BITS
_HALVES = (_ONE >> np.uint64(1)) * (np.uint64(1) | np.uint64(1) << _GREEN | np.uint64(1) << _BLUE)


@inlined
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


@compiled
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


@inlined
def _word(colour):  # pragma: no cover
    """The three colours of a pixel in one word."""
    red, green, blue = np.uint64(colour[0]), np.uint64(colour[1]), np.uint64(colour[2])
    return red | green << _GREEN | blue << _BLUE


@compiled
def _pack(picture, out):  # pragma: no cover
    """A picture (h, h, 3) as (h + 1, h + 1) words, its last row and column repeated."""
    last = picture.shape[0] - 1
    for i in range(last + 2):
        for j in range(last + 2):
            out[i, j] = _word(picture[min(i, last), min(j, last)])


@compiled
def _sample(us, vs, window, side, fade, start, weights):  # pragma: no cover
    """Where each pixel of a row of a cell lies on a packed picture, and the weights of its parts.

    `weights` (5, p) are those of the pixels beside, below, below beside and at the place, and of
    the sky; what is missing to one is the dark line's.
    """
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    scale, last = np.float32(side), np.float32(side - 1)
    whole = np.float32(_ONE)
    for j in range(us.size):
        u, v, w = us[j], vs[j], window[j]
        inside = min(max((half - max(abs(u), abs(v))) * fade, zero), one)
        x = min(max((u + half) * scale - half, zero), last)
        y = min(max((half - v) * scale - half, zero), last)
        left, top = np.int32(x), np.int32(y)
        fx, fy = x - np.float32(left), y - np.float32(top)
        all_of_it = np.int32(w * inside * whole + half)
        share = np.float32(all_of_it)
        beside = np.int32(fx * (one - fy) * share)
        below = np.int32((one - fx) * fy * share)
        both = np.int32(fx * fy * share)
        start[j] = top * np.int32(side + 1) + left
        weights[0, j] = beside
        weights[1, j] = below
        weights[2, j] = both
        weights[3, j] = all_of_it - beside - below - both
        weights[4, j] = np.int32(w * whole + half) - all_of_it


@compiled
def draw_cells(
    right, up, creases, pictures, which, window, fade, sky, dark, out
):  # pragma: no cover
    """Draw one picture into each cell of a tile.

    Pictures are sampled bilinearly. The three colours of a pixel lie 21 bits apart in one word, so
    that a product by a weight of 13 bits is made for all at once; weights are cut at 1/8192, which
    changes a colour by less than 0.2 of its 255 steps.

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
    sky, dark : ndarray of uint8, shape (3,)
        Colour outside of pictures; colour where the window is 0.
    out : ndarray of uint8, shape (S * p, S * p, 3)
    """
    cells, size, side = which.shape[0], window.shape[0], pictures.shape[1]
    span = size // (right.shape[2] - 1)
    slope = np.float32(1.0 / max(fade, 1e-6))
    us, vs = np.zeros(size, np.float32), np.zeros(size, np.float32)
    start, weights = np.empty(size, np.int32), np.empty((5, size), np.int32)
    packed = np.zeros((side + 1, side + 1), np.uint64)
    flat, stride = packed.reshape(-1), side + 1
    sky_word, dark_word = _word(sky), _word(dark)
    for a in range(cells):
        for b in range(cells):
            index = which[a, b]
            if index >= 0:
                _pack(pictures[index], packed)
            else:
                us[:] = np.float32(1.0)  # beside the picture
            for i in range(size):
                if index >= 0:
                    _fill_row(right[a, b], i, span, creases[a, b], us)
                    _fill_row(up[a, b], i, span, creases[a, b], vs)
                _sample(us, vs, window[i], side, slope, start, weights)
                line = out[a * size + i, b * size : (b + 1) * size]
                for j in range(size):
                    k = start[j]
                    beside, below = np.uint64(weights[0, j]), np.uint64(weights[1, j])
                    both, here = np.uint64(weights[2, j]), np.uint64(weights[3, j])
                    empty = np.uint64(weights[4, j])
                    total = flat[k] * here + flat[k + 1] * beside
                    total += flat[k + stride] * below + flat[k + stride + 1] * both
                    total += sky_word * empty + _HALVES
                    total += dark_word * (_ONE - beside - below - both - here - empty)
                    line[j, 0] = np.uint8(total >> _BITS)
                    line[j, 1] = np.uint8(total >> (_BITS + _GREEN))
                    line[j, 2] = np.uint8(total >> (_BITS + _BLUE))
