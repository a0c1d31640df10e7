"""Which pixels belong to the galaxy in the middle of a stamp, and which to other sources."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter

from morphosphere.sersic.fit.stamp import FitFault, Stamp

#: Smoothing in pixels, threshold over the noise of the smoothed image, least area in pixels.
_SMOOTHING, _THRESHOLD, _LEAST = 1.5, 2.5, 9
#: Of a blend, light of the fainter part over that of all, and levels at which parts are sought.
_CONTRAST, _LEVELS = 0.02, 16
#: Height of another source above the highest pixel around it, over its noise. Lower ones are noise
#: on the galaxy's wings: to leave out every peak of the noise would take light from the galaxy.
_PROMINENT = 5.0
#: Height of another source over the highest pixel around it, at least: the clumps and arms of a
#: galaxy are parts of it.
_APART = 2.0
#: Pixels by which the region of another source is grown.
_GROWTH = 4
#: The galaxy's centre is at most this part of the width from that of the stamp.
_AWAY = 0.25
#: Distance in pixels within which it does not matter which of two sources is nearer.
_NEAR = 8.0


def segments(stamp: Stamp) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the galaxy, and pixels of other sources; both of shape (H, H), bool.

    Raises
    ------
    FitFault
        If there is no source near the middle.
    """
    from photutils.segmentation import deblend_sources, detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning

    image = np.where(stamp.known, stamp.image, 0.0)
    smooth = gaussian_filter(image, _SMOOTHING)
    level = float(_THRESHOLD * _noise(0.0, stamp))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        found = detect_sources(smooth, level, _LEAST)
        if found is None:
            raise FitFault("blank")
        found = deblend_sources(
            smooth, found, _LEAST, n_levels=_LEVELS, contrast=_CONTRAST, progress_bar=False
        )
    labels = found.data
    number = _in_the_middle(labels, smooth)
    own = labels == number
    others = np.zeros_like(own)
    for label in np.unique(labels[(labels > 0) & ~own]):
        inside = labels == label
        if _stands_out(inside, smooth, stamp):
            others |= inside
    if others.any():
        others = binary_dilation(others, iterations=_GROWTH) & ~own
    return own, others


def _noise(level: np.ndarray | float, stamp: Stamp) -> np.ndarray | float:
    """Standard deviation of the smoothed image where its value is `level`."""
    one = np.sqrt(stamp.sky_noise**2 + np.maximum(level, 0) / stamp.gain)
    return one / (2 * np.sqrt(np.pi) * _SMOOTHING)  # of a mean with these Gaussian weights


def _stands_out(inside: np.ndarray, smooth: np.ndarray, stamp: Stamp) -> bool:
    around = binary_dilation(inside) & ~inside
    peak, saddle = float(smooth[inside].max()), float(smooth[around].max(initial=0.0))
    return peak - saddle > _PROMINENT * float(_noise(peak, stamp)) and peak > _APART * saddle


def _in_the_middle(labels: np.ndarray, smooth: np.ndarray) -> int:
    """The source of the most light near the middle; light counts less the farther it is away."""
    best, number = 0.0, 0
    centre = (len(labels) - 1) / 2
    for label in np.unique(labels[labels > 0]):
        inside = labels == label
        y, x = np.unravel_index(np.argmax(np.where(inside, smooth, -np.inf)), labels.shape)
        away = float(np.hypot(y - centre, x - centre))
        light = float(smooth[inside].sum()) / (1 + (away / _NEAR) ** 4)
        if away <= max(_AWAY * len(labels), 3) and light > best:
            best, number = light, int(label)
    if not number:
        raise FitFault("blank")
    return number
