"""Stars of disc galaxies: bulge, bar, ring, spiral arms, star-forming clumps."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.mock.ellipticals import spheroid
from morphosphere.snapshots.mock.particles import Stars, join
from morphosphere.snapshots.mock.pattern import Pattern
from morphosphere.snapshots.mock.populations import Traits

#: Young stars are made of lighter particles, so that arms are smooth: their mass over the mean.
YOUNG_LIGHTNESS = 0.2
YOUNG_AGE = 0.25  # Gyr


def circular_speed(radius: np.ndarray, traits: Traits, scale: float) -> np.ndarray:
    """Circular velocity in km/s at radii in kpc: rises over half a scale length, then flat."""
    return traits.speed * radius / np.hypot(radius, 0.5 * scale)


def disc_galaxy(rng: np.random.Generator, count: int, traits: Traits, pattern: Pattern) -> Stars:
    """A disc galaxy of `count` stars in the plane z = 0, rotating about +z."""
    bulge = traits.bulge_to_total
    young_mass = min(traits.sfr * YOUNG_AGE * 1e9 / traits.mass, 0.4)
    middle_mass = min(young_mass * 8 * (0.5 + 0.5 * min(traits.stage / 4, 1.0)), 0.5)
    if pattern.ring and traits.stage <= 0:
        middle_mass = max(middle_mass, 0.06)
    disc = 1 - bulge
    shares = {
        "bulge": bulge,
        "bar": disc * pattern.bar_share * (1 - young_mass - middle_mass),
        "young": disc * young_mass,
        "middle": disc * middle_mass,
    }
    shares["old"] = max(1 - sum(shares.values()), 0.0)
    mass = np.array(list(shares.values()))
    weight = mass / np.array([1, 1, YOUNG_LIGHTNESS, 0.6, 1])
    numbers = rng.multinomial(count, weight / weight.sum())
    scale = pattern.scale
    masses = dict(zip(shares, mass * traits.mass))
    stars = dict(zip(shares, numbers.tolist()))
    parts = [
        spheroid(
            rng,
            stars["bulge"],
            mass=masses["bulge"],
            radius=scale * float(0.16 + 0.45 * bulge),
            index=float(np.clip(1.0 + 4 * bulge, 1, 4)),
            axes=(1.0, 0.97, 0.75),
            dispersion=traits.dispersion,
            age=min(traits.age + 2.0, 11.5),
            log_metallicity=traits.log_metallicity + 0.15,
        )
    ]
    plane = {
        "bar": _bar(rng, stars["bar"], pattern),
        "young": _young(rng, stars["young"], traits, pattern),
        "middle": _middle(rng, stars["middle"], pattern),
        "old": _old(rng, stars["old"], pattern),
    }
    ages = {
        "bar": np.clip(rng.normal(traits.age + 1.0, 1.2, stars["bar"]), 1, 13),
        "young": plane["young"][2],
        "middle": rng.uniform(YOUNG_AGE, 3.0, stars["middle"]),
        "old": _old_ages(rng, plane["old"][0], traits),
    }
    thickness = {"bar": 0.2, "young": 0.06, "middle": 0.11, "old": 0.19}
    for name, (radius, azimuth, _) in plane.items():
        parts.append(
            _in_disc(
                rng,
                radius,
                azimuth,
                thickness=thickness[name],
                heat=thickness[name] / 0.19,
                mass=masses[name],
                age=ages[name],
                traits=traits,
                pattern=pattern,
            )
        )
    return join(parts)


Plane = tuple[np.ndarray, np.ndarray, np.ndarray]  # radius, azimuth, age (or nothing)


def _truncated(rng: np.random.Generator, count: int, *, shape: float = 2.0) -> np.ndarray:
    """Radii of an exponential disc in scale lengths; few lie beyond seven."""
    radius = rng.gamma(shape, size=count)
    return np.where(radius > 7, rng.gamma(shape, size=count), radius)


def _old(rng: np.random.Generator, count: int, pattern: Pattern) -> Plane:
    radius = _truncated(rng, count)
    azimuth = _on_arms(rng, radius, pattern, 0.35 * pattern.contrast)
    return radius, azimuth, np.zeros(0)


def _old_ages(rng: np.random.Generator, radius: np.ndarray, traits: Traits) -> np.ndarray:
    """Ages of the old disc: it grew from the inside out."""
    mean = traits.age - 0.7 * (radius - 1.5)
    return np.clip(rng.normal(mean, 1.8), 1.5, 13.0)


def _middle(rng: np.random.Generator, count: int, pattern: Pattern) -> Plane:
    radius = _with_ring(rng, _truncated(rng, count), pattern, 0.35)
    return radius, _on_arms(rng, radius, pattern, 1.2 * pattern.contrast), np.zeros(0)


def _young(rng: np.random.Generator, count: int, traits: Traits, pattern: Pattern) -> Plane:
    """Young stars: half along the narrow arms, half in clumps on them."""
    number = int(np.clip(rng.poisson(14 + 7 * max(traits.stage, 0)), 6, 90))
    inner = pattern.inner * (0.95 if pattern.bar else 0.6)
    seeds = _with_ring(rng, inner + rng.gamma(2.0, 0.7, number), pattern, 0.5)
    seed_azimuth = _on_arms(rng, seeds, pattern, 5 * pattern.contrast)
    share = rng.pareto(1.6, number) + 0.25
    clumped = rng.random(count) < 0.45
    which = rng.choice(number, size=count, p=share / share.sum())
    start = pattern.inner * (0.9 if pattern.bar else 0.5)
    radius = _with_ring(rng, start + rng.gamma(1.9, 0.8, count), pattern, 0.5)
    azimuth = _on_arms(rng, radius, pattern, 4 * pattern.contrast)
    extent = rng.uniform(0.03, 0.09, number)[which]
    x = seeds[which] * np.cos(seed_azimuth[which]) + rng.normal(size=count) * extent
    y = seeds[which] * np.sin(seed_azimuth[which]) + rng.normal(size=count) * extent
    radius = np.where(clumped, np.hypot(x, y), radius)
    azimuth = np.where(clumped, np.arctan2(y, x), azimuth)
    ages = np.where(
        clumped,
        rng.uniform(0.005, 0.08, number)[which],
        rng.uniform(0.004, YOUNG_AGE, count),
    )
    return radius, azimuth, ages


def _with_ring(
    rng: np.random.Generator, radius: np.ndarray, pattern: Pattern, share: float
) -> np.ndarray:
    if not pattern.ring:
        return radius
    chosen = rng.random(len(radius)) < share
    return np.where(chosen, np.abs(rng.normal(pattern.ring, 0.1, len(radius))), radius)


def _bar(rng: np.random.Generator, count: int, pattern: Pattern) -> Plane:
    """A Ferrers bar of index 1 (Binney & Tremaine 2008, section 2.5.3): ``m^2`` is Beta(3/2, 2)."""
    m = np.sqrt(rng.beta(1.5, 2.0, count)) * pattern.bar * 1.05
    angle = np.arccos(rng.uniform(-1, 1, count)), rng.uniform(0, 2 * np.pi, count)
    x = m * np.sin(angle[0]) * np.cos(angle[1])
    y = m * np.sin(angle[0]) * np.sin(angle[1]) * pattern.bar_width
    return np.hypot(x, y), np.arctan2(y, x) + pattern.start, np.zeros(0)


def _on_arms(
    rng: np.random.Generator, radius: np.ndarray, pattern: Pattern, concentration: float
) -> np.ndarray:
    """Azimuths gathered on logarithmic arms.

    The azimuth from the nearest ridge, times the number of arms, follows the von Mises
    distribution; inside the start of the arms and far out it spreads over the circle.
    """
    count = len(radius)
    if len(pattern.patches):
        return _on_patches(rng, radius, pattern, concentration)
    if not pattern.arms:
        return rng.uniform(0, 2 * np.pi, count)
    inside = np.clip((radius - 0.7 * pattern.inner) / (0.3 * pattern.inner), 0, 1)
    kappa = concentration * inside * np.clip(1.6 - radius / 5, 0.2, 1)
    strength = 1 + 0.25 * np.cos(np.arange(pattern.arms) * 2.4 + pattern.start)
    arm = rng.choice(pattern.arms, size=count, p=strength / strength.sum())
    ridge = pattern.start + np.log(np.maximum(radius, 0.05) / pattern.inner) / pattern.pitch
    # arms are not perfect spirals
    ridge = ridge + 0.13 * np.sin(2.1 * radius + pattern.start + 1.7 * arm)
    phase = rng.vonmises(0.0, np.maximum(kappa, 1e-3))
    return ridge + (phase + 2 * np.pi * arm) / pattern.arms


def _on_patches(
    rng: np.random.Generator, radius: np.ndarray, pattern: Pattern, concentration: float
) -> np.ndarray:
    """Azimuths gathered on many short pieces of arm, near the radius of each star."""
    middle, azimuth, length, weight = pattern.patches.T
    count = len(radius)
    out = rng.uniform(0, 2 * np.pi, count)
    loose = rng.random(count) < 1 / (1 + concentration)
    near = np.exp(-0.5 * ((radius[:, None] - middle) / (0.35 * length)) ** 2) * weight
    total = near.sum(axis=1)
    pick = (np.cumsum(near, axis=1) < (rng.random(count) * total)[:, None]).sum(axis=1)
    pick = np.minimum(pick, len(middle) - 1)
    ridge = azimuth[pick] + np.log(np.maximum(radius, 0.05) / middle[pick]) / pattern.pitch
    ridge += rng.normal(scale=0.1, size=count)
    return np.where(loose | (total < 1e-3), out, ridge)


def _in_disc(
    rng: np.random.Generator,
    radius: np.ndarray,
    azimuth: np.ndarray,
    *,
    thickness: float,
    heat: float,
    mass: float,
    age: np.ndarray,
    traits: Traits,
    pattern: Pattern,
) -> Stars:
    """Stars at the given places in the plane (scale lengths), with height and motion.

    The height follows sech^2. Dispersions fall as ``exp(-R / 2 h)`` and are largest along the
    radius; the mean rotation lags the circular velocity by the asymmetric drift.
    """
    count = len(radius)
    height = np.arctanh(rng.uniform(-0.999, 0.999, count)) * thickness
    if pattern.warp:
        height = height + pattern.warp * np.clip((radius - 2) / 2, 0, None) ** 1.5 * np.sin(
            azimuth - pattern.start
        )
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    position = np.stack([radius * cos, radius * sin, height], axis=1) * pattern.scale
    circular = circular_speed(radius * pattern.scale, traits, pattern.scale)
    sigma = 0.35 * traits.speed * heat * np.exp(-radius / 4) + 6
    outward = rng.normal(size=count) * sigma
    around = np.sqrt(np.maximum(circular**2 - sigma**2 * radius * 0.6, 0)) + (
        0.7 * sigma * rng.normal(size=count)
    )
    up = 0.6 * sigma * rng.normal(size=count)
    sense = np.sign(pattern.pitch)  # arms trail
    around = around * -sense
    velocity = np.stack([outward * cos - around * sin, outward * sin + around * cos, up], axis=1)
    enriched = -0.08 * (radius - 1.5) - 0.03 * np.maximum(age - 6, 0)
    return Stars(
        position=position,
        velocity=velocity,
        initial_mass=np.full(count, mass / count) if count else np.zeros(0),
        age=age,
        metallicity=10 ** (traits.log_metallicity + enriched + rng.normal(scale=0.1, size=count)),
    )
