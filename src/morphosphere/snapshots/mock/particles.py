"""Particles of one galaxy, as the models make them: centred, physical units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np


@dataclass(frozen=True)
class Stars:
    """Star particles.

    Attributes
    ----------
    position : ndarray, shape (N, 3)
        Relative to the galaxy's centre, in kpc.
    velocity : ndarray, shape (N, 3)
        Relative to the galaxy, in km/s.
    initial_mass : ndarray, shape (N,)
        Mass at birth in solar masses.
    age : ndarray, shape (N,)
        In Gyr; NaN for wind particles, which are gas on its way.
    metallicity : ndarray, shape (N,)
        Metal mass fraction.
    """

    position: np.ndarray
    velocity: np.ndarray
    initial_mass: np.ndarray
    age: np.ndarray
    metallicity: np.ndarray

    def __len__(self) -> int:
        return len(self.age)

    def mass(self) -> np.ndarray:
        """Mass left at the given age, in solar masses.

        The returned fraction is ``0.046 ln(t / 0.276 Myr + 1)`` (Leitner & Kravtsov 2011,
        ApJ 734, 48, for a Chabrier initial mass function).
        """
        lost = 0.046 * np.log1p(np.nan_to_num(self.age) / 2.76e-4)
        return self.initial_mass * (1 - lost)


@dataclass(frozen=True)
class Gas:
    """Gas cells.

    Attributes
    ----------
    position, velocity : ndarray, shape (N, 3)
        As of `Stars`.
    mass : ndarray, shape (N,)
        In solar masses.
    density : ndarray, shape (N,)
        In solar masses per kpc^3.
    temperature : ndarray, shape (N,)
        In kelvin.
    sfr : ndarray, shape (N,)
        Star formation rate in solar masses per year.
    metallicity : ndarray, shape (N,)
        Metal mass fraction.
    """

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray
    density: np.ndarray
    temperature: np.ndarray
    sfr: np.ndarray
    metallicity: np.ndarray

    def __len__(self) -> int:
        return len(self.mass)


@dataclass(frozen=True)
class DarkMatter:
    """Dark matter particles; attributes as of `Stars`."""

    position: np.ndarray
    velocity: np.ndarray

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True)
class Galaxy:
    """All particles of one subhalo."""

    stars: Stars
    gas: Gas
    dark_matter: DarkMatter


P = TypeVar("P", Stars, Gas, DarkMatter)


def join(parts: Sequence[P]) -> P:
    """The particles of several components as one."""
    kind = type(parts[0])
    return kind(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(kind)))


def take(particles: P, index: np.ndarray | slice) -> P:
    """Some of the particles."""
    kind = type(particles)
    return kind(*(getattr(particles, f.name)[index] for f in fields(kind)))


def empty(kind: type[P]) -> P:
    """No particles."""
    three = ("position", "velocity")
    return kind(*(np.zeros((0, 3) if f.name in three else 0) for f in fields(kind)))


def turned(particles: P, rotation: np.ndarray) -> P:
    """The particles with positions and velocities rotated: ``x -> rotation @ x``."""
    return replace(
        particles,
        position=particles.position @ rotation.T,
        velocity=particles.velocity @ rotation.T,
    )


def moved(particles: P, position: np.ndarray, velocity: np.ndarray) -> P:
    """The particles with a shift of position and of velocity added."""
    return replace(
        particles,
        position=particles.position + position,
        velocity=particles.velocity + velocity,
    )


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation matrix, shape (3, 3), uniform over all orientations (from a unit quaternion)."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def isotropic(rng: np.random.Generator, radius: np.ndarray) -> np.ndarray:
    """Points at the given distances in directions uniform over the sphere, shape (N, 3)."""
    direction = rng.normal(size=(len(radius), 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * radius[:, None]
