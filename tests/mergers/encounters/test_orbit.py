"""Orbits of two galaxies: conservation, the limit of points, a real N-body collision."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from conftest import skip_or_fail
from morphosphere.config.encounters import EncounterSettings
from morphosphere.errors import InputError
from morphosphere.mergers.encounters.course import Course, follow, start_of
from morphosphere.mergers.encounters.model import MYR, G, GalaxyModel
from morphosphere.mergers.encounters.orbit import integrate, pair_forces

LARGE = GalaxyModel(
    halo_mass=5.5e11, halo_scale=18.0, disc_mass=4e10, disc_scale=3.0, bulge_mass=1e10
)
SMALL = GalaxyModel(
    halo_mass=1.4e11, halo_scale=11.0, disc_mass=9e9, disc_scale=2.2, bulge_mass=1e9
)


def course_of(first: GalaxyModel, second: GalaxyModel, **changes: float) -> Course:
    settings = EncounterSettings(**changes)
    forces = pair_forces(first, second)
    place, velocity = start_of(forces, 7.0, 0.9, separation=70.0, time=250.0, step=1.0)
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


@pytest.mark.parametrize("second", [LARGE, SMALL])
@pytest.mark.parametrize("place", [(60.0, 0.0), (8.0, 3.0)])
def test_energy_and_angular_momentum_are_kept_without_friction(
    second: GalaxyModel, place: tuple[float, float]
) -> None:
    forces = pair_forces(LARGE, second)
    # bound, with several passages in 3 Gyr
    speed = 0.5 * math.sqrt(-2 * float(forces.energy(math.hypot(*place))))
    start = np.array(place)
    across = np.array([-start[1], start[0]]) / np.hypot(*start)
    track, _, merged = integrate(
        forces, start, speed * (0.8 * across - 0.6 * start / 60), step=1.0, steps=3000, friction=0.0
    )
    x, y, u, v = track.T
    energy = 0.5 * (u**2 + v**2) + forces.energy(np.hypot(x, y))
    momentum = x * v - y * u
    separation = np.hypot(x, y)
    lows = (separation[1:-1] < separation[:-2]) & (separation[1:-1] <= separation[2:])
    assert lows.sum() >= 2
    assert merged == -1
    assert np.abs(energy / energy[0] - 1).max() < 1e-5
    assert np.abs(momentum / momentum[0] - 1).max() < 1e-11


@pytest.mark.parametrize("eccentricity", [0.6, 0.95, 1.0, 1.3])
def test_points_follow_keplers_orbit(eccentricity: float) -> None:
    point = GalaxyModel(
        halo_mass=3e11, halo_scale=1e-4, disc_mass=1e9, disc_scale=1e-4, bulge_mass=1e8
    )
    forces = pair_forces(point, dataclasses.replace(point, halo_mass=1e11))
    gravity = G * (3e11 + 1e11 + 2 * 1.1e9)
    place, velocity = start_of(forces, 10.0, eccentricity, separation=70.0, time=250.0, step=1.0)
    # backwards from the pericentre: conserved quantities and the conic section
    momentum = place[0] * velocity[1] - place[1] * velocity[0]
    parameter = 10.0 * (1 + eccentricity)
    assert momentum**2 / gravity == pytest.approx(parameter, rel=1e-3)
    track, _, _ = integrate(forces, place, velocity, step=0.5, steps=1000, friction=0.0)
    radius, angle = np.hypot(track[:, 0], track[:, 1]), np.arctan2(track[:, 1], track[:, 0])
    conic = parameter / (1 + eccentricity * np.cos(angle))
    assert np.abs(radius / conic - 1).max() < 3e-3
    assert radius.min() == pytest.approx(10.0, rel=1e-3)


def test_time_along_the_parabola_is_barkers() -> None:
    point = GalaxyModel(
        halo_mass=3e11, halo_scale=1e-4, disc_mass=1e9, disc_scale=1e-4, bulge_mass=1e8
    )
    forces = pair_forces(point, point)
    place, _ = start_of(forces, 10.0, 1.0, separation=60.0, time=400.0, step=1.0)
    track, _, _ = integrate(
        forces, np.array([10.0, 0.0]), _parabolic(10.0, forces), step=1.0, steps=100, friction=0.0
    )
    half = np.tan(np.arctan2(track[:, 1], track[:, 0]) / 2)
    time = math.sqrt(2 * 10.0**3 / (2 * G * point.mass)) * (half + half**3 / 3) * MYR
    assert np.abs(time - np.arange(100.0)).max() < 0.1
    assert np.hypot(*place) == pytest.approx(60.0, abs=2.0)


def _parabolic(pericentre: float, forces) -> np.ndarray:
    return np.array([0.0, math.sqrt(-2 * float(forces.energy(pericentre)))])


def test_momentum_is_kept_with_friction() -> None:
    course = course_of(LARGE, SMALL)
    centres, drifts = course.centres(), course.drifts()
    shares = np.array(course.shares)[:, None, None]
    assert np.abs((shares * centres).sum(0)).max() < 1e-9
    assert np.abs((shares * drifts).sum(0)).max() < 1e-9
    assert course.shares[0] == pytest.approx(LARGE.mass / (LARGE.mass + SMALL.mass))


def test_a_parabolic_encounter_merges_only_with_friction() -> None:
    course = course_of(LARGE, LARGE)
    assert 0 < course.second < course.coalescence < 1200
    assert course.time[-1] == pytest.approx(course.coalescence + 50, abs=1)
    assert course.pericentre == pytest.approx(course.separation[course.time < 100].min(), abs=0.2)
    free = course_of(LARGE, LARGE, friction=0.0)
    assert math.isnan(free.coalescence)
    assert free.pericentre == pytest.approx(7.0, abs=0.01)
    assert free.time[-1] == pytest.approx(EncounterSettings().max_time, abs=1)


def test_a_small_galaxy_sinks_more_slowly() -> None:
    assert course_of(LARGE, SMALL).coalescence > course_of(LARGE, LARGE).coalescence


def test_phases_follow_each_other() -> None:
    course = course_of(LARGE, LARGE)
    phases = [course.phase(time) for time in course.time]
    assert list(dict.fromkeys(phases)) == ["approach", "passage", "final", "remnant"]
    assert course.fading[0] == 0
    assert course.fading[-1] == 1


def test_the_nuclei_are_one_at_the_end() -> None:
    course = course_of(LARGE, LARGE)
    assert course.separation[-1] < 0.5


def test_a_round_orbit_starts_at_its_apocentre() -> None:
    forces = pair_forces(LARGE, LARGE)
    place, velocity = start_of(forces, 10.0, 0.3, separation=900.0, time=3000.0, step=1.0)
    across = abs(place @ velocity) / (np.linalg.norm(place) * np.linalg.norm(velocity))
    assert across < 0.02
    assert np.linalg.norm(place) > 20


def test_galaxies_that_fly_apart_are_an_error() -> None:
    forces = pair_forces(LARGE, LARGE)
    with pytest.raises(InputError, match="do not meet"):
        follow(
            forces,
            np.array([60.0, 0.0]),
            np.array([2000.0, 0.0]),
            step=1.0,
            friction=1.0,
            merging_distance=2.0,
            lead=100.0,
            max_time=100.0,
            remnant_time=10.0,
        )


def test_friction_is_that_of_a_real_n_body_collision(real_data: Path) -> None:
    """Times within 15 Myr, the apocentre within 10 %, all separations within 6 kpc."""
    path = real_data / "snapshots/gadget4_merger/mass_ratio_1to1/encounter.csv"
    if not path.exists():
        skip_or_fail("no GADGET-4 merger among the real data")
    with open(path) as lines:
        rows = list(csv.DictReader(lines))
    time, separation = (
        np.array([float(row[name]) for row in rows]) for name in ("time_myr", "separation_kpc")
    )
    galaxy = GalaxyModel(
        halo_mass=5.8e11,
        halo_scale=45.0 / (1 + math.sqrt(2)),
        disc_mass=4.2e10,
        disc_scale=5.0 / 1.678,
        bulge_mass=0.84e10,
    )
    settings = EncounterSettings()
    course = follow(
        pair_forces(galaxy, galaxy),
        np.array([60.0, 0.0]),
        np.array([-336.0, 76.0]),
        step=1.0,
        friction=settings.friction,
        merging_distance=settings.merging_distance,
        lead=settings.start_time,
        max_time=1000.0,
        remnant_time=500.0,
    )
    start = course.time[0]
    assert -start == pytest.approx(137, abs=5)
    assert course.pericentre == pytest.approx(6.8, abs=0.5)
    assert course.second - start == pytest.approx(690, abs=15)
    assert course.coalescence - start == pytest.approx(840, abs=15)
    between = (course.time > 0) & (course.time < course.second)
    top = np.argmax(np.where(between, course.separation, 0))
    assert course.time[top] - start == pytest.approx(390, abs=15)
    assert course.separation[top] == pytest.approx(47.5, rel=0.1)
    ours = np.interp(time, course.time - start, course.separation)
    assert np.abs(ours - separation).max() < 6
