"""What is drawn at random of each encounter, by its number alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from morphosphere.config.encounters import EncounterSettings, Range
from morphosphere.mergers.encounters.model import GalaxyModel


@dataclass(frozen=True)
class Encounter:
    """Two galaxies and their orbit.

    Attributes
    ----------
    first, second : GalaxyModel
        The more massive one is the first. The orbit is in the plane z = 0, counter-clockwise.
    pericentre : float
        kpc; of the orbit without friction.
    eccentricity : float
    """

    first: GalaxyModel
    second: GalaxyModel
    pericentre: float
    eccentricity: float


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on names alone, not on any order of work."""
    hashed = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(hashed, "big")])


def draw_encounter(settings: EncounterSettings, random: np.random.Generator) -> Encounter:
    """An encounter from the ranges of the settings."""
    mass, scale = _primary(settings, random)
    ratio = float(np.exp(_within(random, np.log(settings.mass_ratio))))
    size = ratio ** (1 / 3) * 10 ** random.normal(0, settings.size_scatter)
    return Encounter(
        first=_galaxy(settings, random, mass, scale),
        second=_galaxy(settings, random, mass * ratio, scale * size),
        pericentre=_within(random, settings.pericentre),
        eccentricity=_within(random, settings.eccentricity),
    )


def draw_single(settings: EncounterSettings, random: np.random.Generator) -> GalaxyModel:
    """A galaxy like the first or the second of an encounter."""
    encounter = draw_encounter(settings, random)
    return encounter.second if random.random() < 0.5 else encounter.first


def _primary(settings: EncounterSettings, random: np.random.Generator) -> tuple[float, float]:
    mass = settings.mass * 10 ** random.normal(0, settings.mass_scatter)
    scale = settings.disc_scale * np.cbrt(mass / settings.mass)
    return float(mass), float(scale * 10 ** random.normal(0, settings.disc_scale_scatter))


def _galaxy(
    settings: EncounterSettings, random: np.random.Generator, mass: float, scale: float
) -> GalaxyModel:
    share = settings.stellar_fraction * 10 ** random.normal(0, settings.stellar_scatter)
    stars = mass * min(float(share), 0.8)
    bulge = stars * _within(random, settings.bulge_fraction)
    spin = random.normal(size=3)
    spin /= np.linalg.norm(spin)
    return GalaxyModel(
        halo_mass=mass - stars,
        halo_scale=float(settings.halo_scale * np.cbrt(mass / settings.mass)),
        disc_mass=stars - bulge,
        disc_scale=scale,
        bulge_mass=bulge,
        thickness=settings.thickness,
        spin=(float(spin[0]), float(spin[1]), float(spin[2])),
    )


def _within(random: np.random.Generator, limits: Range) -> float:
    return float(random.uniform(limits[0], limits[1]))


def draw_moments(
    steps: int, stride: int, moments: int | None, random: np.random.Generator
) -> np.ndarray:
    """Rising steps that are kept, of `steps`: every `stride`-th can be.

    Parameters
    ----------
    moments : int or None
        One is drawn in each of as many equal parts of the time; None keeps all.
    """
    possible = np.arange(0, steps, stride)
    if moments is None or moments >= len(possible):
        return possible
    edges = np.linspace(0, len(possible), moments + 1).astype(int)
    return possible[random.integers(edges[:-1], edges[1:])]
