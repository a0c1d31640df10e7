"""Pixels of stamps: those without a value, those that were padded, another width."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

#: Share of pixels that are exactly 0 beyond which these are no measurements but a missing image.
_ZEROS = 0.01
_REACH = 5


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """Images (..., H, W) as (..., size, size): the middle of larger ones, padded smaller ones.

    Pixels beyond the edge repeat those at the edge.
    """
    for axis in (-2, -1):
        width = images.shape[axis]
        if width > size:
            first = (width - size) // 2
            images = np.take(images, np.arange(first, first + size), axis=axis)
        elif width < size:
            before = (size - width) // 2
            widths = [(0, 0)] * images.ndim
            widths[axis] = (before, size - width - before)
            images = np.pad(images, widths, mode="edge")
    return images


def own_part(image: np.ndarray, stamp_size: float) -> np.ndarray:
    """The part of an image (H, W) that was measured: a view without the padding.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    stamp_size : float
        Width of the stamp before it was cut or padded, in pixels; NaN for that of the image.
    """
    height, width = image.shape
    if not stamp_size >= 1:  # NaN too
        return image
    rows, columns = (min(int(stamp_size), n) for n in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top : top + rows, left : left + columns]


def missing(image: np.ndarray) -> np.ndarray:
    """Which pixels of an image (H, W) have no value: not finite, or 0 in an image with holes of 0.

    Single zeros can be measurements; where over 1 % of the pixels are exactly 0, none of them is.
    """
    holes = image == 0
    gone = ~np.isfinite(image)
    return gone | holes if holes.mean() > _ZEROS else gone


def filled(images: np.ndarray) -> np.ndarray:
    """Images (n, C, H, W) with a value in each pixel.

    A pixel without a value gets that of its mirror image through the middle of the stamp, which is
    the same galaxy; where that has none either, the median of its surroundings, and where these
    have none, 0. Of images without such pixels nothing is copied.
    """
    broken = [k for k, image in enumerate(images) if any(missing(part).any() for part in image)]
    if not broken:
        return images
    images = images.copy()
    for k in broken:
        for part in images[k]:
            _fill(part)
    return images


def _fill(image: np.ndarray) -> None:
    """Fill one image (H, W) in place."""
    gone = missing(image)
    image[gone] = np.nan
    mirrored = image[::-1, ::-1].copy()
    image[gone] = mirrored[gone]
    left = np.isnan(image)
    if left.any():
        rest = np.where(left, 0, image)
        median = median_filter(rest, _REACH)
        image[left] = median[left]
