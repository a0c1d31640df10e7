"""The compiled loops of the projection: over particles, over nodes of grids, over pixels.

Places are in pixels of the final picture; an octave's picture has wider pixels (`levels.Octave`).
Pictures are stored with their channels side by side and with columns that are not shown, as
float32 of shape ``(S + 1, (S + 2 MARGIN) * C)``: the pixels that a kernel covers in a row are one
piece of memory, and kernels need not be cut at the left and right. The last row is there for the
steps in which a row is added up.
"""

from __future__ import annotations

import numpy as np

from morphosphere.compiled import compiled, inlined

#: Columns of a picture on each side that are not shown, so that kernels need not be cut there.
MARGIN = 16
#: Numbers that are added at a time.
_STEP = 32


@compiled
def sort(support, smallest, per_factor_two):  # type: ignore[no-untyped-def]
    """Levels of particles by counting; see `levels.sort_into_levels`.

    Returns
    -------
    place, bounds, upper, support, raised
        As in `levels.Levels`.
    """
    count = len(support)
    # bin 0 is for kernels raised to the smallest, and needs no logarithm; bin k + 1 for level k
    number = np.empty(count, np.int16)
    highest = 0
    for p in range(count):
        value = support[p]
        k = np.int16(0)
        if value > smallest:
            k = np.int16(np.floor(np.log2(value / smallest) * per_factor_two + 1e-9)) + 1
        number[p] = k
        highest = max(highest, k)
    starts = np.zeros(highest + 2, np.int64)
    for p in range(count):
        starts[number[p] + 1] += 1
    for k in range(highest + 1):
        starts[k + 1] += starts[k]
    free = starts.copy()
    squares = np.empty(highest + 1)
    for k in range(highest + 1):
        squares[k] = (smallest * 2.0 ** ((k - 1) / per_factor_two)) ** 2
    step = 2.0 ** (2.0 / per_factor_two) - 1
    place = np.empty(count, np.int32)
    upper = np.zeros(count, np.float32)
    radius = np.empty(count, np.float32)
    for p in range(count):
        k = number[p]
        at = free[k]
        free[k] += 1
        place[p] = at
        if k:
            value = support[p]
            radius[at] = value
            upper[at] = min(max((value * value / squares[k] - 1) / step, 0.0), 1.0)
        else:
            radius[at] = smallest
    raised = starts[1]
    bounds = starts[1:].copy()
    if highest:
        bounds[0] = 0
    else:
        bounds = np.array([0, count]) if count else np.zeros(1, np.int64)
    return place, bounds, upper, radius, raised


@compiled
def arrange(values, place, out):  # type: ignore[no-untyped-def]
    """Bring numbers (N,) into the order of the levels, as float32 in `out` (N,)."""
    for p in range(len(place)):
        out[place[p]] = values[p]


@compiled
def deposit(grid, first, cell, positions, weights, share, start, stop, higher):  # type: ignore[no-untyped-def]
    """Share each particle among the four nearest nodes of a grid.

    Parameters
    ----------
    grid : ndarray of float32, shape (C, n, n)
        Added to.
    first, cell : float
        First node and distance of nodes.
    positions : ndarray of float32, shape (2, N)
    weights : ndarray of float32, shape (C, N)
    share : ndarray of float32, shape (N,)
        Share of each particle that goes to the next higher level.
    start, stop : int
        The particles that are deposited.
    higher : bool
        Whether the grid is that of the higher level; else what is left is deposited.
    """
    nodes = grid.shape[1]
    end, one = np.float32(nodes - 1), np.float32(1)
    per_cell, offset = np.float32(1 / cell), np.float32(-first / cell)
    for channel in range(grid.shape[0]):
        plane = grid[channel].reshape(nodes * nodes)
        weight = weights[channel]
        for p in range(start, stop):
            part = share[p] if higher else one - share[p]
            x = positions[0, p] * per_cell + offset
            y = positions[1, p] * per_cell + offset
            if x >= 0 and y >= 0 and x < end and y < end:
                i, j = np.int32(x), np.int32(y)
                right, down = x - np.float32(i), y - np.float32(j)
                here = part * weight[p]
                below = here * down
                here -= below
                base = np.int64(j) * nodes + i
                plane[base] += here - here * right
                plane[base + 1] += here * right
                plane[base + nodes] += below - below * right
                plane[base + nodes + 1] += below * right


@compiled
def smooth(picture, grid, low, matrices, signs):  # type: ignore[no-untyped-def]
    """Add a level's grid, smoothed and summed into pixels, to a picture.

    Parameters
    ----------
    picture : ndarray of float32, shape (S + 1, (S + 2 MARGIN) * C)
    grid : ndarray of float32, shape (C, n, n)
    low : ndarray of int, shape (S,)
        First of the nodes that reach each pixel.
    matrices : ndarray of float32, shape (R, S, B)
        Each term's integral over a pixel, of the kernels at the nodes from `low` on.
    signs : ndarray, shape (R,)
    """
    size, channels = picture.shape[0] - 1, grid.shape[0]
    terms, _, band = matrices.shape
    nodes = grid.shape[1]
    total = np.empty(nodes, np.float32)
    for row in range(size):
        for channel in range(channels):
            for term in range(terms):
                total[:] = 0
                for k in range(band):
                    factor = matrices[term, row, k] * np.float32(signs[term])
                    line = grid[channel, low[row] + k]
                    for n in range(nodes):
                        total[n] += factor * line[n]
                for column in range(size):
                    value = np.float32(0)
                    start = low[column]
                    for k in range(band):
                        value += matrices[term, column, k] * total[start + k]
                    picture[row, (MARGIN + column) * channels + channel] += value


@inlined
def _across(out, edge, per_pixel, table, width):  # type: ignore[no-untyped-def]
    """Integrals of both terms over `width` pixels that hold the kernel.

    `edge` is the place of the first edge between two pixels, in samples of the table.
    """
    before_one = before_two = np.float32(0)
    for n in range(width - 1):
        t = np.int32(edge)
        rest = edge - np.float32(t)
        one = table[t, 0] + rest * table[t, 2]
        two = table[t, 1] + rest * table[t, 3]
        out[0, n] = one - before_one
        out[1, n] = two - before_two
        before_one, before_two = one, two
        edge += per_pixel
    out[0, width - 1] = table[-1, 0] - before_one
    out[1, width - 1] = table[-1, 1] - before_two


@compiled
def splat(picture, first, scale, positions, weights, support, start, stop, table, signs):  # type: ignore[no-untyped-def]
    """Add the kernel of each particle, integrated over pixels, to a picture.

    Parameters
    ----------
    picture : ndarray of float32, shape (S + 1, (S + 2 MARGIN) * C)
    first, scale : float
        Where the picture's pixels begin, and their width.
    positions : ndarray of float32, shape (2, N)
    weights : ndarray of float32, shape (C, N)
    support : ndarray of float32, shape (N,)
        Radius of each kernel; of those that are drawn at most 7.2 pixels of the picture.
    start, stop : int
        The particles that are drawn.
    table : ndarray of float32, shape (T + 1, 4)
        Integrals of the two terms of the kernel from -1 to ``2 t / T - 1``, and their steps.
    signs : ndarray, shape (2,)
    """
    channels, size = weights.shape[0], picture.shape[0] - 1
    samples = table.shape[0] - 1
    columns = np.zeros((2, 16), np.float32)
    rows = np.zeros((2, 16), np.float32)
    one = np.zeros(16 * channels + _STEP, np.float32)
    two = np.zeros(16 * channels + _STEP, np.float32)
    flat = picture.reshape(picture.size)
    inverse, offset = np.float32(1 / scale), np.float32(-first / scale)
    for p in range(start, stop):
        radius = support[p] * inverse
        x, y = positions[0, p] * inverse + offset, positions[1, p] * inverse + offset
        if not (x + radius > 0 and x - radius < size and y + radius > 0 and y - radius < size):
            continue
        per_pixel = np.float32(0.5 * samples / radius)
        left, top = np.int64(np.floor(x - radius)), np.int64(np.floor(y - radius))
        width = np.int64(np.floor(x + radius)) + 1 - left
        height = np.int64(np.floor(y + radius)) + 1 - top
        _across(columns, np.float32(left + 1 - x + radius) * per_pixel, per_pixel, table, width)
        _across(rows, np.float32(top + 1 - y + radius) * per_pixel, per_pixel, table, height)
        # whole steps of the processor's vectors; the rest of the last is zero
        length = (width * channels + _STEP - 1) // _STEP * _STEP
        one[width * channels : length] = 0
        two[width * channels : length] = 0
        for channel in range(channels):
            a = np.float32(weights[channel, p] * signs[0])
            b = np.float32(weights[channel, p] * signs[1])
            for n in range(width):
                one[n * channels + channel] = a * columns[0, n]
                two[n * channels + channel] = b * columns[1, n]
        for n in range(max(-top, 0), min(height, size - top)):
            a, b = rows[0, n], rows[1, n]
            base = (top + n) * picture.shape[1] + (left + MARGIN) * channels
            line = flat[base : base + length]
            for m in range(length):
                line[m] += a * one[m] + b * two[m]


@compiled
def refine(coarse, fine, channels, taps):  # type: ignore[no-untyped-def]
    """Add a picture to one whose pixels are half as wide; the flux of each pixel is kept.

    Parameters
    ----------
    coarse : ndarray of float32, shape (T + 1, (T + 2 MARGIN) * C)
        With as many pixels more on each side as there are taps.
    fine : ndarray of float32, shape (S + 1, (S + 2 MARGIN) * C)
    channels : int
    taps : ndarray of float32, shape (K,)
        See `levels.taps`.
    """
    size, wide = fine.shape[0] - 1, coarse.shape[0] - 1
    pad, half = len(taps), np.float32(0.5)
    line = np.empty(wide, np.float32)
    for row in range(size):
        r = row // 2 + pad
        sign = half if row % 2 else -half
        for channel in range(channels):
            for n in range(wide):
                at = (MARGIN + n) * channels + channel
                change = np.float32(0)
                for k in range(pad):
                    change += taps[k] * (coarse[r + k + 1, at] - coarse[r - k - 1, at])
                line[n] = half * coarse[r, at] + sign * change
            for column in range(size):
                n = column // 2 + pad
                change = np.float32(0)
                for k in range(pad):
                    change += taps[k] * (line[n + k + 1] - line[n - k - 1])
                side = half if column % 2 else -half
                fine[row, (MARGIN + column) * channels + channel] += half * line[n] + side * change
