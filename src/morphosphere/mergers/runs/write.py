"""Write the moments of a run as galaxies, one snapshot at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter
from morphosphere.config.merger_sources import RunSettings
from morphosphere.errors import InputError
from morphosphere.extract.structure import nearest_image, radius_of_half, weighted_mean
from morphosphere.memory import give_back
from morphosphere.mergers.runs.files import Moment, open_moment
from morphosphere.mergers.runs.particles import Particles, read, total
from morphosphere.mergers.runs.plan import Plan


def write_run(
    name: str,
    plan: Plan,
    settings: RunSettings,
    output: Path,
    advance: Callable[[int], None] = lambda n: None,
) -> None:
    """Write one GalaxySet with a galaxy for every snapshot of a run.

    Positions are relative to the centre of mass of all stars, velocities to its velocity; the
    frame's last axis is the orbital angular momentum at the first pericentre.
    """
    about = {
        "simulation": name,
        "source": name,
        "redshift": 0.0,
        "magnitude_bands": [],
        "coalescence_separation": settings.coalescence_separation,
        "first_pericentre": plan.orbit.first,
    }
    with GalaxySetWriter(output, about) as writer:
        for index, moment in enumerate(plan.moments):
            particles = _read(moment, plan, settings)
            identity = {
                "galaxy_id": f"{name}_{moment.number:04d}",
                "encounter_id": name,
                "source": name,
                "snapshot": index,
                **plan.labels(index),
                "size_ratio": _known(settings.size_ratio),
                "eccentricity": _known(settings.eccentricity),
                **_measured(particles),
                "file": moment.path.name,
            }
            writer.add(Galaxy(identity, particles, plan.orbit.frame))
            del particles
            give_back()
            advance(1)


def _known(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _read(moment: Moment, plan: Plan, settings: RunSettings) -> dict[str, Particles]:
    snapshot = open_moment(moment, settings)
    try:
        particles = {
            component: read(snapshot, component, fields, moment)
            for component, fields in plan.fields.items()
            if total(snapshot, component)
        }
        box = snapshot.header.box_size
    finally:
        snapshot.close()
    stars = particles["stars"]
    if "is_star" in stars:
        is_star = stars.pop("is_star")
        particles["stars"] = stars = {key: values[is_star] for key, values in stars.items()}
    if not stars["mass"].sum(dtype=np.float64) > 0:
        raise InputError(f"{moment.path}: no stars of positive mass in it")
    start = stars["position"][0].copy()
    for fields in particles.values():
        fields["position"] = nearest_image(fields["position"] - start, box)
    centre = weighted_mean(stars["position"], stars["mass"])
    bulk = weighted_mean(stars["velocity"], stars["mass"])
    for fields in particles.values():
        fields["position"] = (fields["position"] - centre).astype(np.float32)
        fields["velocity"] = (fields["velocity"] - bulk).astype(np.float32)
    return particles


def _measured(particles: dict[str, Particles]) -> dict[str, Any]:
    stars, gas = particles["stars"], particles.get("gas")
    radius = np.linalg.norm(stars["position"], axis=1)
    return {
        "stellar_mass": float(stars["mass"].sum(dtype=np.float64)),
        "gas_mass": np.nan if gas is None else float(gas["mass"].sum(dtype=np.float64)),
        "n_stars": len(stars["mass"]),
        "half_mass_radius": radius_of_half(radius, stars["mass"]),
    }
