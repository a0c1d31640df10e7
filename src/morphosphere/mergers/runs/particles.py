"""All particles of one moment of a run, and what is measured of both galaxies by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphosphere.config.merger_sources import RunSettings
from morphosphere.errors import InputError
from morphosphere.extract.structure import nearest_image, shrinking_sphere, weighted_mean
from morphosphere.mergers.runs.files import Moment
from morphosphere.snapshots.protocol import Snapshot

COMPONENTS = ("stars", "gas", "dark_matter")
#: Fields that are read, where a snapshot has them.
FIELDS = (
    "position",
    "velocity",
    "mass",
    "initial_mass",
    "age",
    "is_star",
    "metallicity",
    "sfr",
    "density",
    "smoothing_length",
)
#: Share of a galaxy's stars, the nearest to its nucleus, whose mean velocity is the nucleus'.
_NUCLEUS = 0.1

Particles = dict[str, np.ndarray]


@dataclass(frozen=True)
class Nuclei:
    """Nuclei of both galaxies at one moment.

    Attributes
    ----------
    position, velocity : ndarray, shape (2, 3)
        kpc and km/s.
    mass : ndarray, shape (2,)
        Stars, gas and dark matter, solar masses.
    """

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray


def total(snapshot: Snapshot, component: str) -> int:
    """Number of particles of a component in a snapshot, whatever object they belong to."""
    subhalos = snapshot.subhalos()
    if component not in subhalos.offset or len(subhalos) == 0:
        return 0
    return int((subhalos.offset[component] + subhalos.count[component]).max())


def read(snapshot: Snapshot, component: str, fields: Sequence[str], moment: Moment) -> Particles:
    """All particles of a component, in kpc, km/s and solar masses, without winds.

    Raises
    ------
    InputError
        If a position, velocity or mass is not a finite number, or a mass is negative.
    """
    values = snapshot.read(component, fields, 0, total(snapshot, component))
    for name in ("position", "velocity", "mass"):
        if name in values and not np.isfinite(values[name].sum(dtype=np.float64)):
            finite = np.isfinite(values[name]).reshape(len(values[name]), -1).all(axis=1)
            if len(bad := np.flatnonzero(~finite)):
                raise InputError(
                    f"{snapshot.where(component, name, int(bad[0]))}: {len(bad)} values are not "
                    "finite, the first in row "
                    f"{bad[0]} of the {component}; copy snapshot {moment.number} again or leave it "
                    "out with `snapshots`"
                )
    return values


def measure(snapshot: Snapshot, moment: Moment, settings: RunSettings) -> Nuclei:
    """Nuclei and masses of both galaxies, told apart by the ids of their particles.

    A nucleus is where a shrinking sphere on the galaxy's stars ends, its velocity the mean of the
    tenth of the stars that is nearest.

    Raises
    ------
    InputError
        If the snapshot has no ids, or a galaxy has no stars with the ids of the settings.
    """
    mass = np.zeros(2)
    places, speeds = [], []
    start = None
    for component in COMPONENTS:
        if total(snapshot, component) == 0:
            continue
        stars = component == "stars"
        particles = read(
            snapshot, component, ("position", "velocity", "mass") if stars else ("mass",), moment
        )
        for number, mine in enumerate(_members(snapshot, component, moment, settings)):
            mass[number] += particles["mass"][mine].sum(dtype=np.float64)
            if not stars:
                continue
            if not mine.any():
                raise InputError(
                    f"{moment.path}: no star of galaxy {number + 1}: none has an id in "
                    f"`galaxy_{number + 1}`"
                    + (" (all others are of galaxy 1)" if number and not settings.galaxy_2 else "")
                    + f"; ids there are {_span(snapshot, component)}"
                )
            position = particles["position"][mine]
            start = position[0].copy() if start is None else start
            position = nearest_image(position - start, snapshot.header.box_size)
            weight = particles["mass"][mine]
            centre = shrinking_sphere(position, weight)
            distance = np.linalg.norm(position - centre, axis=1)
            count = max(1, int(_NUCLEUS * len(distance)))
            near = np.argpartition(distance, count - 1)[:count]
            places.append(centre + start)
            speeds.append(weighted_mean(particles["velocity"][mine][near], weight[near]))
    if not places:
        raise InputError(f"{moment.path}: no stars in it; a merger's images are made of its stars")
    return Nuclei(np.array(places), np.array(speeds), mass)


def _members(
    snapshot: Snapshot, component: str, moment: Moment, settings: RunSettings
) -> tuple[np.ndarray, np.ndarray]:
    ids = _ids(snapshot, component, moment)
    first = _within(ids, settings.galaxy_1 or [])
    second = ~first if settings.galaxy_2 is None else _within(ids, settings.galaxy_2)
    return first, second


def _ids(snapshot: Snapshot, component: str, moment: Moment) -> np.ndarray:
    read_ids = getattr(snapshot, "ids", None)
    if read_ids is None:
        raise InputError(
            f"{moment.path}: files of the family {snapshot.family} have no particle ids; give a "
            "`table` with the positions of the nuclei, and `mass_ratio`, instead of `galaxy_1`"
        )
    return read_ids(component)


def _within(ids: np.ndarray, ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    inside = np.zeros(len(ids), dtype=bool)
    for low, high in ranges:
        inside |= (ids >= low) & (ids <= high)
    return inside


def _span(snapshot: Snapshot, component: str) -> str:
    ids = snapshot.ids(component)  # type: ignore[attr-defined]
    return f"{ids.min()} to {ids.max()}" if len(ids) else "none"
