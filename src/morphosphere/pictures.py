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
    values = np.multiply(images[:, :3], 255, dtype=np.result_type(images, np.float32))
    values += 0.5
    np.fmax(values, 0, out=values)  # NaN becomes 0
    np.fmin(values, 255, out=values)
    out = np.empty((len(values), *values.shape[2:], 3), np.uint8)
    for channel, plane in enumerate(np.moveaxis(values.astype(np.uint8), 1, 0)):
        out[..., channel] = plane
    return out
