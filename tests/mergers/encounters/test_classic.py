"""Bridges and tails of the encounters of Toomre & Toomre (1972)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.encounters_classic import ANTENNAE, M51, MICE, Classic, tilted

from morphosphere.config.encounters import EncounterSettings
from morphosphere.mergers.encounters.course import Course
from morphosphere.mergers.encounters.simulate import Moments, plan_course, simulate_encounter


def simulate(classic: Classic, time: float) -> tuple[Moments, Course, int]:
    settings = EncounterSettings(stars=3000)
    course = plan_course(classic.encounter, settings)
    step = int(np.searchsorted(course.time, time))
    moments = simulate_encounter(
        classic.encounter, course, settings, np.random.default_rng(1), kept=np.array([step])
    )
    return moments, course, step


def from_nuclei(moments: Moments, course: Course, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the stars from each nucleus; nuclei are found as the densest of each galaxy."""
    place = moments.place[0]
    first = np.median(place[moments.owner == 0][-100:], axis=0)  # bulges come last
    return place - first, place - first - course.place[step]


def tails(classic: Classic, time: float, distance: float) -> list[float]:
    """Share of each galaxy's stars that are farther than this from both nuclei, in kpc."""
    moments, course, step = simulate(classic, time)
    nearest = np.minimum(*(np.linalg.norm(x, axis=1) for x in from_nuclei(moments, course, step)))
    return [float((nearest[moments.owner == number] > distance).mean()) for number in (0, 1)]


@pytest.mark.parametrize("classic", [ANTENNAE, MICE])
def test_both_galaxies_have_a_long_tail(classic: Classic) -> None:
    assert min(tails(classic, 320, 30)) > 0.025


def test_retrograde_discs_have_few_stars_that_far_out() -> None:
    encounter = ANTENNAE.encounter
    turned = dataclasses.replace(
        encounter,
        first=dataclasses.replace(encounter.first, spin=tilted(170, -30)),
        second=dataclasses.replace(encounter.second, spin=tilted(170, -30, second=True)),
    )
    prograde = tails(ANTENNAE, 420, 40)
    retrograde = tails(dataclasses.replace(ANTENNAE, encounter=turned), 420, 40)
    assert min(prograde) > 2 * max(retrograde)


def test_m51_has_a_bridge_and_a_tail() -> None:
    """Far stars of the large disc are towards the companion and on the other side, not between."""
    moments, course, step = simulate(M51, 160)
    own, _ = from_nuclei(moments, course, step)
    own = own[moments.owner == 0]
    distance = np.linalg.norm(own, axis=1)
    towards = course.place[step] / course.separation[step]
    cosine = (own @ towards / distance)[distance > 20]
    count = len(own)
    assert (cosine > 0.2).sum() > 0.01 * count
    assert (cosine < -0.2).sum() > 0.01 * count
    assert (np.abs(cosine) < 0.2).sum() < 0.003 * count


def test_spins_have_toomres_angles() -> None:
    assert tilted(0, 50) == pytest.approx((0, 0, 1))
    assert tilted(180, 50)[2] == pytest.approx(-1)
    # the node is a quarter of a turn before the pericentre, which is on the x axis
    assert tilted(90, 90) == pytest.approx((1, 0, 0), abs=1e-12)
    assert tilted(90, 90, second=True) == pytest.approx((-1, 0, 0), abs=1e-12)
