"""Discs and bulges of star particles in equilibrium with a galaxy's potential."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from morphosphere.mergers.encounters.model import G, GalaxyModel, dispersion, enclosed

#: Discs end at this many scale lengths, bulges at this many scale radii.
_DISC_END, _BULGE_END = 6.0, 15.0
#: Toomre's Q is set at this many scale lengths.
_Q_AT = 2.5


def make_stars(
    galaxy: GalaxyModel,
    count: int,
    random: np.random.Generator,
    *,
    toomre_q: float,
    softening: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Star particles of equal mass, disc first, about the galaxy's centre.

    Places are plain random numbers: a more even start would mix away, and its smoothness would tell
    the time.

    Parameters
    ----------
    galaxy : GalaxyModel
    count : int
    random : numpy.random.Generator
    toomre_q : float
        Of the disc at 2.5 scale lengths.
    softening : float
        Of halo and bulge, in kpc.

    Returns
    -------
    place, velocity : ndarray, shape (count, 3)
        kpc, km/s.
    """
    bulge = round(count * galaxy.bulge_mass / galaxy.stellar_mass)
    parts = [
        _disc(galaxy, count - bulge, random, toomre_q, softening),
        _bulge(galaxy, bulge, random, softening),
    ]
    place, velocity = (np.concatenate(both) for both in zip(*parts))
    return place, velocity


def _disc(
    galaxy: GalaxyModel,
    count: int,
    random: np.random.Generator,
    toomre_q: float,
    softening: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Exponential disc; velocities after Hernquist (1993, ApJS 86, 389).

    The dispersion across the plane follows from Jeans' equation at the height of the star, that
    along the radius is exp(-R / 2 Rd) and scaled to Toomre's Q, that along the rotation follows
    from epicycles, and the mean rotation lags the circular speed by the asymmetric drift.
    """
    scale = galaxy.disc_scale
    cube = random.uniform(size=(count, 3))
    grid = np.linspace(0, _DISC_END, 400)
    share = 1 - (1 + grid) * np.exp(-grid)
    radius = scale * np.interp(cube[:, 0] * share[-1], share, grid)
    azimuth = 2 * np.pi * cube[:, 1]
    half = galaxy.thickness * scale
    height = half * np.arctanh(np.clip(2 * cube[:, 2] - 1, -0.9999, 0.9999))

    ring = np.linspace(0.02, 1.05 * _DISC_END, 160) * scale
    circular2 = ring * _in_plane(galaxy, ring, softening)
    omega2 = circular2 / ring**2
    kappa2 = 4 * omega2 + ring * np.gradient(omega2, ring)
    surface = galaxy.disc_mass / (2 * np.pi * scale**2) * np.exp(-_Q_AT)
    at = np.interp(_Q_AT * scale, ring, np.sqrt(kappa2))
    radial2 = (toomre_q * 3.36 * G * surface / at) ** 2 * np.exp(_Q_AT - ring / scale)
    # near the centre the disc is no hotter than its rotation allows
    radial2 = np.minimum(radial2, 0.5 * circular2)
    along2 = radial2 * kappa2 / (4 * omega2)
    slope = np.gradient(np.log(radial2 * np.exp(-ring / scale)), np.log(ring))
    mean = np.sqrt(np.maximum(circular2 + radial2 * (1 + slope) - along2, 0))

    def on(values: np.ndarray) -> np.ndarray:
        return np.interp(radius, ring, values)

    normal = random.normal(size=(3, count))
    out = normal[0] * np.sqrt(on(radial2))
    around = on(mean) + normal[1] * np.sqrt(on(along2))
    across = normal[2] * np.sqrt(_across(galaxy, radius, height, softening))
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    place = np.stack([radius * cos, radius * sin, height], axis=1)
    velocity = np.stack([out * cos - around * sin, out * sin + around * cos, across], axis=1)
    turn = _upright(np.asarray(galaxy.spin), random)
    return place @ turn, velocity @ turn


def _upright(spin: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows: right-handed axes whose last is `spin`, the others at random about it."""
    first = np.cross(spin, np.eye(3)[np.argmin(np.abs(spin))])
    first /= np.linalg.norm(first)
    axes = np.stack([first, np.cross(spin, first), spin])
    return Rotation.from_euler("z", random.uniform(0, 2 * np.pi)).as_matrix() @ axes


def _in_plane(galaxy: GalaxyModel, radius: np.ndarray, softening: float) -> np.ndarray:
    """Inward acceleration in the plane of the disc, (km/s)^2/kpc."""
    flat, high = galaxy.flattening
    soft = np.hypot(radius, softening)
    disc = galaxy.disc_mass / (radius**2 + (flat + high) ** 2) ** 1.5
    return G * radius * (enclosed(galaxy.spheres()[1:], soft) / soft**3 + disc)


def _downward(
    galaxy: GalaxyModel, radius: np.ndarray, height: np.ndarray, softening: float
) -> np.ndarray:
    """Acceleration towards the plane of the disc at heights above it."""
    flat, high = galaxy.flattening
    soft = np.sqrt(radius**2 + height**2 + softening**2)
    lift = np.hypot(height, high)
    deep = flat + lift
    disc = galaxy.disc_mass * deep / lift / (radius**2 + deep**2) ** 1.5
    return G * height * (enclosed(galaxy.spheres()[1:], soft) / soft**3 + disc)


def _across(
    galaxy: GalaxyModel, radius: np.ndarray, height: np.ndarray, softening: float
) -> np.ndarray:
    """Squared dispersion across the plane, from Jeans' equation at each star's radius."""
    half = galaxy.thickness * galaxy.disc_scale
    rings = np.linspace(0.02, _DISC_END, 32) * galaxy.disc_scale
    levels = np.linspace(0, 6, 49) * half
    weight = 1 / np.cosh(levels / half) ** 2
    pull = weight * _downward(galaxy, rings[:, None], levels, softening)
    steps = 0.5 * (pull[:, 1:] + pull[:, :-1]) * np.diff(levels)
    above = np.concatenate([np.cumsum(steps[:, ::-1], axis=1)[:, ::-1], 0 * steps[:, :1]], axis=1)
    squared = above / weight
    squared[:, -1] = squared[:, -2]
    column = np.clip((radius - rings[0]) / (rings[1] - rings[0]), 0, len(rings) - 1.001)
    row = np.clip(np.abs(height) / levels[1], 0, len(levels) - 1.001)
    i, j = column.astype(int), row.astype(int)
    s, t = column - i, row - j
    low = (1 - s) * squared[i, j] + s * squared[i + 1, j]
    high = (1 - s) * squared[i, j + 1] + s * squared[i + 1, j + 1]
    return (1 - t) * low + t * high


def _bulge(
    galaxy: GalaxyModel, count: int, random: np.random.Generator, softening: float
) -> tuple[np.ndarray, np.ndarray]:
    """Isotropic Hernquist bulge; velocities are Gaussian after Jeans, below the speed of escape."""
    if not count:
        return np.zeros((0, 3)), np.zeros((0, 3))
    spheres = galaxy.spheres()
    cube = random.uniform(size=(count, 3))
    root = np.sqrt(cube[:, 0]) * _BULGE_END / (1 + _BULGE_END)
    radius = galaxy.bulge_scale * root / (1 - root)
    cosine, azimuth = 2 * cube[:, 1] - 1, 2 * np.pi * cube[:, 2]
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    grid = np.geomspace(1e-3, 100, 200) * galaxy.bulge_scale
    pull = _in_plane(galaxy, grid, softening)
    sigma = np.interp(radius, grid, dispersion(spheres[1:2], pull, grid))
    velocity = sigma[:, None] * random.normal(size=(count, 3))
    escape = np.sqrt(2 * G * (spheres[:, 0] / (radius[:, None] + spheres[:, 1])).sum(1))
    speed = np.linalg.norm(velocity, axis=1)
    velocity *= np.minimum(1, 0.9 * escape / np.maximum(speed, 1e-9))[:, None]
    return radius[:, None] * direction, velocity
