"""Where the objects of a mock sky are: the same in every survey, and at every run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from morphosphere.config.survey_mock import FootprintSettings

_ARCSEC = 1 / 3600


def chances(names: Iterable[str], *, salt: str, count: int) -> np.ndarray:
    """Numbers in (0, 1) that a name alone decides, shape (N, count).

    Parameters
    ----------
    names : iterable of str
    salt : str
        What the numbers are for: other uses get others.
    count : int
        Up to 8.
    """
    out = []
    for name in names:
        hashed = hashlib.blake2b(f"{salt}\0{name}".encode(), digest_size=8 * count).digest()
        out.append(np.frombuffer(hashed, dtype="<u8"))
    return (np.reshape(out, (-1, count)).astype(np.float64) + 0.5) / 2.0**64


def place(names: Iterable[str], sky: FootprintSettings) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination of objects in degrees, uniform on the sphere."""
    u, v = chances(names, salt="place", count=2).T
    low, high = np.sin(np.radians(sky.dec))
    ra = sky.ra[0] + u * (sky.ra[1] - sky.ra[0])
    return ra, np.degrees(np.arcsin(low + v * (high - low)))


def inside(ra: np.ndarray, dec: np.ndarray, footprint: FootprintSettings) -> np.ndarray:
    """Whether positions in degrees are in a footprint, its first edges included; bool (N,)."""
    in_ra = (ra >= footprint.ra[0]) & (ra < footprint.ra[1])
    return in_ra & (dec >= footprint.dec[0]) & (dec < footprint.dec[1])


def scattered(
    ra: np.ndarray, dec: np.ndarray, names: Iterable[str], *, error: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions in degrees as measured, with a Gaussian error in arcsec in each coordinate."""
    u, v = chances(names, salt=f"astrometry {seed}", count=2).T
    radius = error * _ARCSEC * np.sqrt(-2 * np.log(u))  # Box and Muller
    east, north = radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)
    measured = np.clip(dec + north, -90, 90)
    return (ra + east / np.cos(np.radians(dec))) % 360, measured
