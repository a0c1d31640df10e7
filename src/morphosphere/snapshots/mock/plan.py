"""The plan of the box: what each subhalo is and how many particles it has, before any is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from morphosphere.config.mock import MockSettings
from morphosphere.errors import ConfigError
from morphosphere.snapshots.mock.populations import (
    Traits,
    draw_family,
    draw_log_mass,
    draw_traits,
    halo_mass,
    halo_radius,
)

GALAXY, DARK, CLUMP = 0, 1, 2
_BOX_STREAM = 1 << 31
_TRAITS, _PARTICLES = 0, 1
TYPES = 6  # particle types of a Gadget-like snapshot


@dataclass(frozen=True)
class BoxPlan:
    """The box before its particles: S subhalos in G groups, in the order of the files.

    Attributes
    ----------
    settings, seed
        What the plan was made from.
    kind : ndarray, shape (S,)
        `GALAXY`, `DARK` (no stars) or `CLUMP` (a fragment of a disc, ``SubhaloFlag`` 0).
    galaxy : ndarray, shape (S,)
        Number of the galaxy, which names its random stream; other subhalos have their own.
    paired : ndarray of bool, shape (S,)
        Whether the subhalo is of an encounter; its two members are neighbours in the list.
    counts : ndarray, shape (S, 6)
        Particles of each type.
    group : ndarray, shape (S,)
        Group of each subhalo.
    offset, drift : ndarray, shape (S, 3)
        Position in kpc and velocity in km/s relative to the group.
    group_subhalos : ndarray, shape (G,)
        Number of subhalos of each group; zero for some.
    group_fuzz : ndarray, shape (G, 6)
        Particles of each type in a group but in none of its subhalos.
    group_position, group_velocity : ndarray, shape (G, 3)
        Fraction of the box's side; km/s.
    group_halo : ndarray, shape (G,)
        Mass of the halo in solar masses.
    field : ndarray, shape (6,)
        Particles of each type in no group.
    """

    settings: MockSettings
    seed: int
    kind: np.ndarray
    galaxy: np.ndarray
    paired: np.ndarray
    counts: np.ndarray
    group: np.ndarray
    offset: np.ndarray
    drift: np.ndarray
    group_subhalos: np.ndarray
    group_fuzz: np.ndarray
    group_position: np.ndarray
    group_velocity: np.ndarray
    group_halo: np.ndarray
    field: np.ndarray

    @property
    def first_subhalo(self) -> np.ndarray:
        """First subhalo of each group, -1 for a group without, shape (G,)."""
        first = np.cumsum(self.group_subhalos) - self.group_subhalos
        return np.where(self.group_subhalos > 0, first, -1)

    def first_subhalo_of(self, group: int) -> int:
        """First subhalo of a group, -1 for a group without."""
        return int(self._first[group])

    @cached_property
    def _first(self) -> np.ndarray:
        return self.first_subhalo

    @property
    def group_counts(self) -> np.ndarray:
        """Particles of each type in each group, shape (G, 6)."""
        total = self.group_fuzz.copy()
        np.add.at(total, self.group, self.counts)
        return total

    @property
    def total(self) -> np.ndarray:
        """Particles of each type in the box, shape (6,)."""
        return self.counts.sum(axis=0) + self.group_fuzz.sum(axis=0) + self.field


def stream(seed: int, *key: int) -> np.random.Generator:
    """The random numbers of one thing in the box."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def particle_stream(seed: int, galaxy: int) -> np.random.Generator:
    """The random numbers of the particles of one galaxy (or pair, by its first galaxy)."""
    return stream(seed, galaxy, _PARTICLES)


@dataclass(frozen=True)
class Draw:
    """What a galaxy number stands for.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    members : list of Traits
        One galaxy; two, the heavier first, for a pair (two numbers) and for a merger (one).
    """

    family: str
    members: list[Traits]

    @property
    def numbers(self) -> int:
        """How many galaxies, that is subhalos with stars, this makes."""
        return 2 if self.family == "pair" else 1


def draw_of(settings: MockSettings, seed: int, galaxy: int) -> Draw:
    """Family and traits of a galaxy, or of both members of the pair that starts with it."""
    rng = stream(seed, galaxy, _TRAITS)
    family = draw_family(rng, settings)
    if family == "pair" and galaxy + 1 == settings.galaxies:
        family = "merger"  # there is no number left for the companion
    log_mass = draw_log_mass(rng, family, settings.mass_range)
    if family not in ("pair", "merger"):
        return Draw(family, [draw_traits(rng, family, log_mass)])
    ratio = rng.uniform(0.25, 1.0)
    kinds = ["spiral", "spiral" if rng.random() < 0.75 else "elliptical"]
    if rng.random() < 0.15:
        kinds[0] = "elliptical"
    lower = max(log_mass + np.log10(ratio), settings.mass_range[0])
    masses = [log_mass, min(lower, log_mass)]
    return Draw(family, [draw_traits(rng, kind, mass) for kind, mass in zip(kinds, masses)])


def particle_counts(settings: MockSettings, draw: Draw) -> list[np.ndarray]:
    """Particles of each type of each member of a draw, arrays of shape (6,)."""
    least, most = settings.stars_range
    masses = [t.mass for t in draw.members]
    stars = [int(np.clip(mass / settings.star_mass, least, most)) for mass in masses]
    if draw.family == "merger":  # one subhalo, so one galaxy's number of stars
        total = int(np.clip(sum(masses) / settings.star_mass, least, most))
        lighter = int(total * masses[1] / sum(masses))
        stars = [total - lighter, lighter]
    counts = []
    for traits, number in zip(draw.members, stars):
        share = traits.gas_fraction / (traits.gas_fraction + 0.15)
        gas = round(number * settings.gas_per_star * share)
        dark = halo_mass(traits.log_mass) / settings.dark_matter_mass
        dark = int(np.clip(dark, 20, 20 * number))
        counts.append(np.array([gas, dark, 0, 0, number, 0], dtype=np.int64))
    return counts


def _units(settings: MockSettings, seed: int) -> list[list[tuple[int, np.ndarray, float]]]:
    """Galaxies, pairs together: (number, counts, halo mass) of each member."""
    units, galaxy = [], 0
    while galaxy < settings.galaxies:
        draw = draw_of(settings, seed, galaxy)
        unit = [
            (galaxy + k, counts, halo_mass(t.log_mass))
            for k, (t, counts) in enumerate(zip(draw.members, particle_counts(settings, draw)))
        ]
        if draw.family == "merger":
            unit = [(galaxy, unit[0][1] + unit[1][1], unit[0][2] + unit[1][2])]
        units.append(unit)
        galaxy += draw.numbers
    return units


def _companions(rng: np.random.Generator, settings: MockSettings, groups: int) -> list[list]:
    """Starless subhalos and clumps, as (kind, counts, mass) of each group."""
    extra: list[list] = [[] for _ in range(groups)]
    for _ in range(round(settings.starless * settings.galaxies)):
        dark = int(rng.integers(20, 120))
        gas = int(rng.integers(1, 30)) if rng.random() < 0.3 else 0
        counts = np.array([gas, dark, 0, 0, 0, 0])
        extra[rng.integers(groups)].append((DARK, counts, dark * settings.dark_matter_mass))
    for _ in range(-(-settings.galaxies // 100)):
        counts = np.array([int(rng.integers(20, 100)), 0, 0, 0, int(rng.integers(50, 300)), 0])
        extra[rng.integers(groups)].append((CLUMP, counts, 0.0))
    return extra


def plan_box(settings: MockSettings, seed: int) -> BoxPlan:
    """Plan a box: the same settings and seed give the same plan.

    Memory grows by a few hundred bytes a subhalo.

    Raises
    ------
    ConfigError
        If a file of the snapshot would hold more particles than its header can count.
    """
    rng = stream(seed, _BOX_STREAM)
    groups: list[list[list]] = []
    room = 0
    for unit in _units(settings, seed):
        single = len(unit) == 1
        if not single or room == 0 or not groups:
            groups.append([])
            room = 0 if not single else int(rng.geometric(0.55))
        groups[-1].append(unit)
        room = max(room - 1, 0)
    extra = _companions(rng, settings, len(groups))
    halos = np.array([sum(m[2] for unit in g for m in unit) for g in groups])
    order = np.argsort(-halos, kind="stable")

    rows: dict[str, list] = {name: [] for name in ("kind", "galaxy", "paired", "counts", "group")}
    offsets, drifts, number = [], [], []
    others = settings.galaxies  # numbers of the subhalos that are no galaxies
    for place, index in enumerate(order):
        members = [
            (GALAXY, *member, len(unit) == 2)
            for unit in sorted(groups[index], key=lambda u: -u[0][2])
            for member in unit
        ]
        for kind, counts, mass in sorted(extra[index], key=lambda e: -e[2]):
            members.append((kind, others, counts, mass, False))
            others += 1
        radius = halo_radius(halos[index])
        for rank, (kind, galaxy, counts, _, paired) in enumerate(members):
            rows["kind"].append(kind)
            rows["galaxy"].append(galaxy)
            rows["paired"].append(paired)
            rows["counts"].append(counts)
            rows["group"].append(place)
            away = rank > 0 and not paired
            direction = rng.normal(size=(2, 3))
            direction[0] *= radius * rng.uniform(0.2, 0.8) / np.linalg.norm(direction[0])
            offsets.append(direction[0] * away)
            drifts.append(direction[1] * away * 0.006 * halos[index] ** (1 / 3))
        number.append(len(members))

    bare = -(-len(groups) // 20)  # groups with no subhalo at all
    count = len(groups) + bare
    fuzz = np.zeros((count, TYPES), dtype=np.int64)
    fuzz[:, 1] = rng.integers(20, 60, size=count)
    fuzz[: len(groups), 0] = rng.integers(0, 20, size=len(groups))
    fuzz[: len(groups), 4] = rng.integers(0, 15, size=len(groups))
    position = rng.random((count, 3))
    edge = np.arange(count) % 12 == 3  # some groups straddle the edge of the box
    position[edge, rng.integers(0, 3, size=edge.sum())] = 0.0
    plan = BoxPlan(
        settings=settings,
        seed=seed,
        kind=np.array(rows["kind"]),
        galaxy=np.array(rows["galaxy"]),
        paired=np.array(rows["paired"]),
        counts=np.array(rows["counts"]).reshape(-1, TYPES),
        group=np.array(rows["group"]),
        offset=np.reshape(offsets, (-1, 3)),
        drift=np.reshape(drifts, (-1, 3)),
        group_subhalos=np.array(number + [0] * bare),
        group_fuzz=fuzz,
        group_position=position,
        group_velocity=rng.normal(scale=200, size=(count, 3)),
        group_halo=np.concatenate([halos[order], np.full(bare, 40 * settings.dark_matter_mass)]),
        field=np.array([200, 1000, 0, 0, 0, 0]),
    )
    most = int(plan.total.max())
    if most // settings.files >= 2**31:
        needed = most // (2**31 - 1) + 1
        raise ConfigError(
            f"files: {settings.files} files cannot hold {most} particles of one type; "
            f"use at least {needed}"
        )
    return plan
