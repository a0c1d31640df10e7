"""Images at another size: Pillow's bilinear resampling without its copies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from morphosphere.compiled import compiled

#: Bits behind the point of a weight, as in Pillow.
_BITS = 22
_HALF = 1 << (_BITS - 1)

Box = tuple[float, float, float, float]


def resized(pixels: np.ndarray, box: Box, size: int) -> np.ndarray:
    """A box of a colour picture as (3, size, size).

    The numbers of ``Image.resize((size, size), Image.Resampling.BILINEAR, box=box)``: a triangle as
    wide as a pixel of either grid, first along rows, then along columns, rounded to 8 bits after
    each. Of pictures taller than wide Pillow takes columns first at times; some numbers are then
    off by one.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    box : tuple of float
        Left, top, right and bottom in pixels.
    size : int
    """
    left, top, right, bottom = box
    across = _weights(pixels.shape[1], left, right, size)
    down = _weights(pixels.shape[0], top, bottom, size)
    out = np.empty((3, size, size), np.uint8)
    _resize_colours(np.ascontiguousarray(pixels), *across[::2], *down[::2], out)
    return out


def resized_plane(plane: np.ndarray, box: Box, size: int) -> np.ndarray:
    """A box of numbers (H, W), float32, as (size, size), with the same weights, not rounded."""
    left, top, right, bottom = box
    across = _weights(plane.shape[1], left, right, size)
    down = _weights(plane.shape[0], top, bottom, size)
    out = np.empty((size, size), np.float32)
    _resize_numbers(np.ascontiguousarray(plane), *across[:2], *down[:2], out)
    return out


@lru_cache(maxsize=64)
def _weights(
    length: int, low: float, high: float, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First pixel of each new pixel along an axis, and weights (size, K), also as int32."""
    scale = float(np.float32(high) - np.float32(low)) / size  # Pillow's boxes are float32
    width = max(scale, 1.0)
    centre = float(np.float32(low)) + (np.arange(size) + 0.5) * scale
    first = np.maximum((centre - width + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + width + 0.5).astype(np.int64), length)
    place = first[:, None] + np.arange((last - first).max())
    weights = np.maximum(0.0, 1 - np.abs((place + 0.5 - centre[:, None]) / width))
    weights[place >= last[:, None]] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    # The last weights may be 0 and beyond the edge: their pixels are the edge's instead.
    inside = np.minimum(first, length - weights.shape[1])
    weights = np.stack([np.roll(row, n) for row, n in zip(weights, first - inside)])
    return inside, weights, (weights * (1 << _BITS) + 0.5).astype(np.int32)


@compiled
def _resize_colours(pixels, left, across, top, down, out):  # pragma: no cover
    size = out.shape[1]
    start = top[0]
    rows = top[size - 1] + down.shape[1] - start
    narrow = np.empty((3, rows, size), np.uint8)
    for i in range(rows):
        for j in range(size):
            red = green = blue = np.int32(_HALF)
            for k in range(across.shape[1]):
                weight, column = across[j, k], left[j] + k
                red += np.int32(weight * pixels[start + i, column, 0])
                green += np.int32(weight * pixels[start + i, column, 1])
                blue += np.int32(weight * pixels[start + i, column, 2])
            narrow[0, i, j] = np.uint8(red >> _BITS)
            narrow[1, i, j] = np.uint8(green >> _BITS)
            narrow[2, i, j] = np.uint8(blue >> _BITS)
    total = np.empty(size, np.int32)
    for c in range(3):
        for i in range(size):
            total[:] = np.int32(_HALF)
            for k in range(down.shape[1]):
                weight = down[i, k]
                line = narrow[c, top[i] - start + k]
                for j in range(size):
                    total[j] += np.int32(weight * line[j])
            for j in range(size):
                out[c, i, j] = np.uint8(total[j] >> _BITS)


@compiled
def _resize_numbers(plane, left, across, top, down, out):  # pragma: no cover
    size, width = out.shape[0], plane.shape[1]
    low = np.empty(width, np.float64)
    for i in range(size):
        low[:] = 0
        for k in range(down.shape[1]):
            weight, line = down[i, k], plane[top[i] + k]
            for j in range(width):
                low[j] += weight * line[j]
        for j in range(size):
            total = 0.0
            for k in range(across.shape[1]):
                total += across[j, k] * low[left[j] + k]
            out[i, j] = total
