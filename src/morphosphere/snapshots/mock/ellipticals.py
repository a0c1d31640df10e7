"""Spheroids: ellipticals, dwarf spheroids and the bulges of discs."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.mock.particles import Stars, isotropic, join
from morphosphere.snapshots.mock.populations import Traits

_SHELLS = 0.09  # share of the stars in the shells of an elliptical that has some


def sersic_radius(rng: np.random.Generator, count: int, *, index: float) -> np.ndarray:
    """Radii in space of a Sersic profile, in units of its half-light radius, shape (count,).

    The deprojection of Prugniel & Simien (1997, A&A 321, 111), ``rho ~ x^-p exp(-b x^(1/n))``
    with p of Lima Neto et al. (1999, MNRAS 309, 481), whose enclosed mass is an incomplete gamma
    function: so ``b x^(1/n)`` is gamma distributed.
    """
    p = 1 - 0.6097 / index + 0.05463 / index**2
    b = 2 * index - 1 / 3 + 0.009876 / index
    return (rng.gamma(index * (3 - p), size=count) / b) ** index


def spheroid(
    rng: np.random.Generator,
    count: int,
    *,
    mass: float,
    radius: float,
    index: float,
    axes: tuple[float, float, float],
    dispersion: float,
    age: float,
    log_metallicity: float,
    age_spread: float = 1.2,
    rotation: float = 0.25,
) -> Stars:
    """A triaxial spheroid of old stars.

    Parameters
    ----------
    mass, radius : float
        Total mass in solar masses; half-light radius in kpc.
    index : float
        Sersic index.
    axes : tuple of float
        Relative lengths of the axes along x, y and z.
    dispersion : float
        In km/s, at the half-light radius; it falls outwards.
    age, age_spread : float
        Mean and scatter in Gyr.
    rotation : float
        Mean rotation about z over the dispersion.
    log_metallicity : float
        log10 of the mean metal mass fraction; it falls by 0.25 per decade of radius.
    """
    scale = np.minimum(sersic_radius(rng, count, index=index), 25.0)
    position = isotropic(rng, scale) * (np.asarray(axes) * radius)
    sigma = dispersion * (0.3 + scale) ** -0.12
    velocity = rng.normal(size=(count, 3)) * sigma[:, None]
    around = np.stack([-position[:, 1], position[:, 0], np.zeros(count)], axis=1)
    distance = np.hypot(position[:, 0], position[:, 1]) + 0.3 * radius
    velocity += around / distance[:, None] * (rotation * dispersion)
    gradient = -0.25 * np.log10(np.maximum(scale, 0.05))
    return Stars(
        position=position,
        velocity=velocity,
        initial_mass=np.full(count, mass / count) if count else np.zeros(0),
        age=np.clip(rng.normal(age, age_spread, count), 0.5, 13.0),
        metallicity=10 ** (log_metallicity + gradient + rng.normal(scale=0.12, size=count)),
    )


def elliptical(rng: np.random.Generator, count: int, traits: Traits) -> Stars:
    """An elliptical galaxy of `count` stars; many have shells or a faint disc."""
    massive = traits.log_mass - 10.5
    index = float(np.clip(3.6 + 1.6 * massive + 0.6 * rng.normal(), 0.9, 6.5))
    middle = rng.uniform(0.72, 1.0)
    # slow rotators are massive and round, fast ones flat (Emsellem et al. 2011, MNRAS 414, 888)
    rotation = float(np.clip(rng.uniform(0.05, 1.3) - 0.6 * max(massive, 0), 0.05, 1.2))
    axes = (1.0, middle, middle * (0.95 - 0.3 * rotation * rng.uniform(0.7, 1.2)))
    common = {"age": traits.age, "log_metallicity": traits.log_metallicity}
    extra = rng.random()
    parts = []
    if extra < 0.15:
        parts = _shells(rng, round(_SHELLS * count), traits)
    elif extra < 0.4:
        parts = [
            spheroid(
                rng,
                round(0.2 * count),
                mass=0.2 * traits.mass,
                radius=1.1 * traits.size,
                index=1.0,
                axes=(1.0, 0.95, 0.12),
                dispersion=0.7 * traits.dispersion,
                rotation=1.2,
                **common,
            )
        ]
    left = count - sum(map(len, parts))
    main = spheroid(
        rng,
        left,
        mass=traits.mass * left / count,
        radius=traits.size,
        index=index,
        axes=axes,
        dispersion=traits.dispersion,
        rotation=rotation,
        **common,
    )
    return join([main, *parts])


def _shells(rng: np.random.Generator, count: int, traits: Traits) -> list[Stars]:
    """Shells of a companion that fell in radially: caps at growing radii on either side."""
    number = int(rng.integers(4, 7))
    shares = rng.multinomial(count, np.full(number, 1 / number))
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    shells = []
    for k, share in enumerate(shares):
        radius = traits.size * (1.2 + 0.7 * k) * (1 - 0.1 * rng.exponential(size=share))
        position = isotropic(rng, np.ones(share))
        position += axis * (1.1 * (-1) ** k)
        position *= (radius / np.linalg.norm(position, axis=1))[:, None]
        shells.append(
            Stars(
                position=position,
                velocity=rng.normal(size=(share, 3)) * (0.3 * traits.dispersion),
                initial_mass=np.full(share, traits.mass * _SHELLS / max(count, 1)),
                age=np.clip(rng.normal(0.8 * traits.age, 1.0, share), 0.5, 13),
                metallicity=10 ** (traits.log_metallicity - 0.25 + 0.1 * rng.normal(size=share)),
            )
        )
    return shells
