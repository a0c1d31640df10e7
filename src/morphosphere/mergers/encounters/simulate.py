"""One encounter, or one undisturbed galaxy, from what was drawn to its moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.config.encounters import EncounterSettings
from morphosphere.mergers.encounters.course import Course, follow, start_of
from morphosphere.mergers.encounters.draw import Encounter, draw_moments
from morphosphere.mergers.encounters.model import GalaxyModel
from morphosphere.mergers.encounters.orbit import pair_forces
from morphosphere.mergers.encounters.particles import run_stars
from morphosphere.mergers.encounters.stars import make_stars

#: Myr that a galaxy is left alone before an encounter starts.
_MIXING = 150.0


@dataclass(frozen=True)
class Moments:
    """Stars at some moments, all relative to the mean place and velocity of the stars.

    Attributes
    ----------
    place, velocity : ndarray of float32, shape (M, N, 3)
        kpc, km/s; velocities of shape (0, N, 3) if they are not kept.
    mass : ndarray of float32, shape (N,)
        Solar masses.
    time : ndarray, shape (M,)
        Myr since the first pericentre; of single galaxies, since the start.
    separation : ndarray, shape (M,)
        Of the nuclei in kpc; NaN for single galaxies.
    owner : ndarray of int, shape (N,)
        0 or 1: the galaxy that a star was born in.
    """

    place: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray
    time: np.ndarray
    separation: np.ndarray
    owner: np.ndarray


def plan_course(encounter: Encounter, settings: EncounterSettings) -> Course:
    """The orbit of an encounter, from its start to its end."""
    forces = pair_forces(encounter.first, encounter.second)
    place, velocity = start_of(
        forces,
        encounter.pericentre,
        encounter.eccentricity,
        separation=settings.start_separation,
        time=settings.start_time,
        step=settings.step,
    )
    return follow(
        forces,
        place,
        velocity,
        step=settings.step,
        friction=settings.friction,
        merging_distance=settings.merging_distance,
        lead=settings.start_time,
        max_time=settings.max_time,
        remnant_time=settings.remnant_time,
    )


def simulate_encounter(
    encounter: Encounter,
    course: Course,
    settings: EncounterSettings,
    random: np.random.Generator,
    *,
    kept: np.ndarray | None = None,
) -> Moments:
    """Simulate the stars of an encounter along its course.

    Parameters
    ----------
    kept : ndarray of int, optional
        Steps of the course whose moments are kept; else they are drawn after the settings.
    """
    galaxies = (encounter.first, encounter.second)
    counts = share_stars(galaxies, settings.stars)
    centres, drifts = course.centres(), course.drifts()
    places, velocities = [], []
    for number, (galaxy, count) in enumerate(zip(galaxies, counts)):
        place, velocity = _stars(galaxy, count, settings, random)
        places.append(place + centres[number, 0])
        velocities.append(velocity + drifts[number, 0])
    if kept is None:
        kept = draw_moments(len(course.time), _stride(settings), settings.moments, random)
    place, velocity = run_stars(
        np.concatenate(places),
        np.concatenate(velocities),
        galaxies,
        centres=centres,
        pushes=course.lag,
        fading=course.fading,
        step=settings.step,
        softening=settings.softening,
        kept=kept,
        velocities=settings.velocities,
    )
    mass = np.concatenate([np.full(n, g.stellar_mass / n) for g, n in zip(galaxies, counts)])
    return _centred(
        place,
        velocity,
        mass,
        time=course.time[kept],
        separation=course.separation[kept],
        owner=np.repeat([0, 1], counts),
    )


def simulate_single(
    galaxy: GalaxyModel, settings: EncounterSettings, random: np.random.Generator
) -> Moments:
    """A galaxy left to itself, for `start_time` and `remnant_time`: it does not change."""
    count = settings.stars
    place, velocity = _stars(galaxy, count, settings, random)
    steps = int((settings.start_time + settings.remnant_time) / settings.step) + 1
    kept = draw_moments(steps, _stride(settings), settings.moments, random)
    still = np.zeros((1, steps, 3))
    place, velocity = run_stars(
        place,
        velocity,
        (galaxy,),
        centres=still,
        pushes=still,
        fading=np.zeros(steps),
        step=settings.step,
        softening=settings.softening,
        kept=kept,
        velocities=settings.velocities,
    )
    return _centred(
        place,
        velocity,
        np.full(count, galaxy.stellar_mass / count),
        time=kept * settings.step,
        separation=np.full(len(kept), np.nan),
        owner=np.zeros(count, dtype=int),
    )


def share_stars(galaxies: tuple[GalaxyModel, GalaxyModel], count: int) -> tuple[int, int]:
    """Star particles of each galaxy: by the root of the mass, so that the smaller has enough."""
    first, second = (np.sqrt(galaxy.stellar_mass) for galaxy in galaxies)
    small = min(max(round(count * second / (first + second)), 1), count - 1)
    return count - small, small


def _stars(
    galaxy: GalaxyModel, count: int, settings: EncounterSettings, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Stars of a galaxy that was left alone until it is in equilibrium."""
    place, velocity = make_stars(
        galaxy, count, random, toomre_q=settings.toomre_q, softening=settings.softening
    )
    steps = round(_MIXING / settings.step) + 1
    still = np.zeros((1, steps, 3))
    places, velocities = run_stars(
        place,
        velocity,
        (galaxy,),
        centres=still,
        pushes=still,
        fading=np.zeros(steps),
        step=settings.step,
        softening=settings.softening,
        kept=np.array([steps - 1]),
        velocities=True,
    )
    return places[0], velocities[0]


def _stride(settings: EncounterSettings) -> int:
    return round(settings.interval / settings.step)


def _centred(
    place: np.ndarray,
    velocity: np.ndarray,
    mass: np.ndarray,
    *,
    time: np.ndarray,
    separation: np.ndarray,
    owner: np.ndarray,
) -> Moments:
    weight = mass / mass.sum()
    return Moments(
        place=place - np.einsum("n,mnk->mk", weight, place, dtype=np.float64).astype("f4")[:, None],
        velocity=velocity
        - np.einsum("n,mnk->mk", weight, velocity, dtype=np.float64).astype("f4")[:, None],
        mass=mass.astype(np.float32),
        time=time,
        separation=separation,
        owner=owner,
    )
