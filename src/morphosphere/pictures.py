"""What images of any number of channels look like as colour pictures."""

from __future__ import annotations

import numpy as np


def rgb(images: np.ndarray) -> np.ndarray:
    """Colour pictures of transformed images.

    One channel is shown grey, two as red and blue with their mean as green, and of more than
    three the first three are shown.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W)
        In [0, 1]; anything outside is clipped, NaN is black.

    Returns
    -------
    ndarray of uint8, shape (N, H, W, 3)
    """
    channels = images.shape[1]
    if channels == 1:
        images = np.repeat(images, 3, axis=1)
    elif channels == 2:
        images = np.stack([images[:, 0], images.mean(axis=1), images[:, 1]], axis=1)
    values = np.nan_to_num(images[:, :3], nan=0.0)
    pixels = np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(pixels, 1, -1))
