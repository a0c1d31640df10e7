"""Radial profiles of galaxies and their Fourier transforms.

The Fourier transform of a Sérsic profile of any index is made in a millisecond by a Hankel
transform on a logarithmic grid (Hamilton 2000, MNRAS 312, 257; in SciPy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import fht, fhtoffset
from scipy.special import gamma, gammaincc, gammaincinv

#: Samples of a transform and its range in the natural logarithm of radius over half-light radius.
_SAMPLES, _RANGE = 4096, 20.0


@dataclass(frozen=True)
class Profile:
    """Sérsic profiles of one centre, axis ratio and angle.

    Attributes
    ----------
    share : ndarray, shape (C,)
        Of the light; the sum is 1.
    index : ndarray, shape (C,)
        Sérsic index.
    radius : ndarray, shape (C,)
        Half-light radius along the major axis, in pixels.
    axis_ratio : float
    angle : float
        Of the major axis from the x axis towards y, which goes up, in radians.
    """

    share: np.ndarray
    index: np.ndarray
    radius: np.ndarray
    axis_ratio: float
    angle: float

    @classmethod
    def of(cls, values: Mapping[str, float], pixel_size: float, components: int) -> Profile:
        """The profile of structural parameters, see `morphosphere.structure.model.galaxy`."""
        if components == 1:
            share, index, radius = [1.0], [values["sersic_index"]], [values["radius"]]
        else:
            bulge = float(values["bulge_to_total"])
            share, index = [1 - bulge, bulge], [1.0, 4.0]
            radius = [values["radius"], values["bulge_radius"]]
        return cls(
            np.array(share, dtype=np.float64),
            np.array(index, dtype=np.float64),
            np.array(radius, dtype=np.float64) / pixel_size,
            float(values["axis_ratio"]),
            float(np.deg2rad(values["position_angle"])),
        )

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (2,) along the major axis and, shorter by the axis ratio, along the minor."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([c, s]), self.axis_ratio * np.array([-s, c])

    def outside(self, half_width: float) -> float:
        """Share of the light outside a square around the centre, half its width in pixels."""
        angle = (np.arange(256) + 0.5) * (np.pi / 256)  # the other half is the same
        major, minor = self.axes()
        reach = np.abs(np.cos(angle)[:, None] * major + np.sin(angle)[:, None] * minor).max(axis=1)
        total = 0.0
        for share, index, radius in zip(self.share, self.index, self.radius):
            edge = half_width / (radius * reach)
            total += share * gammaincc(2 * index, concentration(index) * edge ** (1 / index)).mean()
        return float(total)


@lru_cache(maxsize=4096)
def concentration(index: float) -> float:
    """The number b of a Sérsic profile exp(-b r^(1/n)) of which half the light is within r = 1."""
    return float(gammaincinv(2 * index, 0.5))


def central_brightness(index: float) -> float:
    """Brightness at the centre of a profile of light 1 and half-light radius 1."""
    b = concentration(index)
    return float(b ** (2 * index) / (2 * np.pi * index * gamma(2 * index)))


@lru_cache(maxsize=1024)
def transform(index: float) -> tuple[float, float, np.ndarray]:
    """Fourier transform of a round Sérsic profile of light 1 and half-light radius 1.

    Returns
    -------
    first, step : float
        Natural logarithm of the wave number at the first sample, and from sample to sample.
    values : ndarray
    """
    logarithm, step = np.linspace(-_RANGE, _RANGE, _SAMPLES, retstep=True)
    radius = np.exp(logarithm)
    brightness = central_brightness(index) * np.exp(-concentration(index) * radius ** (1 / index))
    offset = fhtoffset(step, mu=0)
    wave = np.exp(offset + logarithm)
    values = 2 * np.pi * fht(radius * brightness, step, mu=0, offset=offset) / wave
    # far from the profile's own scale the transform is 1 or 0, and rounding is all that is left
    values[logarithm < -_RANGE / 2] = 1.0
    values.setflags(write=False)
    return float(offset + logarithm[0]), float(step), values
