"""The object at the centre of an image: where it is and how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: Objects are looked for on images shrunk to at least so many pixels: enough for position and size.
_ENOUGH = 96
#: A peak is an object of its own if it is at least so bright relative to the centre, and the saddle
#: between them so many times fainter than either and so many times the scatter of the sky below.
_BRIGHT, _CONTRAST, _SIGNIFICANT = 0.5, 2.0, 6.0
_LEVELS = 8
#: Pixels, evenly spread over the border, that are enough for its level.
_SAMPLE = 2000
#: Of a normal distribution: one standard deviation below the mean, the mean, and one above.
_QUANTILES = (0.1587, 0.5, 0.8413)


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
        Median, and half the distance of the quantiles that are two standard deviations apart;
        both after values beyond three times the scatter are cut, up to three times.
    """
    height, width = plane.shape
    edge = max(1, round(min(height, width) * 0.1))
    values = _ring(plane, edge)
    if known is not None and (kept := _ring(known, edge)).any():
        values = values[kept]
    values = np.sort(values[:: max(1, len(values) // _SAMPLE)].astype(np.float32))
    first, last = 0, len(values) - 1
    for _ in range(3):
        low, level, high = (float(values[first + round((last - first) * q)]) for q in _QUANTILES)
        scatter = (high - low) / 2
        clipped = np.searchsorted(values, [level - 3 * scatter, level + 3 * scatter], "right")
        if scatter == 0 or clipped.tolist() == [first, last + 1]:
            break
        first, last = int(clipped[0]), int(clipped[1]) - 1
    return level, scatter


def _ring(plane: np.ndarray, edge: int) -> np.ndarray:
    """Pixels within `edge` of the image's edge."""
    middle = plane[edge:-edge]
    sides = (plane[:edge], plane[-edge:], middle[:, :edge], middle[:, -edge:])
    return np.concatenate([side.ravel() for side in sides])


def central_object(plane: np.ndarray) -> CentralObject | None:
    """Find the object at the centre of an image by its brightness above the sky.

    The image is smoothed and cut at twice the scatter of the sky; the connected region that holds
    the brightest pixel within a tenth of the width of the centre is the object. Neighbours that
    touch it are parted from it half-way: peaks at least half as bright as the centre, with a
    saddle in between that is fainter than both by a factor of two. Clumps and arms are kept.

    Parameters
    ----------
    plane : ndarray, shape (H, W)

    Returns
    -------
    CentralObject or None
        None if nothing stands out at the centre.
    """
    factor = max(1, min(plane.shape) // _ENOUGH)
    found = _find(_shrunk(plane, factor))
    if found is None or factor == 1:
        return found
    return CentralObject(found.x * factor, found.y * factor, found.radius * factor)


def _shrunk(plane: np.ndarray, factor: int) -> np.ndarray:
    height, width = (n // factor for n in plane.shape)
    cut = plane[: height * factor, : width * factor].astype(np.float32)
    return cut.reshape(height, factor, width, factor).mean(axis=(1, 3))


def _find(plane: np.ndarray) -> CentralObject | None:
    height, width = plane.shape
    side = min(height, width)
    smooth = ndimage.gaussian_filter(plane, max(0.8, side / 100))
    level, scatter = border_level(smooth)
    smooth -= level
    y, x = np.ogrid[:height, :width]
    y, x = y + 0.5, x + 0.5
    from_centre = np.hypot(x - width / 2, y - height / 2)
    peak = np.argmax(np.where(from_centre <= max(2.0, side / 10), smooth, -np.inf))
    threshold = max(2 * scatter, 0.03 * float(smooth.flat[peak]))
    if smooth.flat[peak] <= max(threshold, 0):
        return None
    labels, _ = ndimage.label(smooth > threshold)
    region = labels == labels.flat[peak]
    centre = (x[0, peak % width], y[peak // width, 0])
    rivals = _rivals(smooth, region, int(peak), scatter, threshold)
    if len(rivals):
        region &= _nearer(x, y, centre, rivals)
    flux = np.where(region, smooth, 0)
    core = np.where(np.hypot(x - centre[0], y - centre[1]) <= side / 4, flux, 0)
    x0, y0 = float((core * x).sum() / core.sum()), float((core * y).sum() / core.sum())
    radius = np.hypot(x - x0, y - y0)[region]
    order = np.argsort(radius)
    light = np.cumsum(flux[region][order])
    return CentralObject(x0, y0, float(radius[order][np.searchsorted(light, 0.9 * light[-1])]))


def _rivals(
    smooth: np.ndarray, region: np.ndarray, peak: int, scatter: float, threshold: float
) -> np.ndarray:
    """Flat indices of the peaks in a region that are objects of their own."""
    top = float(smooth.flat[peak])
    highest = ndimage.maximum_filter(smooth, size=max(3, min(smooth.shape) // 16))
    peaks = np.flatnonzero((smooth == highest) & region & (smooth > _BRIGHT * top))
    peaks = peaks[peaks != peak]
    if not len(peaks):
        return peaks
    saddle = np.full(len(peaks), threshold)
    for level in np.geomspace(threshold, top, _LEVELS, endpoint=False)[1:]:
        labels, _ = ndimage.label(smooth > level)
        joined = labels.flat[peaks] == labels.flat[peak]
        if not joined.any():
            break
        saddle[joined] = level
    fainter = np.minimum(smooth.flat[peaks], top)
    return peaks[(fainter > _CONTRAST * saddle) & (fainter - saddle > _SIGNIFICANT * scatter)]


def _nearer(
    x: np.ndarray, y: np.ndarray, centre: tuple[float, float], rivals: np.ndarray
) -> np.ndarray:
    """Pixels that are nearer to the centre than to any rival."""
    width = x.shape[1]
    distance = np.hypot(x - centre[0], y - centre[1])
    nearest = np.full(distance.shape, np.inf)
    for rival in rivals:
        other = np.hypot(x - x[0, rival % width], y - y[rival // width, 0])
        np.minimum(nearest, other, out=nearest)
    return distance <= nearest
