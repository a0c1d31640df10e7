"""How the sphere is used: entropy of cell occupancy, angles between views of galaxies."""

from __future__ import annotations

import numpy as np

#: Images that a cell holds, about, at the order at which the occupancy is looked at.
PER_CELL = 10
_MAX_ORDER = 12


def occupancy_order(count: int) -> int:
    """HEALPix order at which 12 * 4**order cells hold about ten of `count` images each."""
    if count < 1:
        return 0
    order = round(np.log(count / PER_CELL / 12) / np.log(4))
    return int(np.clip(order, 0, _MAX_ORDER))


def occupancy(lon: np.ndarray, lat: np.ndarray, order: int) -> np.ndarray:
    """Number of points in each HEALPix cell (nested), shape (12 * 4**order,)."""
    import hpgeom

    nside = 2**order
    cells = hpgeom.angle_to_pixel(nside, lon, lat, nest=True, lonlat=True, degrees=True)
    return np.bincount(cells, minlength=12 * nside**2)


def normalised_entropy(counts: np.ndarray) -> float:
    """Shannon entropy of the occupancy over that of evenly filled cells: 1 if even, 0 if one cell.

    Not corrected for finite numbers: points placed at random, ten to a cell, have about
    1 - 0.05 / ln(cells).
    """
    share = counts[counts > 0] / counts.sum()
    return float(max(0.0, -(share * np.log(share)).sum()) / np.log(len(counts)))


def random_sphere(count: int, random: np.random.Generator) -> np.ndarray:
    """Unit vectors (count, 3), evenly distributed."""
    vectors = random.standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle in degrees between vectors (..., 3), exact for small angles too."""
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(cross, (a * b).sum(axis=-1)))


def view_pairs(
    galaxies: np.ndarray, random: np.random.Generator, maximum: int = 20_000
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows: views of one galaxy, and of two.

    Parameters
    ----------
    galaxies : ndarray, shape (N,)
        The galaxy that each image shows.
    random : Generator
    maximum : int
        Pairs at most of each kind, chosen at random.

    Returns
    -------
    same, other : ndarray of int, shape (P, 2)
        `same` holds every pair of views of a galaxy once, as long as there are few enough.
        Either may be empty.
    """
    codes = np.unique(galaxies, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    same = []
    # Views of a galaxy stand together in `order`: pair each with those 1, 2, ... further on.
    for step in range(1, len(order)):
        first, second = order[:-step], order[step:]
        together = codes[first] == codes[second]
        if not together.any():
            break
        same.append(np.stack([first[together], second[together]], axis=1))
        if sum(map(len, same)) > 50 * maximum:
            break
    same_rows = np.concatenate(same) if same else np.empty((0, 2), int)
    if len(same_rows) > maximum:
        same_rows = same_rows[np.sort(random.choice(len(same_rows), maximum, replace=False))]
    other = np.empty((0, 2), int)
    if len(codes) and codes.max() > 0:
        pairs = random.integers(len(codes), size=(maximum, 2))
        other = pairs[codes[pairs[:, 0]] != codes[pairs[:, 1]]]
    return same_rows, other
