"""Flux and half-light radius as the stored images show them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from morphosphere.artefacts.imageset import ImageSet

#: Images in memory at a time.
_CHUNK = 256


def pieces(images: ImageSet, rows: np.ndarray, chunk: int = _CHUNK) -> Iterator[np.ndarray]:
    """Stored images at `rows`, `chunk` at a time, in the order of `rows`."""
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        low, high = int(part.min()), int(part.max()) + 1
        if high - low <= 4 * len(part):  # a long piece is quicker than many short ones
            yield images.read(low, high)[part - low]
        else:
            order = np.argsort(part, kind="stable")
            unique, place = np.unique(part[order], return_inverse=True)
            out = images.images[unique][place]
            yield out[np.argsort(order, kind="stable")]


def measure_images(images: ImageSet, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`flux_and_radius` of stored images at `rows`."""
    found = [flux_and_radius(part) for part in pieces(images, rows)]
    if not found:
        return np.empty(0), np.empty(0)
    flux, radius = (np.concatenate(values) for values in zip(*found))
    return flux, radius


def flux_and_radius(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Total flux and half-light radius of images that show a galaxy in their centre.

    Of the mean of the channels, less the median of the pixels beyond the inscribed circle, summed
    in circles about the centre up to that one. Non-finite pixels count as background.

    Parameters
    ----------
    images : ndarray, shape (n, C, S, S)

    Returns
    -------
    flux : ndarray, shape (n,)
        In the unit of the pixels; NaN where it is not above zero.
    radius : ndarray, shape (n,)
        In pixels; NaN where the flux is.
    """
    size = images.shape[-1]
    with np.errstate(invalid="ignore"):
        mean = images.astype(np.float64).mean(axis=1)
    line = np.arange(size) - (size - 1) / 2
    distance = np.hypot(*np.meshgrid(line, line)).ravel()
    flat = mean.reshape(len(mean), -1)
    flat = np.where(np.isfinite(flat), flat, np.nan)
    outer = flat[:, distance > size / 2]
    empty = ~np.isfinite(outer).any(axis=1)
    background = np.zeros(len(flat))
    background[~empty] = np.nanmedian(outer[~empty], axis=1)
    flat = np.nan_to_num(flat - background[:, None], nan=0.0)
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] <= size / 2]
    growth = np.cumsum(flat[:, order], axis=1)
    flux = growth[:, -1]
    first = (growth >= flux[:, None] / 2).argmax(axis=1)
    good = flux > 0
    return np.where(good, flux, np.nan), np.where(good, distance[order][first], np.nan)
