"""Levels of smoothing: which particles they have, their grids, and what takes these to pixels."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from morphosphere.render.kernel import separable_terms, variance
from morphosphere.render.splat import sort

#: Levels within a factor of two of the radius of the kernel.
PER_FACTOR_TWO = 4
#: Cells of a level's grid within the radius of its kernel.
CELLS = 5
#: Terms of the separable kernel; two leave 0.2 % of the flux in the wrong place.
RANK = 2
#: From this radius on, in pixels, a level's kernels are drawn on pixels twice as wide.
COARSE = 6.0
#: Pixels that such a picture has more on each side.
PAD = 5
#: Samples of the integrated terms of the kernel.
_SAMPLES = 1024


@dataclass(frozen=True)
class Levels:
    """Particles sorted into levels of smoothing; the same for all cameras.

    Attributes
    ----------
    place : ndarray of int, shape (N,)
        Place of each particle in the order from the smallest to the largest level.
    bounds : ndarray of int, shape (L + 1,)
        Level k has the places from ``bounds[k]`` up to ``bounds[k + 1]``.
    upper : ndarray of float32, shape (N,)
        Share of each particle, in that order, that goes to the next level.
    support : ndarray of float32, shape (N,)
        Radius of each particle's kernel in pixels, in that order.
    raised : int
        The first so many have the smallest kernel and no share in the next level.
    first : float
        Support radius of the kernel of level 0, in pixels.
    """

    place: np.ndarray
    bounds: np.ndarray
    upper: np.ndarray
    support: np.ndarray
    raised: int
    first: float

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def radius(self, level: int) -> float:
        """Support radius of a level's kernel in pixels."""
        return self.first * 2.0 ** (level / PER_FACTOR_TWO)


def sort_into_levels(support: np.ndarray, smallest: float) -> Levels:
    """Sort particles into levels.

    Parameters
    ----------
    support : ndarray, shape (N,)
        Support radius of each particle's kernel in pixels.
    smallest : float
        Smaller radii are raised to this one, in pixels.
    """
    support = np.ascontiguousarray(support, dtype=np.float64)
    return Levels(*sort(support, float(smallest), PER_FACTOR_TWO), float(smallest))


@dataclass(frozen=True)
class Octave:
    """A picture on which kernels within a factor of two are drawn.

    Attributes
    ----------
    number : int
        Pixels are ``scale = 2**number`` of those of the final picture wide.
    start : float
        Where the first of them begins, in pixels of the final picture.
    size : int
        How many there are along an axis.
    """

    number: int
    start: float
    size: int

    @property
    def scale(self) -> float:
        """Width of a pixel, in pixels of the final picture."""
        return 2.0**self.number


@functools.lru_cache(maxsize=256)
def octave(number: int, size: int) -> Octave:
    """An octave of a picture of a size; octave 0 is the picture itself."""
    start = 0.0
    for k in range(number):
        start -= PAD * 2.0 ** (k + 1)
        size = (size + 1) // 2 + 2 * PAD
    return Octave(number, start, size)


def octave_of(radius: float) -> int:
    """Number of the octave on which a kernel of this radius is drawn."""
    return max(0, int(np.floor(np.log2(radius / COARSE) + 1e-9)) + 1)


@dataclass(frozen=True)
class Grid:
    """A level's grid and the matrices from its nodes to the pixels of its octave.

    Attributes
    ----------
    octave : Octave
    first, cell : float
        First node and distance of nodes, in pixels of the final picture.
    nodes : int
        Along an axis.
    low : ndarray of int, shape (S,)
        First node of those that reach each pixel.
    matrices : ndarray of float32, shape (R, S, B)
        Integral of each term of the kernel over each pixel, for the nodes from `low` on.
    """

    octave: Octave
    first: float
    cell: float
    nodes: int
    low: np.ndarray
    matrices: np.ndarray

    def dense(self) -> np.ndarray:
        """The matrices with all nodes, shape (R, S, nodes)."""
        full = np.zeros((*self.matrices.shape[:2], self.nodes), np.float32)
        index = self.low[:, None] + np.arange(self.matrices.shape[2])
        full[:, np.arange(len(self.low))[:, None], index] = self.matrices
        return full


@functools.lru_cache(maxsize=256)
def grid_of(radius: float, size: int) -> Grid:
    """The grid of a level for a picture of a size.

    The blur of the linear deposit is taken off the width of the kernel.
    """
    drawn = octave(octave_of(radius), size)
    support = radius / drawn.scale
    cell = support / CELLS
    width = np.sqrt(support**2 - cell**2 / (6 * variance()))
    nodes = int(np.ceil((drawn.size + 2 * support) / cell)) + 1
    band = min(int(np.ceil((1 + 2 * width) / cell)) + 1, nodes)
    pixels = np.arange(drawn.size)
    low = np.clip(np.floor((pixels - width + support) / cell).astype(np.int64), 0, nodes - band)
    places = (low[:, None] + np.arange(band)) * cell - support
    x, cumulative, _ = separable_terms(RANK)
    near, far = (np.arange(2)[:, None, None] + pixels[:, None] - places) / width
    matrices = np.stack([np.interp(far, x, f) - np.interp(near, x, f) for f in cumulative])
    first = drawn.start - support * drawn.scale
    return Grid(drawn, first, cell * drawn.scale, nodes, low, matrices.astype(np.float32))


@functools.cache
def table() -> np.ndarray:
    """Integrals of the kernel's two terms from -1 on, in even steps to 1, and their steps.

    Returns
    -------
    ndarray of float32, shape (samples + 1, 4)
    """
    x, cumulative, _ = separable_terms(RANK)
    places = np.linspace(-1, 1, _SAMPLES + 1)
    values = np.stack([np.interp(places, x, f) for f in cumulative], axis=-1).astype(np.float32)
    return np.concatenate([values, np.diff(values, axis=0, append=values[-1:])], axis=1)


@functools.cache
def taps() -> np.ndarray:
    """What divides the sum in a pixel between its halves; shape (PAD,).

    The right half has more than the left by ``sum_k taps[k] (c[k + 1] - c[-k - 1])``, with the sums
    ``c`` of the pixels around. Least squares for all kernels that are drawn on coarse pixels: these
    are hardly wider than pixels, and a polynomial through the sums would be wrong by 7 % for the
    narrowest, where this is by 1 %.
    """
    x, cumulative, _ = separable_terms(RANK)
    differences, shares = [], []
    for support in np.geomspace(COARSE / 2, COARSE * 2 ** (1 / PER_FACTOR_TWO), 12):
        for offset in np.arange(8) / 8:
            edges = np.arange(-16, 16.5, 0.5) - offset
            halves = np.diff(np.interp(edges / support, x, cumulative[0]))
            left, right = halves[0::2], halves[1::2]
            # beyond the ends there is nothing
            around = np.pad(left + right, PAD)
            views = [around[PAD + k : len(around) - PAD + k] for k in range(-PAD, PAD + 1)]
            differences.append([views[PAD + k] - views[PAD - k] for k in range(1, PAD + 1)])
            shares.append(right - left)
    matrix = np.concatenate(differences, axis=1).T
    return np.linalg.lstsq(matrix, np.concatenate(shares), rcond=None)[0].astype(np.float32)
