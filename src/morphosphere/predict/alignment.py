"""The pose of canonical images on CPUs, compiled and without PyTorch.

What is found is what `morphosphere.learn.align` finds, which stays the definition: polar images are
correlated at all angles, straight and mirrored. Here the correlation is summed along the diagonals
of one product of matrices, theirs (K, A) transposed times ours (K, A) with K rings of all channels
and A angles: at the few angles of small images a product costs less than Fourier transforms, and
mirror images cost nothing, as they are the other diagonals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from morphosphere.compiled import compiled, inlined


@dataclass(frozen=True)
class PolarTable:
    """Which pixels a sample of a polar image is made of, and in which parts.

    Attributes
    ----------
    angles : int
    corner : ndarray of int32, shape (R * A,)
        The upper left of the four neighbours, in the flattened image.
    weight : ndarray of float32, shape (4, R * A)
        Of the neighbours: upper left, upper right, lower left, lower right.
    ring : ndarray of float32, shape (R * A,)
        Radius in pixels, which weighs a sample by its area.
    """

    angles: int
    corner: np.ndarray
    weight: np.ndarray
    ring: np.ndarray


@lru_cache(maxsize=8)
def polar_table(size: int) -> PolarTable:
    """The grid of `morphosphere.learn.polar` for images of `size` pixels."""
    radii, angles = max(4, size // 2), max(32, 32 * round(size * 1.5 / 32))
    radius = ((np.arange(radii) + 0.5) / radii * ((size - 1) / 2))[:, None]
    angle = (np.arange(angles) + 0.5) * (2 * math.pi / angles)
    middle = (size - 1) / 2
    x = np.clip(middle + radius * np.cos(angle), 0, size - 1).ravel()
    y = np.clip(middle - radius * np.sin(angle), 0, size - 1).ravel()
    left, top = (np.minimum(np.floor(v), size - 2) for v in (x, y))
    dx, dy = x - left, y - top
    weight = np.stack([(1 - dx) * (1 - dy), dx * (1 - dy), (1 - dx) * dy, dx * dy])
    return PolarTable(
        angles,
        (top * size + left).astype(np.int32),
        weight.astype(np.float32),
        np.repeat(radius[:, 0], angles).astype(np.float32),
    )


def align(
    images: np.ndarray, canonical: np.ndarray, *, keep: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Turn (and mirror) canonical images onto the images they should look like.

    The library of matrix products should have one thread: the matrices are small.

    Parameters
    ----------
    images, canonical : ndarray of float32, shape (N, C, S, S)
        S is at least 2.
    keep : bool
        Whether the turned images are wanted.

    Returns
    -------
    angle : ndarray of float32, shape (N,)
        Degrees in [0, 360), counter-clockwise as seen on the picture (row 0 on top).
    flip : ndarray of bool, shape (N,)
        Whether `canonical` is mirrored left to right before it is turned.
    error : ndarray of float32, shape (N,)
        Mean absolute difference between the image and the turned one.
    aligned : ndarray of float32, shape (N, C, S, S), or None
        Bilinear; beyond the edge the nearest pixel is repeated.
    """
    count, size = len(images), images.shape[-1]
    table = polar_table(size)
    angle, flip = np.empty(count, np.float32), np.empty(count, np.bool_)
    error = np.empty(count, np.float32)
    # Images that nobody wants are drawn over each other, on one row that stays in the cache.
    shape = images.shape if keep else (1, images.shape[1], 1, size)
    aligned = np.empty(shape, np.float32)
    _align(
        np.ascontiguousarray(images, np.float32),
        np.ascontiguousarray(canonical, np.float32),
        table.angles,
        table.corner,
        table.weight,
        table.weight * table.ring,
        angle,
        flip,
        error,
        aligned,
    )
    return angle, flip, error, aligned if keep else None


@compiled
def _align(images, canonical, angles, corner, weight, weighted, angle, flip, error, aligned):
    count, channels = images.shape[:2]
    rings = channels * (len(corner) // angles)
    ours = np.empty((rings, angles), np.float32)
    theirs = np.empty((rings, angles), np.float32)
    product = np.empty((angles, angles), np.float32)
    score = np.empty((2, angles), np.float32)
    for n in range(count):
        _to_polar(images[n], corner, weighted, ours)
        _to_polar(canonical[n], corner, weight, theirs)
        np.dot(theirs.T, ours, product)
        _along_diagonals(product, score)
        angle[n], flip[n] = _highest(score)
        out = aligned[n % len(aligned)]
        error[n] = _turn(canonical[n], images[n], angle[n], flip[n], out)


@inlined
def _to_polar(image, corner, weight, out):
    """The polar image (C * R, A) of an image (C, S, S)."""
    count = len(corner)
    for c in range(len(image)):
        samples = out.ravel()[c * count : (c + 1) * count]
        _sample(image[c].ravel(), image.shape[1], corner, weight, samples)


@inlined
def _sample(pixels, size, corner, weight, out):
    """Weighted means of the four neighbours to the lower right of `corner`, shape (K,)."""
    for k in range(len(corner)):
        above = np.uint32(corner[k])
        below = above + np.uint32(size)
        upper = weight[0, k] * pixels[above] + weight[1, k] * pixels[above + np.uint32(1)]
        lower = weight[2, k] * pixels[below] + weight[3, k] * pixels[below + np.uint32(1)]
        out[k] = upper + lower


@inlined
def _along_diagonals(product, score):
    """Correlation at each shift of the angle: straight (row 0) and mirrored (row 1).

    Mirroring left to right takes sample k to A / 2 - 1 - k.
    """
    count = len(product)
    straight, mirrored = np.zeros(2 * count, np.float32), np.zeros(2 * count, np.float32)
    for b in range(count):
        row = product[b]
        minus, plus = straight[count - b : 2 * count - b], mirrored[b : b + count]
        for a in range(count):
            minus[a] += row[a]  # a - b + A
        for a in range(count):
            plus[a] += row[a]  # a + b
    for k in range(count):
        score[0, k] = straight[k] + straight[count + k]
        turned = (k + count // 2 - 1) % count
        score[1, k] = mirrored[turned] + mirrored[count + turned]


@inlined
def _highest(score):
    """Angle in degrees by a parabola through the maximum, and whether it is of the mirrored row."""
    count = score.shape[1]
    best = score.ravel().argmax()
    row, peak = score[best // count], best % count
    before, here, after = row[(peak - 1) % count], row[peak], row[(peak + 1) % count]
    bend = before - np.float32(2) * here + after
    offset = np.float32(0)
    if bend < 0:
        offset = max(
            np.float32(-0.5), min(np.float32(0.5), np.float32(0.5) * (before - after) / bend)
        )
    found = np.float32((peak + offset) * np.float32(360 / count)) % np.float32(360)
    return found, best >= count


@inlined
def _turn(canonical, image, angle, flip, out):
    """Mirror if `flip`, turn by `angle` into `out`; its mean absolute difference from `image`.

    Row j is written to row j modulo the number of rows of `out`.
    """
    channels, size = canonical.shape[:2]
    sign = np.float32(-1) if flip else np.float32(1)
    cos, sin = np.float32(math.cos(math.radians(angle))), np.float32(math.sin(math.radians(angle)))
    middle, last = np.float32((size - 1) / 2), np.float32(size - 1)
    at, weight = np.empty(size, np.int32), np.empty((4, size), np.float32)
    line, rows = np.empty(size, np.float32), out.shape[1]
    one, total = np.float32(1), 0.0
    for j in range(size):
        y = np.float32(j) - middle
        for i in range(size):
            x = np.float32(i) - middle
            column = min(max(sign * (cos * x - sin * y) + middle, np.float32(0)), last)
            row = min(max(sin * x + cos * y + middle, np.float32(0)), last)
            left = min(np.int32(column), np.int32(size - 2))
            top = min(np.int32(row), np.int32(size - 2))
            dx, dy = column - np.float32(left), row - np.float32(top)
            weight[0, i], weight[1, i] = (one - dx) * (one - dy), dx * (one - dy)
            weight[2, i], weight[3, i] = (one - dx) * dy, dx * dy
            at[i] = top * np.int32(size) + left
        for c in range(channels):
            _sample(canonical[c].ravel(), size, at, weight, line)
            target, source, gap = out[c, j % rows], image[c, j], np.float32(0)
            for i in range(size):
                gap += abs(line[i] - source[i])
            for i in range(size):
                target[i] = line[i]
            total += gap
    return np.float32(total / (channels * size * size))
