"""The density layer: images per square degree, smoothed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from morphosphere.hips.geometry import node_directions
from morphosphere.hips.loop import Draw

_SKY_DEGREES = 4 * np.pi * (180 / np.pi) ** 2


@dataclass(frozen=True)
class DensityMap:
    """Images per square degree on a HEALPix grid in ring order.

    Attributes
    ----------
    values : ndarray of float64, shape (12 * nside**2,)
    fwhm : float
        Of the Gaussian that it was smoothed with, in degrees.
    """

    values: np.ndarray
    fwhm: float

    @property
    def nside(self) -> int:
        """Of the grid."""
        return int(np.sqrt(len(self.values) // 12))

    @property
    def top(self) -> float:
        """The largest density."""
        return float(self.values.max())


def density_map(lon: np.ndarray, lat: np.ndarray, fwhm: float) -> DensityMap:
    """Count positions in HEALPix cells and smooth by a Gaussian in spherical harmonics.

    Parameters
    ----------
    lon, lat : ndarray, shape (N,)
        Degrees; NaN is left out.
    fwhm : float
        Degrees.
    """
    import healpy

    # Six pixels or more across the Gaussian.
    order = int(np.clip(np.ceil(np.log2(58.63 * 6 / fwhm)), 5, 10))
    nside = 1 << order
    known = np.isfinite(lon) & np.isfinite(lat)
    pixels = healpy.ang2pix(nside, lon[known], lat[known], lonlat=True)
    counts = np.bincount(pixels, minlength=12 * nside**2).astype(np.float64)
    counts *= len(counts) / _SKY_DEGREES
    smooth = healpy.smoothing(counts, fwhm=np.radians(fwhm), iter=3)
    return DensityMap(np.maximum(smooth, 0), fwhm)


def colour_table(name: str) -> np.ndarray:
    """256 colours (256, 3), uint8, of a colour map of matplotlib."""
    from matplotlib import colormaps

    return (colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255 + 0.5).astype(np.uint8)


def colour_names() -> list[str]:
    """Names that `colour_table` knows."""
    from matplotlib import colormaps

    return list(colormaps)


def draw_density(density: DensityMap, table: np.ndarray, width: int) -> Draw:
    """A `Draw` of the map: from no images at all (first colour) to the densest place (last)."""
    import healpy

    top = max(density.top, 1e-300)

    def draw(order: int, tiles: range) -> Iterator[tuple[int, np.ndarray]]:
        # Nodes at most an eighth of the Gaussian apart: the field is smooth between them.
        needed = 58.63 / 2**order * 8 / density.fwhm
        steps = min(width, 1 << int(np.ceil(np.log2(max(needed, 4)))))
        place = (np.arange(width) + 0.5) * steps / width
        low = np.minimum(place.astype(int), steps - 1)
        weights = np.zeros((width, steps + 1))
        weights[np.arange(width), low] = 1 - (place - low)
        weights[np.arange(width), low + 1] = place - low
        for n in tiles:
            nodes = node_directions(order, n, width, steps)
            theta = np.arccos(np.clip(nodes[..., 2], -1, 1))
            phi = np.arctan2(nodes[..., 1], nodes[..., 0])
            field = healpy.get_interp_val(density.values, theta, phi)
            level = weights @ field @ weights.T / top
            yield n, table[np.clip(level * 255 + 0.5, 0, 255).astype(np.uint8)]

    return draw
