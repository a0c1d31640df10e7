"""Cores whose brightness was cut off by a full detector."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

#: A plateau is flatter than this part of the noise of its pixels ...
_QUIET = 0.15
#: ... or, where the noise is far below, its pixels are within this share of the largest value and
#: hold this part of those above half of it. Of a Gaussian, the flattest core of a galaxy, they hold
#: ln(1 / 0.97) / ln 2 = 4 %.
_FLAT, _PART = 0.03, 0.2
_LOUD = 5.0
_EIGHT = np.ones((3, 3), dtype=int)


def has_plateau(image: np.ndarray, sky_noise: float, gain: float, least: int) -> bool:
    """Whether the brightest pixels of an image are a plateau.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Without padding; pixels may be NaN.
    sky_noise, gain : float
        Standard deviation of a pixel without sources, and electrons per unit.
    least : int
        Connected pixels of a plateau.
    """
    if not np.isfinite(image).any():
        return False
    top = float(np.nanmax(image))
    noise = np.sqrt(sky_noise**2 + max(top, 0.0) / gain)
    if np.count_nonzero(image == top) >= least:
        return True
    if top > _LOUD * noise and _around_top(image, top, top - _QUIET * noise) >= least:
        return True
    if _FLAT * top < _LOUD * noise:
        return False
    flat = _around_top(image, top, (1 - _FLAT) * top)
    return flat >= max(least, _PART * _around_top(image, top, top / 2))


def _around_top(image: np.ndarray, top: float, level: float) -> int:
    """Number of pixels at `level` or above that are connected to one at `top`."""
    with np.errstate(invalid="ignore"):
        groups, _ = label(image >= level, _EIGHT)
        here = np.unique(groups[image == top])
    return int(max(np.count_nonzero(groups == number) for number in here))
