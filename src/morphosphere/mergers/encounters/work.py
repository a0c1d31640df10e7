"""The encounters of a shard, written as a GalaxySet: one galaxy for each moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter
from morphosphere.config.encounters import EncounterSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.mergers.encounters.draw import draw_encounter, draw_single, stream
from morphosphere.mergers.encounters.model import GalaxyModel
from morphosphere.mergers.encounters.simulate import (
    Moments,
    plan_course,
    simulate_encounter,
    simulate_single,
)
from morphosphere.mergers.encounters.smoothing import smoothing_lengths

SOURCE = "encounters"


def names_of(settings: EncounterSettings, shard: int) -> list[str]:
    """Names of the encounters (e…) and of the single galaxies (s…) of a shard.

    Raises
    ------
    ConfigError
        If there is no such shard.
    """
    if not 0 <= shard < settings.shards:
        raise ConfigError(f"--shard {shard}: there are shards 0 to {settings.shards - 1}")
    singles = round(settings.singles * settings.number)
    return [f"e{k:05d}" for k in range(shard, settings.number, settings.shards)] + [
        f"s{k:05d}" for k in range(shard, singles, settings.shards)
    ]


def write_shard(
    path: Path,
    settings: EncounterSettings,
    shard: int,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, int]:
    """Simulate and write the encounters of a shard.

    Returns
    -------
    dict
        ``encounters``, ``singles``, ``moments``.

    Raises
    ------
    ConfigError
        If there is no such shard.
    InputError
        If the settings make galaxies that do not meet.
    """
    counts = {"encounters": 0, "singles": 0, "moments": 0}
    attributes = {"simulation": SOURCE, "source": SOURCE}
    names = names_of(settings, shard)
    with GalaxySetWriter(path, attributes) as writer:
        for name in names:
            try:
                for galaxy in moments_of(name, settings, seed):
                    writer.add(galaxy)
                    counts["moments"] += 1
            except InputError as error:
                raise InputError(f"encounter {name}: {error}") from None
            counts["encounters" if name.startswith("e") else "singles"] += 1
            advance(1)
    return counts


def moments_of(name: str, settings: EncounterSettings, seed: int) -> Iterator[Galaxy]:
    """The moments of one encounter or single galaxy; all follows from seed, name and settings."""
    random = stream(seed, "encounter", name)
    if name.startswith("s"):
        galaxy = draw_single(settings, random)
        moments = simulate_single(galaxy, settings, random)
        yield from _galaxies(name, moments, _single(galaxy), neighbours=settings.neighbours)
        return
    encounter = draw_encounter(settings, random)
    course = plan_course(encounter, settings)
    moments = simulate_encounter(encounter, course, settings, random)
    first, second = encounter.first, encounter.second
    said = {
        "mass_ratio": second.mass / first.mass,
        "size_ratio": second.disc_scale / first.disc_scale,
        "pericentre": course.pericentre,
        "eccentricity": encounter.eccentricity,
        "time_of_coalescence": course.coalescence,
        "is_encounter": 1.0,
        "stellar_mass": first.stellar_mass + second.stellar_mass,
    }
    phases = [course.phase(time) for time in moments.time]
    yield from _galaxies(
        name, moments, said, neighbours=settings.neighbours, times=moments.time, phases=phases
    )


def _single(galaxy: GalaxyModel) -> dict[str, float]:
    unknown = ("mass_ratio", "size_ratio", "pericentre", "eccentricity", "time_of_coalescence")
    return {
        **dict.fromkeys(unknown, np.nan),
        "is_encounter": 0.0,
        "stellar_mass": galaxy.stellar_mass,
    }


def _galaxies(
    name: str,
    moments: Moments,
    said: dict[str, float],
    *,
    neighbours: int,
    times: np.ndarray | None = None,
    phases: list[str] | None = None,
) -> Iterator[Galaxy]:
    for number in range(len(moments.time)):
        properties: dict[str, Any] = {
            "galaxy_id": f"{name}_{number:04d}",
            "encounter_id": name,
            "snapshot": number,
            "time_since_pericentre": np.nan if times is None else float(times[number]),
            "separation": float(moments.separation[number]),
            "phase": "none" if phases is None else phases[number],
            **said,
        }
        place = moments.place[number]
        fields = {
            "position": place,
            "mass": moments.mass,
            "smoothing_length": smoothing_lengths(place, neighbours),
        }
        if len(moments.velocity):
            fields["velocity"] = moments.velocity[number]
        # A single galaxy has no orbit that a camera could look at from some angle.
        frame = np.full((3, 3), np.nan) if phases is None else np.eye(3)
        yield Galaxy(properties, {"stars": fields}, frame)
