"""The galaxy in a stamp and a second source beside it, found without a model of the galaxy.

A galaxy is the same when it is turned by 180 degrees about its centre; a second source is not. So
an image minus its turned self (cf. the asymmetry of Conselice 2003, ApJS 147, 1) is noise where
there is one galaxy, whatever its profile, and shows another source whole, even under the galaxy's
light. It is looked for at several scales as spots of Gaussian shape, with the matched filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter, minimum_filter, shift

#: Pixels that are added up, for each scale; a spot is `_SIGMA` of them wide (standard deviation).
_BINS = (1, 2, 4, 8)
_SIGMA = 1.5
#: The turned image may differ from the image by this share of what neighbouring pixels do: the
#: centre is known to a small part of a pixel only, and a point-spread function is never symmetric.
_STEEP = 0.05
#: Correlated noise, of resampled images, makes spots larger than expected by at most this factor.
_CORRELATED = 2.5
#: Width (standard deviation) in pixels of the region around the middle where the galaxy is sought.
_MIDDLE = 10.0
#: Signal-to-noise ratio by which a peak rises over the centre if it is another's.
_DIP = 5.0
#: Rounds of a centroid, and how often its window's offset it moves at most.
_ROUNDS, _LARGEST_STEP = 20, 4.0


@dataclass(frozen=True)
class Spot:
    """A source as a spot of Gaussian shape.

    Attributes
    ----------
    x, y : float
        From the middle of the image in pixels, right and up.
    light : float
        In the image's unit.
    noise : float
        Signal-to-noise ratio.
    scale : float
        Standard deviation in pixels.
    """

    x: float
    y: float
    light: float
    noise: float
    scale: float


def galaxy_of(image: np.ndarray, sky_noise: float, gain: float) -> Spot:
    """The source in the middle: the most significant spot, with a weight for being in the middle.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Row 0 is the top; all values finite; without padding.
    sky_noise, gain : float
        Standard deviation of a pixel without sources, and electrons per unit.
    """
    variance = _variance(image, sky_noise, gain)
    height, width = image.shape
    best, most = None, -np.inf
    for scale, light, noise, rows, columns in _spots(image, variance):
        y, x = (height - 1) / 2 - rows, columns - (width - 1) / 2
        weight = np.exp(-(x[None, :] ** 2 + y[:, None] ** 2) / (2 * _MIDDLE**2))
        here = np.unravel_index(np.argmax(noise * weight), noise.shape)
        if (noise * weight)[here] > most:
            most = (noise * weight)[here]
            best = Spot(x[here[1]], y[here[0]], light[here], noise[here], scale)
    assert best is not None
    x, y = _centroid(image, best)
    found = Spot(x, y, best.light, best.noise, best.scale)
    return _on_a_peak(image, sky_noise, gain, found)


def second_source(
    image: np.ndarray, sky_noise: float, gain: float, galaxy: Spot, share: float
) -> Spot:
    """The most significant spot that the galaxy's own light does not explain.

    Parameters
    ----------
    image, sky_noise, gain
        As for `galaxy_of`.
    galaxy : Spot
    share : float
        Only spots with this share of the galaxy's light count, if there are any.
    """
    height, width = image.shape
    turned, known = _turned(image, galaxy)
    smooth = gaussian_filter(image, 1.0, mode="nearest")
    partner = _turned(smooth, galaxy, order=1)[0]
    alike = np.minimum(smooth, partner)
    steep = maximum_filter(alike, 3) - minimum_filter(alike, 3)
    light = np.maximum(smooth, 0) + np.maximum(partner, 0)
    variance = 2 * sky_noise**2 + light / gain + 2 * (_STEEP * steep) ** 2
    difference = np.where(known, image - turned, 0.0)
    best = Spot(0.0, 0.0, 0.0, 0.0, 0.0)
    for scale, light, noise, rows, columns in _spots(difference, variance):
        noise = noise / np.clip(1.4826 * np.median(np.abs(noise)), 1.0, _CORRELATED)
        noise = np.where(light > share * galaxy.light, noise, 0.0)
        here = np.unravel_index(np.argmax(noise), noise.shape)
        if noise[here] > best.noise:
            y, x = (height - 1) / 2 - rows[here[0]], columns[here[1]] - (width - 1) / 2
            best = Spot(x, y, light[here], noise[here], scale)
    return best


def _variance(image: np.ndarray, sky_noise: float, gain: float) -> np.ndarray:
    smooth = gaussian_filter(image, 1.0, mode="nearest")
    return sky_noise**2 + np.maximum(smooth, 0) / gain


def _spots(
    image: np.ndarray, variance: np.ndarray
) -> Iterator[tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Matched filter at each scale.

    Yields
    ------
    scale : float
    light, noise : ndarray
        Light of a spot at each place, and its signal-to-noise ratio.
    rows, columns : ndarray
        Places, in pixels of the image.
    """
    square = 1 / (4 * np.pi * _SIGMA**2)  # sum of the squares of the kernel
    for bins in _BINS:
        if min(image.shape) < 4 * bins:
            return
        binned, noise2 = _binned(image, bins), _binned(variance, bins)
        through = gaussian_filter(binned, _SIGMA, mode="constant")
        variance_through = square * gaussian_filter(noise2, _SIGMA / np.sqrt(2), mode="nearest")
        rows, columns = (bins * np.arange(n) + (bins - 1) / 2 for n in binned.shape)
        yield (
            _SIGMA * bins,
            through / square,
            through / np.sqrt(np.maximum(variance_through, 1e-300)),
            rows,
            columns,
        )


def _binned(image: np.ndarray, bins: int) -> np.ndarray:
    """Sums of `bins` x `bins` pixels; what does not fill a bin at the end is left out."""
    height, width = (n // bins for n in image.shape)
    cut = image[: height * bins, : width * bins]
    return cut.reshape(height, bins, width, bins).sum(axis=(1, 3)) if bins > 1 else image


def _centroid(image: np.ndarray, spot: Spot) -> tuple[float, float]:
    """Centroid in a Gaussian window that follows it (cf. XWIN of SExtractor).

    In a window of variance w a Gaussian source of covariance C, off by d, has the centroid
    w (C + w)^-1 d and the covariance V = w C (C + w)^-1, so that d is (1 - V / w)^-1 times that
    centroid. This converges at once where a source is Gaussian, however elongated.
    """
    height, width = image.shape
    rows = (height - 1) / 2 - np.arange(height)
    columns = np.arange(width) - (width - 1) / 2
    window = spot.scale**2
    x, y = spot.x, spot.y
    for _ in range(_ROUNDS):
        u, v = columns - x, rows - y
        across = np.exp(-(u**2) / (2 * window))
        down = np.exp(-(v**2) / (2 * window))
        by_column = across * (down @ image)
        by_row = down * (image @ across)
        total = by_column.sum()
        if not total > 0:
            return spot.x, spot.y
        mean = np.array([by_column @ u, by_row @ v]) / total
        mixed = (down * v) @ image @ (across * u) / total - mean[0] * mean[1]
        spread = np.array(
            [
                [by_column @ u**2 / total - mean[0] ** 2, mixed],
                [mixed, by_row @ v**2 / total - mean[1] ** 2],
            ]
        )
        values, axes = np.linalg.eigh(spread)
        gain = 1 / np.clip(1 - values / window, 1 / _LARGEST_STEP, 1.0)
        step = axes @ (gain * (axes.T @ mean))
        x, y = x + step[0], y + step[1]
        if not np.hypot(x - spot.x, y - spot.y) < 3 * spot.scale:
            return spot.x, spot.y
        if np.hypot(*step) < 1e-3:
            break
    return x, y


def _on_a_peak(image: np.ndarray, sky_noise: float, gain: float, found: Spot) -> Spot:
    """`found`, or the peak beside it where the centre lies in a dip between two sources."""
    height, width = image.shape
    smooth = gaussian_filter(image, _SIGMA, mode="nearest")
    variance = _variance(image, sky_noise, gain) / (4 * np.pi * _SIGMA**2)
    row, column = (height - 1) / 2 - found.y, (width - 1) / 2 + found.x
    at_centre = map_coordinates(smooth, [[row], [column]], order=1, mode="nearest")[0]
    rise = (smooth - at_centre) / np.sqrt(2 * variance)
    away = np.hypot(np.arange(height)[:, None] - row, np.arange(width)[None, :] - column)
    rise = np.where(away <= 2 * found.scale, rise, 0)
    here = np.unravel_index(np.argmax(rise), rise.shape)
    if rise[here] < _DIP:
        return found
    x, y = here[1] - (width - 1) / 2, (height - 1) / 2 - here[0]
    peak = Spot(x, y, found.light, found.noise, _SIGMA)
    x, y = _centroid(image, peak)
    return Spot(x, y, found.light, found.noise, found.scale)


def _turned(image: np.ndarray, galaxy: Spot, order: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The image turned by 180 degrees about the galaxy, and where it is known."""
    by = (-2 * galaxy.y, 2 * galaxy.x)
    turned = shift(image[::-1, ::-1], by, order=order, mode="nearest")
    known = np.ones(image.shape, dtype=bool)
    for axis, step in enumerate(by):
        place = np.arange(image.shape[axis]) - step
        inside = (place >= 0) & (place <= image.shape[axis] - 1)
        known &= inside[:, None] if axis == 0 else inside[None, :]
    return turned, known
