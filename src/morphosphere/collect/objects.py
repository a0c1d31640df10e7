"""The object at the centre of an image: where it is and how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class CentralObject:
    """An object.

    Attributes
    ----------
    x, y : float
        Centre in pixels from the left and from the top edge of the image.
    radius : float
        Radius in pixels that holds 90 % of its light.
    """

    x: float
    y: float
    radius: float


def border_level(plane: np.ndarray, known: np.ndarray | None = None) -> tuple[float, float]:
    """Level and scatter of the sky: of the outer tenth of the image, without its bright pixels.

    Parameters
    ----------
    plane : ndarray, shape (H, W)
    known : ndarray of bool or None
        Which pixels count.

    Returns
    -------
    level, scatter : float
        Median, and standard deviation by the median deviation, clipped three times at 3 sigma.
    """
    height, width = plane.shape
    edge = max(1, round(min(height, width) * 0.1))
    border = np.ones(plane.shape, dtype=bool)
    border[edge : height - edge, edge : width - edge] = False
    if known is not None and (border & known).any():
        border &= known
    values = plane[border].astype(np.float32)
    level = scatter = 0.0
    for _ in range(3):
        level = float(np.median(values))
        scatter = 1.4826 * float(np.median(np.abs(values - level)))
        kept = values[np.abs(values - level) <= 3 * scatter]
        if scatter == 0 or len(kept) == len(values):
            break
        values = kept
    return level, scatter


def central_object(plane: np.ndarray) -> CentralObject | None:
    """Find the object at the centre of an image by its brightness above the sky.

    The image is smoothed and cut at twice the scatter of the sky; the connected region that lies
    within a tenth of the width of the centre is the object.

    Parameters
    ----------
    plane : ndarray, shape (H, W)

    Returns
    -------
    CentralObject or None
        None if nothing stands out at the centre.
    """
    height, width = plane.shape
    side = min(height, width)
    smooth = ndimage.gaussian_filter(plane.astype(np.float32), max(0.8, side / 100))
    level, scatter = border_level(smooth)
    y, x = np.mgrid[:height, :width] + 0.5
    from_centre = np.hypot(x - width / 2, y - height / 2)
    near = from_centre <= max(2.0, side / 10)
    peak = float(smooth[near].max()) - level
    threshold = max(2 * scatter, 0.03 * peak)
    if peak <= max(threshold, 0):
        return None
    labels, _ = ndimage.label(smooth - level > threshold)
    inside = near & (labels > 0)
    brightest = np.argmax(np.where(inside, smooth, -np.inf))
    region = labels == labels.flat[brightest]
    flux = np.where(region, smooth - level, 0)
    core = np.where(from_centre <= side / 4, flux, 0)
    x0, y0 = float((core * x).sum() / core.sum()), float((core * y).sum() / core.sum())
    radius = np.hypot(x - x0, y - y0)[region]
    order = np.argsort(radius)
    light = np.cumsum(flux[region][order])
    return CentralObject(x0, y0, float(radius[order][np.searchsorted(light, 0.9 * light[-1])]))
