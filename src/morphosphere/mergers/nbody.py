"""What an encounter would cost as a self-consistent N-body run, on this machine.

The peer is pytreegrav (Grudić & Gurvich 2021, JOSS 6, 3675), a Barnes-Hut tree in numba on all
cores. A few leapfrog steps are timed and scaled to the number of steps that GADGET-4 (Springel et
al. 2021, MNRAS 506, 2871) would take: particles have steps of their own, the largest power-of-two
part of `LARGEST` below ``sqrt(2 eta eps / |a|)``, with eps the Plummer-equivalent softening. Only
the particles whose step ends need a force, so the cost is that of one force on all particles times
the mean number of steps; the shortest steps, in which a tree is used for a few particles, are
counted as if that were free. Gas is moved as if it had no pressure. Both favour N-body.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.errors import MorphosphereError

#: kpc (km/s)^2 / solar mass, and kpc/(km/s) in Myr.
G = 4.300917e-6
MYR = 977.792
#: Accuracy of the time integration, and the largest step in Myr.
ETA, LARGEST = 0.05, 23.5
#: A spline softening of this support, over Plummer's, has the same depth of the potential.
SUPPORT = 2.8


@dataclass(frozen=True)
class Bodies:
    """Particles: kpc, km/s, solar masses, and Plummer-equivalent softenings in kpc."""

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray
    softening: np.ndarray


@dataclass(frozen=True)
class Cost:
    """What a run costs.

    Attributes
    ----------
    seconds : float
        Of the whole run.
    seconds_per_step : float
        Of a step of all particles, measured.
    mean_steps, most_steps : float
        Steps of a particle in the mean, and of that with the shortest; the second is what a code
        with one step for all would take.
    particles : int
    """

    seconds: float
    seconds_per_step: float
    mean_steps: float
    most_steps: float
    particles: int


def seconds_per_run(
    bodies: Bodies, duration: float = 1080.0, *, theta: float = 0.7, steps: int = 3
) -> Cost:
    """Cost of a run of `duration` Myr.

    Parameters
    ----------
    bodies : Bodies
        A typical moment.
    duration : float
    theta : float
        Opening angle of the tree.
    steps : int
        Leapfrog steps that are timed, after one that compiles.

    Raises
    ------
    MorphosphereError
        If pytreegrav is not installed.
    """
    place = bodies.position.astype(np.float64)
    velocity = bodies.velocity.astype(np.float64)
    force = _force(bodies, theta)
    acceleration = force(place)
    own = _own_steps(acceleration, bodies.softening)
    step = float(own.min()) / MYR
    start = time.perf_counter()
    for _ in range(steps):
        velocity += 0.5 * step * acceleration
        place += step * velocity
        acceleration = force(place)
        velocity += 0.5 * step * acceleration
    each = (time.perf_counter() - start) / steps
    needed = duration / own
    return Cost(
        seconds=each * float(needed.mean()),
        seconds_per_step=each,
        mean_steps=float(needed.mean()),
        most_steps=float(needed.max()),
        particles=len(place),
    )


def _force(bodies: Bodies, theta: float):
    try:
        from pytreegrav import Accel
    except ImportError:
        raise MorphosphereError(
            "pytreegrav is not installed; install it to measure what N-body runs cost"
        ) from None
    mass = bodies.mass.astype(np.float64)
    support = SUPPORT * bodies.softening.astype(np.float64)

    def force(place: np.ndarray) -> np.ndarray:
        return Accel(place, mass, support, G=G, theta=theta, parallel=True, method="tree")

    return force


def _own_steps(acceleration: np.ndarray, softening: np.ndarray) -> np.ndarray:
    """Step of each particle in Myr: a power-of-two part of the largest."""
    size = np.linalg.norm(acceleration, axis=1)
    limit = np.sqrt(2 * ETA * softening / size) * MYR
    levels = np.ceil(np.log2(np.maximum(LARGEST / limit, 1)))
    return LARGEST / 2**levels


def of_snapshot(
    path: Path, number: int, *, softening: float = 0.25, halo_softening: float = 0.75
) -> Bodies:
    """Particles of a snapshot of a run; the defaults are softenings in kpc for discs and halos."""
    from morphosphere.snapshots.families import open_snapshot

    snapshot = open_snapshot(path, number, "isolated")
    parts = []
    for name in ("stars", "gas", "dark_matter"):
        count = int(snapshot.subhalos().count[name][0])
        if count:
            fields = snapshot.read(name, ("position", "velocity", "mass"), 0, count)
            width = halo_softening if name == "dark_matter" else softening
            parts.append((*fields.values(), np.full(count, width)))
    snapshot.close()
    return Bodies(*(np.concatenate(column) for column in zip(*parts)))


def two_galaxies(
    *, number: int = 38_000, separation: float = 40.0, mass: float = 6e11, seed: int = 0
) -> Bodies:
    """Particles like those of a run where there is none: two halos with discs, at rest.

    Of each galaxy, a third of the particles is a Hernquist halo (scale 18.6 kpc, out to 300 kpc),
    the rest an exponential disc of 7.5 % of the mass (3 kpc); softenings as of `of_snapshot`.
    """
    random = np.random.default_rng(seed)
    halo = number // 3
    disc = number - halo
    share = np.sqrt(random.uniform(0, (300 / 318.6) ** 2, 2 * halo))
    radius = 18.6 * share / (1 - share)
    direction = random.normal(size=(2 * halo, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    flat = random.gamma(2.0, 3.0, 2 * disc)
    angle = random.uniform(0, 2 * np.pi, 2 * disc)
    height = 0.3 * random.normal(size=2 * disc)
    stars = np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)
    position = np.concatenate([radius[:, None] * direction, stars])
    second = np.concatenate([np.arange(2 * halo) % 2, np.arange(2 * disc) % 2])
    position[:, 0] += separation * (second - 0.5)
    masses = np.concatenate(
        [np.full(2 * halo, 0.925 * mass / halo), np.full(2 * disc, 0.075 * mass / disc)]
    )
    softening = np.concatenate([np.full(2 * halo, 0.75), np.full(2 * disc, 0.25)])
    return Bodies(position, np.zeros_like(position), masses, softening)
