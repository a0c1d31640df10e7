"""Images of galaxies of one Sérsic profile, or of an exponential disc and a de Vaucouleurs bulge.

`radius` is the half-light radius along the major axis in arcseconds, `position_angle` is counted in
degrees from the x axis of the picture, counter-clockwise as it is seen, `magnitude` is total (AB).
"""

from __future__ import annotations

from collections.abc import Mapping

import galsim
import numpy as np

from morphosphere.structure.drawing import draw_profile
from morphosphere.structure.profiles import Profile

#: Sérsic indices for what GalSim itself draws: it makes a table for each new one, which takes up to
#: two seconds, and keeps those of the last hundred. `draw` needs no such grid.
INDEX_GRID: np.ndarray = np.geomspace(0.3, 6.2, 100)


def on_grid(index: float | np.ndarray) -> np.ndarray:
    """The value of `INDEX_GRID` that is nearest in the logarithm."""
    step = np.log(INDEX_GRID[-1] / INDEX_GRID[0]) / (len(INDEX_GRID) - 1)
    number = np.rint(np.log(np.asarray(index) / INDEX_GRID[0]) / step).astype(int)
    return INDEX_GRID[np.clip(number, 0, len(INDEX_GRID) - 1)]


def galaxy(values: Mapping[str, float], components: int = 1) -> galsim.GSObject:
    """A galaxy of flux 1, in arcseconds.

    Parameters
    ----------
    values : mapping
        ``radius``, ``axis_ratio``, ``position_angle``; with one component ``sersic_index``, with
        two ``bulge_radius`` and ``bulge_to_total``.
    components : int
        1 or 2.
    """
    q = float(values["axis_ratio"])
    round_radius = float(values["radius"]) * np.sqrt(q)  # GalSim's shear keeps the area
    if components == 1:
        shape = galsim.Sersic(float(values["sersic_index"]), half_light_radius=round_radius)
    else:
        share = float(values["bulge_to_total"])
        shape = (1 - share) * galsim.Exponential(half_light_radius=round_radius)
        if share > 0:
            bulge = float(values["bulge_radius"]) * np.sqrt(q)
            shape = shape + share * galsim.DeVaucouleurs(half_light_radius=bulge)
    return shape.shear(q=q, beta=float(values["position_angle"]) * galsim.degrees)


def flux_of(magnitude: float, zero_point: float) -> float:
    """Flux in image units of a magnitude."""
    return float(10 ** (-0.4 * (magnitude - zero_point)))


def draw(
    values: Mapping[str, float],
    psf: galsim.GSObject,
    *,
    pixel_size: float,
    size: int,
    zero_point: float,
    components: int = 1,
) -> np.ndarray:
    """Draw a galaxy as a detector sees it, without noise.

    Parameters
    ----------
    values : mapping
        As for `galaxy`, with ``magnitude``, and where they are known ``x_offset`` and ``y_offset``:
        the place of the centre from the centre of the stamp, in pixels, right and up.
    psf : galsim.GSObject
        The point-spread function without the pixel, of flux 1, in arcseconds.
    pixel_size : float
        Arcseconds.
    size : int
        Width and height in pixels.
    zero_point : float
        Magnitude of an image unit.
    components : int

    Returns
    -------
    ndarray of float64, shape (size, size)
        Row 0 is the top of the picture.
    """
    profile = Profile.of(values, pixel_size, components)
    offset = (float(values.get("x_offset", 0.0)), float(values.get("y_offset", 0.0)))
    image = draw_profile(profile, psf, pixel_size=pixel_size, size=size, offset=offset)
    return image[::-1] * flux_of(values["magnitude"], zero_point)
