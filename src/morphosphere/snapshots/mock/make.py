"""Particles of the subhalos of a plan, one unit (a subhalo or an interacting pair) at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from morphosphere.config.mock import MockSettings
from morphosphere.snapshots.mock.discs import disc_galaxy
from morphosphere.snapshots.mock.ellipticals import elliptical, spheroid
from morphosphere.snapshots.mock.gas import cold_gas, dark_halo, halo_of, hot_gas, with_wind
from morphosphere.snapshots.mock.irregulars import irregular
from morphosphere.snapshots.mock.pairs import interact
from morphosphere.snapshots.mock.particles import (
    DarkMatter,
    Galaxy,
    Gas,
    Stars,
    empty,
    join,
    moved,
    random_rotation,
    turned,
)
from morphosphere.snapshots.mock.pattern import draw_pattern
from morphosphere.snapshots.mock.plan import (
    CLUMP,
    DARK,
    BoxPlan,
    draw_of,
    particle_counts,
    particle_stream,
)
from morphosphere.snapshots.mock.populations import Traits


@dataclass(frozen=True)
class Placed:
    """A subhalo's particles, centred, and where it is in its group (kpc, km/s)."""

    galaxy: Galaxy
    offset: np.ndarray
    drift: np.ndarray


def units(plan: BoxPlan) -> Iterator[tuple[int, int]]:
    """First and last-but-one row of each unit of the plan, in order."""
    row = 0
    while row < len(plan.kind):
        size = 2 if plan.paired[row] else 1
        yield row, row + size
        row += size


def make_unit(plan: BoxPlan, first: int, stop: int) -> list[Placed]:
    """Particles of the subhalos `first` to `stop` of the plan, which are made together."""
    made = [(plan.offset[row], plan.drift[row]) for row in range(first, stop)]
    if plan.kind[first] in (DARK, CLUMP):
        galaxies = [_small(plan, first)]
    else:
        galaxies, away, drift = make_galaxies(plan.settings, plan.seed, int(plan.galaxy[first]))
        if len(galaxies) == 2:
            made[1] = (made[0][0] + away, made[0][1] + drift)
    return [Placed(g, offset, drift) for g, (offset, drift) in zip(galaxies, made)]


def make_galaxies(
    settings: MockSettings, seed: int, number: int
) -> tuple[list[Galaxy], np.ndarray, np.ndarray]:
    """Galaxy `number`, or both members of the pair that starts with it.

    Returns
    -------
    galaxies : list of Galaxy
        One or two, each relative to its own centre, at random orientations.
    away, drift : ndarray, shape (3,)
        Position (kpc) and velocity (km/s) of the second relative to the first.
    """
    rng = particle_stream(seed, number)
    draw = draw_of(settings, seed, number)
    traits = draw.members
    counts = particle_counts(settings, draw)
    stars = [_stars(rng, int(c[4]), t, settings) for c, t in zip(counts, traits)]
    gas = [_gas(rng, int(c[0]), t, s) for c, t, s in zip(counts, traits, stars)]
    away = drift = np.zeros(3)
    if len(traits) == 2:
        merging = draw.family == "merger"
        stars, gas, away, drift = interact(rng, stars, gas, traits, merging=merging)
    else:
        rotation = random_rotation(rng)
        stars, gas = [turned(stars[0], rotation)], [turned(gas[0], rotation)]
    stars = [with_wind(rng, s, t) for s, t in zip(stars, traits)]
    dark = [halo_of(rng, int(c[1]), t) for c, t in zip(counts, traits)]
    galaxies = [Galaxy(*parts) for parts in zip(stars, gas, dark)]
    if draw.family == "merger":
        galaxies = [_as_one(galaxies[0], recentred(galaxies[1], away, drift))]
    return galaxies, away, drift


def _as_one(first: Galaxy, second: Galaxy) -> Galaxy:
    return Galaxy(
        stars=join([first.stars, second.stars]),
        gas=join([first.gas, second.gas]),
        dark_matter=join([first.dark_matter, second.dark_matter]),
    )


def _stars(rng: np.random.Generator, count: int, traits: Traits, settings: MockSettings) -> Stars:
    if traits.family in ("spiral", "lenticular"):
        return disc_galaxy(rng, count, traits, draw_pattern(rng, traits, barred=settings.barred))
    if traits.family == "irregular":
        return irregular(rng, count, traits)
    return elliptical(rng, count, traits)


def _gas(rng: np.random.Generator, count: int, traits: Traits, stars: Stars) -> Gas:
    if traits.stage > 0:
        return cold_gas(rng, count, traits, stars)
    return hot_gas(rng, count, traits)


def _small(plan: BoxPlan, row: int) -> Galaxy:
    """A subhalo without stars, or a clump of gas and stars without dark matter."""
    rng = particle_stream(plan.seed, int(plan.galaxy[row]))
    gas_count, dark_count, _, _, star_count, _ = (int(n) for n in plan.counts[row])
    mass = plan.settings.star_mass * max(star_count, 1)
    stars = empty(Stars)
    if star_count:
        stars = spheroid(
            rng,
            star_count,
            mass=mass,
            radius=0.4,
            index=1.0,
            axes=(1.0, 0.9, 0.8),
            dispersion=20.0,
            age=1.0,
            log_metallicity=-2.2,
            age_spread=0.4,
        )
    gas = Gas(
        position=rng.normal(size=(gas_count, 3)),
        velocity=rng.normal(scale=15.0, size=(gas_count, 3)),
        mass=np.full(gas_count, plan.settings.star_mass),
        density=np.full(gas_count, 1e5),
        temperature=np.full(gas_count, 2e4),
        sfr=np.zeros(gas_count),
        metallicity=np.full(gas_count, 1e-3),
    )
    dark = empty(DarkMatter)
    if dark_count:
        dark = dark_halo(rng, dark_count, mass=dark_count * plan.settings.dark_matter_mass)
    return Galaxy(stars, gas, dark)


def make_fuzz(
    rng: np.random.Generator, counts: np.ndarray, *, radius: float, mass: float
) -> Galaxy:
    """Particles of a group that belong to none of its subhalos, spread over `radius` kpc."""
    gas_count, dark_count, _, _, star_count, _ = (int(n) for n in counts)

    def spread(count: int) -> np.ndarray:
        return rng.normal(size=(count, 3)) * (0.5 * radius)

    stars = Stars(
        position=spread(star_count),
        velocity=rng.normal(scale=150.0, size=(star_count, 3)),
        initial_mass=np.full(star_count, mass),
        age=rng.uniform(5.0, 10.0, star_count),
        metallicity=np.full(star_count, 5e-3),
    )
    gas = Gas(
        position=spread(gas_count),
        velocity=rng.normal(scale=150.0, size=(gas_count, 3)),
        mass=np.full(gas_count, mass),
        density=np.full(gas_count, 1e3),
        temperature=np.full(gas_count, 1e6),
        sfr=np.zeros(gas_count),
        metallicity=np.full(gas_count, 2e-3),
    )
    dark = DarkMatter(spread(dark_count), rng.normal(scale=150.0, size=(dark_count, 3)))
    return Galaxy(stars, gas, dark)


def recentred(galaxy: Galaxy, position: np.ndarray, velocity: np.ndarray) -> Galaxy:
    """The galaxy moved to a position (kpc) with a velocity (km/s)."""
    return replace(
        galaxy,
        stars=moved(galaxy.stars, position, velocity),
        gas=moved(galaxy.gas, position, velocity),
        dark_matter=moved(galaxy.dark_matter, position, velocity),
    )
