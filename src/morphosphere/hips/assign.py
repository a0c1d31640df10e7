"""Which galaxy stands in which cell: the closest pairs first, each galaxy at most once."""

from __future__ import annotations

import itertools

import hpgeom
import numpy as np

from morphosphere.hips.geometry import cell_width, directions

#: Pairs of image and cell that are held at a time.
PAIRS = 1 << 19
#: Images whose pairs are found at a time.
_CHUNK = 1 << 13


def assign_cells(
    lon: np.ndarray,
    lat: np.ndarray,
    galaxy: np.ndarray,
    *,
    order: int,
    reach: float,
    pairs: int = PAIRS,
) -> np.ndarray:
    """Give each cell an image, greedily by increasing distance.

    All pairs of an image and a cell that are at most `reach` cell widths apart compete, among the
    cell that the image lies in and its neighbours; the closest pair whose cell and galaxy are both
    free is made first. Equal distances are decided by the smaller row, then the smaller cell.

    Parameters
    ----------
    lon, lat : ndarray, shape (N,)
        Positions of the images in degrees; rows with NaN are left out.
    galaxy : ndarray of int, shape (N,)
        What may be shown once only: a number from 0 for each row's galaxy.
    order : int
        HEALPix order of the cells.
    reach : float
        In widths of a cell, at most 1.
    pairs : int
        About so many pairs are held in memory; the result does not depend on it.

    Returns
    -------
    ndarray of int32, shape (12 * 4**order,)
        Row of each cell's image; -1 for none.
    """
    rows = np.full(12 * 4**order, -1, dtype=np.int32)
    used = np.zeros(int(galaxy.max(initial=-1)) + 1, dtype=bool)
    limit = reach * cell_width(order)
    passes = max(1, -(-9 * len(lon) // pairs))
    # Pairs are spread over area, so rings of equal area hold about equally many.
    edges = limit * np.sqrt(np.arange(passes + 1) / passes)
    for inner, outer in itertools.pairwise(edges):
        final = outer == edges[-1]
        found = _pairs(lon, lat, galaxy, rows, used, order, inner, outer, final)
        distance, row, cell = found
        for k in np.lexsort((cell, row, distance)):
            r, c = row[k], cell[k]
            g = galaxy[r]
            if rows[c] < 0 and not used[g]:
                rows[c] = r
                used[g] = True
        if (rows >= 0).all() or used.all():
            break
    return rows


def _pairs(
    lon: np.ndarray,
    lat: np.ndarray,
    galaxy: np.ndarray,
    rows: np.ndarray,
    used: np.ndarray,
    order: int,
    inner: float,
    outer: float,
    final: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chord, row and cell of the free pairs at distances in [inner, outer) (final: and outer)."""
    nside = 1 << order
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, len(lon), _CHUNK):
        part = slice(start, start + _CHUNK)
        usable = np.isfinite(lon[part]) & np.isfinite(lat[part]) & ~used[galaxy[part]]
        row = start + np.flatnonzero(usable)
        if not len(row):
            continue
        own = hpgeom.angle_to_pixel(nside, lon[row], lat[row])
        cell = np.concatenate([own[:, None], hpgeom.neighbors(nside, own)], axis=1)
        theta, phi = np.radians(lat[row]), np.radians(lon[row])
        place = np.stack(
            [np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], axis=-1
        )
        exists = cell >= 0
        centre = directions(order, np.where(exists, cell, 0))
        chord = np.sqrt(((centre - place[:, None]) ** 2).sum(axis=-1))
        keep = exists & (chord >= inner) & ((chord <= outer) if final else (chord < outer))
        keep &= rows[np.where(exists, cell, 0)] < 0
        n, k = np.nonzero(keep)
        found.append((chord[n, k], row[n], cell[n, k]))
    if not found:
        return np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64)
    # At orders 0 a cell can be a neighbour twice over; the second of equal pairs finds it taken.
    return tuple(np.concatenate(parts) for parts in zip(*found))  # type: ignore[return-value]
