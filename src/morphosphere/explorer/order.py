"""The order in which the page gets its galaxies: a fair sample first, then piece by piece of sky.

A page that shows the whole sphere needs only the first chunk; one that is zoomed in also needs the
chunks that touch its view, and the index says where each chunk lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.bundle import lonlat, unit_vector


@dataclass(frozen=True)
class Chunk:
    """A run of galaxies in map order, and the cap of the sphere that holds them.

    Attributes
    ----------
    first, count : int
        Rows of the map order.
    lon, lat, radius : float
        Centre and angular radius of the cap, degrees.
    """

    first: int
    count: int
    lon: float
    lat: float
    radius: float


def map_order(lon: np.ndarray, lat: np.ndarray, *, chunk_rows: int, seed: int) -> np.ndarray:
    """Rows of the catalogue in the order of the page.

    Parameters
    ----------
    lon, lat : ndarray, shape (N,)
        Degrees.
    chunk_rows : int
        Galaxies in a chunk; the first chunk is a random sample of this size.
    seed : int
        Of the sample.

    Returns
    -------
    ndarray of uint32, shape (N,)
    """
    count = len(lon)
    if count <= chunk_rows:
        return np.arange(count, dtype=np.uint32)
    sampled = np.zeros(count, dtype=bool)
    sampled[np.random.default_rng(seed).choice(count, chunk_rows, replace=False)] = True
    others = np.flatnonzero(~sampled)
    vectors = unit_vector(lon, lat).astype(np.float32)
    parts = [np.flatnonzero(sampled), *_compact(others, vectors, chunk_rows)]
    return np.concatenate(parts).astype(np.uint32)


def _compact(rows: np.ndarray, vectors: np.ndarray, size: int) -> list[np.ndarray]:
    """Split rows into compact groups of `size`, the last one with what is left, by halving."""
    if len(rows) <= size:
        return [np.sort(rows)]
    groups = -(-len(rows) // size)
    cut = size * (groups // 2)
    place = vectors[rows]
    along = place[:, place.var(axis=0).argmax()]
    order = np.argpartition(along, cut)
    return [
        part for half in (order[:cut], order[cut:]) for part in _compact(rows[half], vectors, size)
    ]


def chunks_of(lon: np.ndarray, lat: np.ndarray, *, chunk_rows: int) -> list[Chunk]:
    """Chunks of galaxies that are in map order already; lon, lat in degrees, shape (N,)."""
    out = []
    for first in range(0, len(lon), chunk_rows):
        part = unit_vector(lon[first : first + chunk_rows], lat[first : first + chunk_rows])
        mean = part.mean(axis=0)
        length = np.linalg.norm(mean)
        centre = mean / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])
        radius = np.degrees(np.arccos(np.clip((part @ centre).min(), -1, 1)))
        c_lon, c_lat = lonlat(centre)
        out.append(
            Chunk(
                first,
                len(part),
                round(float(c_lon), 4),
                round(float(c_lat), 4),
                min(180.0, round(float(radius) + 1e-3, 4)),
            )
        )
    return out
