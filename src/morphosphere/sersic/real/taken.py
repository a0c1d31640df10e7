"""One real image as its telescope took it, and how it becomes one of an ImageSet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from morphosphere.errors import InputError

#: Width of the border in which the sky is measured, over that of the stamp, and least width.
_BORDER, _LEAST = 0.1, 2
#: Times that pixels beyond three standard deviations are left out.
_CLIPS, _CLIP = 5, 3.0
#: Standard deviation of what is left of normal noise, over its own.
_LEFT = 0.98658


@dataclass(frozen=True)
class Taken:
    """A stamp.

    Attributes
    ----------
    name : str
        Identifier in its catalogue, or name of the file.
    image : ndarray of float64, shape (H, W)
        Row 0 at the bottom; the sky taken off; NaN where a pixel has no value.
    pixel_size, zero_point, gain : float
    sky_noise : float
        Of these pixels.
    psf : ndarray, shape (k, k)
        Without the pixel, y up.
    psf_scale : float
        Arcsec of its samples.
    noise : callable or None
        ``noise(random, size)`` draws noise of a blank sky (size, size), of these pixels; None: they
        are independent.
    labels : mapping
        Structural parameters that are known.
    facts : mapping
        Other columns.
    remarks : tuple of str
    """

    name: str
    image: np.ndarray
    pixel_size: float
    zero_point: float
    gain: float
    sky_noise: float
    psf: np.ndarray
    psf_scale: float
    noise: Callable[[np.random.Generator, int], np.ndarray] | None = None
    labels: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def sky(self, random: np.random.Generator, size: int) -> np.ndarray:
        """Noise of a blank sky, shape (size, size)."""
        if self.noise is not None:
            return self.noise(random, size)
        return random.normal(0.0, self.sky_noise, (size, size))


def square(image: np.ndarray, multiple: int) -> np.ndarray:
    """The largest part in the middle whose width is a multiple of `multiple`; a view."""
    height, width = image.shape
    size = min(height, width) // multiple * multiple
    top, left = (height - size) // 2, (width - size) // 2
    return image[top : top + size, left : left + size]


def binned(image: np.ndarray, bins: int) -> np.ndarray:
    """Sums of `bins` times `bins` pixels; NaN where one of them is."""
    height, width = image.shape
    return image.reshape(height // bins, bins, width // bins, bins).sum(axis=(1, 3))


def border_of(image: np.ndarray) -> tuple[float, float]:
    """Level and standard deviation of the sky in the border of an image, without bright pixels.

    NaN where it holds no finite pixel.
    """
    width = max(_LEAST, round(_BORDER * min(image.shape)))
    edge = np.ones(image.shape, dtype=bool)
    edge[width:-width, width:-width] = False
    values = image[edge & np.isfinite(image)]
    left = 1.0
    for _ in range(_CLIPS):
        if len(values) < 8:
            break
        level = np.median(values)
        spread = 1.4826 * np.median(np.abs(values - level))
        kept = values[np.abs(values - level) <= _CLIP * max(spread, 1e-300)]
        left = _LEFT
        if len(kept) == len(values):
            break
        values = kept
    if not len(values):
        return np.nan, np.nan
    return float(np.median(values)), float(np.std(values)) / left


def padded(taken: Taken, image: np.ndarray, size: int, bins: int, random) -> np.ndarray:
    """An image with its width brought to `size` by noise around it.

    Parameters
    ----------
    taken : Taken
    image : ndarray, shape (n, n)
        Binned; n and `size` are even.
    size, bins : int
    random : numpy.random.Generator
    """
    if len(image) >= size:
        return image
    out = binned(taken.sky(random, size * bins), bins)
    first = (size - len(image)) // 2
    out[first : first + len(image), first : first + len(image)] = image
    return out


def check_psf(taken: Taken, source: str) -> None:
    """Refuse a PSF whose samples are too coarse for the stamp's pixels.

    Raises
    ------
    InputError
    """
    if taken.psf_scale > 1.01 * taken.pixel_size:
        raise InputError(
            f"{source}: a sample of the PSF is {taken.psf_scale:g} arcsec, wider than a pixel of "
            f"the stamp {taken.name} ({taken.pixel_size:g} arcsec); give a PSF of finer sampling"
        )
