"""How far the place of an image moves on the sphere when the image is turned and mirrored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from morphosphere.evaluate.sphere import angle_between


def turned(image: np.ndarray, angle: float, flip: bool) -> np.ndarray:
    """An image (C, H, W) mirrored left to right if `flip`, then turned counter-clockwise.

    Interpolated with cubic splines; corners that come from outside of the picture are filled with
    each channel's sky: the median over the outermost ring of pixels. Values stay within those of
    the original. Pixels that are not finite count as sky.

    Parameters
    ----------
    image : ndarray, shape (C, H, W)
        As stored, before the transform.
    angle : float
        In degrees, as seen on the picture (row 0 on top).
    flip : bool

    Returns
    -------
    ndarray of float32, shape (C, H, W)
    """
    out = np.empty(image.shape, np.float32)
    for channel, pixels in enumerate(image.astype(np.float32)):
        ring = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        ring = ring[np.isfinite(ring)]
        sky = float(np.median(ring)) if len(ring) else 0.0
        pixels = np.where(np.isfinite(pixels), pixels, sky)
        if flip:
            pixels = pixels[:, ::-1]
        new = ndimage.rotate(pixels, angle, reshape=False, order=3, mode="constant", cval=sky)
        out[channel] = np.clip(new, pixels.min(), pixels.max())
    return out


def rotation_scatter(
    images: np.ndarray, angles: np.ndarray, encode: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Angles on the sphere between images and their turned copies.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W)
        As stored.
    angles : ndarray, shape (N, K)
        Degrees by which the K copies of each image are turned; every other copy is mirrored.
    encode : callable
        From stored images (n, C, H, W) to unit vectors (n, 3).

    Returns
    -------
    ndarray, shape (N, K)
        In degrees.
    """
    original = encode(images)
    out = np.empty(angles.shape)
    for copy, turns in enumerate(angles.T):
        moved = encode(np.stack([turned(i, a, copy % 2 == 1) for i, a in zip(images, turns)]))
        out[:, copy] = angle_between(original, moved)
    return out
