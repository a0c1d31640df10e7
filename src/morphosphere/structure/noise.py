"""Noise of images of galaxies: counts of galaxy and sky, and the reading of the detector."""

from __future__ import annotations

import numpy as np


def variance(model: np.ndarray, sky_noise: float, gain: float) -> np.ndarray:
    """Variance of each pixel, in the square of the image's unit.

    Parameters
    ----------
    model : ndarray
        Expected image without the sky, in image units.
    sky_noise : float
        Standard deviation of a pixel without sources: sky and reading.
    gain : float
        Electrons per image unit; the exposure time where the unit is electron/s.
    """
    return sky_noise**2 + np.maximum(model, 0) / gain


def sky_noise_of(*, sky: float, exposure: float, read_noise: float, reads: int) -> float:
    """Standard deviation of a pixel without sources, in electron/s.

    Parameters
    ----------
    sky : float
        Electrons per second and pixel.
    exposure : float
        Seconds.
    read_noise : float
        Electrons of one reading.
    reads : int
        Readings that are added up.
    """
    return float(np.sqrt(sky * exposure + reads * read_noise**2) / exposure)


def add_noise(
    model: np.ndarray,
    sky_noise: float,
    gain: float,
    random: np.random.Generator,
    *,
    read_noise: float = 0.0,
) -> np.ndarray:
    """An observation of `model`: Poisson counts of galaxy and sky, and Gaussian reading noise.

    Parameters
    ----------
    model : ndarray
        Expected image without the sky, in image units.
    sky_noise, gain : float
        As in `variance`.
    random : numpy.random.Generator
    read_noise : float
        The part of `sky_noise` that comes from reading and is Gaussian, in electrons (all readings
        together); the rest is the Poisson noise of the sky.

    Returns
    -------
    ndarray of float64
        The sky's mean is taken off.
    """
    sky = max((sky_noise * gain) ** 2 - read_noise**2, 0.0)  # electrons per pixel
    counts = random.poisson(np.maximum(model, 0) * gain + sky) - sky
    if read_noise:
        counts = counts + random.normal(0.0, read_noise, model.shape)
    return counts / gain


def signal_to_noise(model: np.ndarray, sky_noise: float, gain: float) -> float:
    """Signal-to-noise ratio of a galaxy of known shape, sqrt(sum model^2 / variance)."""
    return float(np.sqrt(np.sum(model**2 / variance(model, sky_noise, gain))))
