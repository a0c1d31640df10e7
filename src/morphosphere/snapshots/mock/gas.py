"""Gas cells, dark matter and wind of a galaxy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from morphosphere.snapshots.mock.particles import DarkMatter, Gas, Stars, empty, isotropic
from morphosphere.snapshots.mock.populations import Traits, halo_mass, halo_radius

#: Density in solar masses per kpc^3 above which TNG's gas forms stars (0.106 hydrogen atoms/cm^3).
STAR_FORMING_DENSITY = 3.5e6


def cold_gas(
    rng: np.random.Generator, count: int, traits: Traits, stars: Stars, *, spread: float = 1.5
) -> Gas:
    """Gas of a star-forming galaxy: it lies about the youngest stars, and further out.

    Parameters
    ----------
    stars : Stars
        In the plane z = 0.
    spread : float
        How much more extended than the stars the outer gas is.
    """
    if count == 0:
        return empty(Gas)
    young = np.flatnonzero(stars.age < 3.0)
    source = rng.choice(young if len(young) > 20 else len(stars), size=count)
    position = stars.position[source].copy()
    velocity = stars.velocity[source] + rng.normal(scale=8.0, size=(count, 3))
    outer = rng.random(count) < 0.45
    position[outer, :2] *= spread
    position += rng.normal(size=(count, 3)) * (0.06 * traits.size) * [1, 1, 0.4]
    mass = np.full(count, traits.gas_fraction * traits.mass / count)
    radius = np.hypot(position[:, 0], position[:, 1]) / traits.size
    surface = mass.sum() / (2 * np.pi * traits.size**2) * np.exp(-radius)
    height = 0.12 * traits.size
    density = surface / (2 * height) * np.exp(-np.abs(position[:, 2]) / height)
    density *= 10 ** rng.normal(0.2, 0.35, count)
    weight = np.where(outer, 0.1, 1.0) * density**0.5
    dense = density >= np.quantile(density, 0.3)
    weight = np.where(dense, weight, 0.0)
    sfr = traits.sfr * weight / max(weight.sum(), 1e-30)
    temperature = np.where(dense, 1.2e4, 10 ** rng.normal(4.4, 0.3, count))
    metallicity = 10 ** (traits.log_metallicity + 0.1 - 0.12 * (radius - 1))
    return Gas(position, velocity, mass, density, temperature, sfr, metallicity)


def hot_gas(rng: np.random.Generator, count: int, traits: Traits) -> Gas:
    """Gas of a quiescent galaxy: a hot halo; what little star formation there is, is central."""
    if count == 0:
        return empty(Gas)
    radius = np.minimum(2.0 * traits.size * rng.gamma(1.5, 1.0, count), 20 * traits.size)
    position = isotropic(rng, radius)
    velocity = rng.normal(scale=0.6 * traits.dispersion, size=(count, 3))
    mass = np.full(count, traits.gas_fraction * traits.mass / count)
    scale = 2.0 * traits.size
    density = mass.sum() / (8 * np.pi * scale**3) * (1 + radius / scale) ** -2.5
    inner = np.argsort(radius)[: max(count // 30, 1)]
    sfr = np.zeros(count)
    sfr[inner] = traits.sfr / len(inner)
    density[inner] = np.maximum(density[inner], 1.2 * STAR_FORMING_DENSITY)
    temperature = 10 ** rng.normal(6.3, 0.2, count)
    temperature[inner] = 1.2e4
    metallicity = 10 ** (traits.log_metallicity - 0.3 + 0.1 * rng.normal(size=count))
    return Gas(position, velocity, mass, density, temperature, sfr, metallicity)


def dark_halo(rng: np.random.Generator, count: int, *, mass: float) -> DarkMatter:
    """Dark matter of a halo of `mass` solar masses, about isothermal: mass grows as the radius."""
    radius = halo_radius(mass) * 0.6 * rng.random(count)
    speed = 0.0065 * mass ** (1 / 3)  # km/s, about the halo's circular velocity
    velocity = rng.normal(scale=speed / np.sqrt(2), size=(count, 3))
    return DarkMatter(isotropic(rng, radius), velocity)


def halo_of(rng: np.random.Generator, count: int, traits: Traits) -> DarkMatter:
    """Dark matter of a galaxy."""
    return dark_halo(rng, count, mass=halo_mass(traits.log_mass))


def with_wind(rng: np.random.Generator, stars: Stars, traits: Traits) -> Stars:
    """The stars with a few turned into wind particles (0.2 % in star-forming galaxies)."""
    count = len(stars) // 500 if traits.stage > 0 else 0
    if count == 0:
        return stars
    chosen = rng.choice(len(stars), size=count, replace=False)
    position, velocity, age = stars.position.copy(), stars.velocity.copy(), stars.age.copy()
    position[chosen, 2] += rng.normal(scale=0.5 * traits.size, size=count)
    velocity[chosen, 2] += np.sign(position[chosen, 2]) * rng.uniform(100, 300, count)
    age[chosen] = np.nan
    return replace(stars, position=position, velocity=velocity, age=age)
