"""Star particles: discs and bulges left to themselves stay as they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphosphere.mergers.encounters.model import GalaxyModel
from morphosphere.mergers.encounters.particles import BLOCK, run_stars
from morphosphere.mergers.encounters.smoothing import smoothing_lengths
from morphosphere.mergers.encounters.stars import make_stars

LARGE = GalaxyModel(
    halo_mass=5.5e11, halo_scale=18.6, disc_mass=3.6e10, disc_scale=3.0, bulge_mass=0.9e10
)
SMALL = GalaxyModel(
    halo_mass=1.1e11, halo_scale=10.9, disc_mass=6.3e9, disc_scale=1.6, bulge_mass=2.7e9
)
COUNT = 6000


def left_alone(galaxy: GalaxyModel, times: list[float], count: int = COUNT) -> np.ndarray:
    """Places at times in Myr, (M, N, 3)."""
    place, velocity = make_stars(
        galaxy, count, np.random.default_rng(3), toomre_q=1.3, softening=0.2
    )
    steps = int(max(times)) + 1
    still = np.zeros((1, steps, 3))
    places, _ = run_stars(
        place,
        velocity,
        (galaxy,),
        centres=still,
        pushes=still,
        fading=np.zeros(steps),
        step=1.0,
        softening=0.2,
        kept=np.array(times, dtype=int),
    )
    return places


@pytest.mark.parametrize("galaxy", [LARGE, SMALL])
def test_a_disc_alone_keeps_its_size_and_thickness_over_a_gigayear(galaxy: GalaxyModel) -> None:
    """Half-mass radius and height of the disc within 4 %, size of the bulge within 8 %."""
    places = left_alone(galaxy, [0, 250, 500, 1000])
    disc = COUNT - round(COUNT * galaxy.bulge_mass / galaxy.stellar_mass)
    radius = np.hypot(places[:, :disc, 0], places[:, :disc, 1])
    for share, tolerance in ((0.2, 0.08), (0.5, 0.04), (0.8, 0.04)):
        sizes = np.quantile(radius, share, axis=1)
        assert sizes == pytest.approx(sizes[0], rel=tolerance)
    heights = np.median(np.abs(places[:, :disc, 2]), axis=1)
    assert heights == pytest.approx(heights[0], rel=0.04)
    bulges = np.median(np.linalg.norm(places[:, disc:], axis=2), axis=1)
    assert bulges == pytest.approx(bulges[0], rel=0.08)
    assert radius[0].mean() == pytest.approx(2 * galaxy.disc_scale, rel=0.05)


def test_the_disc_turns_about_its_spin() -> None:
    spin = np.array([0.6, 0.0, 0.8])
    place, velocity = make_stars(
        dataclasses.replace(LARGE, spin=tuple(spin)),
        COUNT,
        np.random.default_rng(3),
        toomre_q=1.3,
        softening=0.2,
    )
    momentum = np.cross(place, velocity).sum(0)
    assert momentum @ spin / np.linalg.norm(momentum) > 0.999
    assert np.std(place @ spin) < 0.25 * np.std(place[:, 1])


@pytest.mark.parametrize("count", [1, BLOCK, BLOCK + 1])
def test_stars_do_not_depend_on_what_block_they_are_in(count: int) -> None:
    rng = np.random.default_rng(0)
    place, velocity = rng.normal(0, 5, (2, 2 * BLOCK, 3))
    still = np.zeros((1, 21, 3))

    def run(number: int) -> np.ndarray:
        return run_stars(
            place[:number],
            velocity[:number],
            (LARGE,),
            centres=still,
            pushes=still,
            fading=np.zeros(21),
            step=1.0,
            softening=0.2,
            kept=np.array([0, 20]),
        )[0]

    assert np.array_equal(run(count), run(2 * BLOCK)[:, :count])


def test_kept_velocities_belong_to_the_places() -> None:
    place, velocity = make_stars(LARGE, 300, np.random.default_rng(0), toomre_q=1, softening=0.2)
    still = np.zeros((1, 12, 3))
    places, speeds = run_stars(
        place,
        velocity,
        (LARGE,),
        centres=still,
        pushes=still,
        fading=np.zeros(12),
        step=0.1,
        softening=0.2,
        kept=np.array([0, 9, 10, 11]),
        velocities=True,
    )
    assert speeds[0] == pytest.approx(velocity, abs=0.1)
    central = (places[3] - places[1]) / (0.2 / 977.7922)
    assert np.abs(speeds[2] - central).max() < 3  # km/s; float32 places leave 0.5


def test_stars_go_with_a_galaxy_that_is_pushed() -> None:
    """The lag of the centre is handed on to stars near it: the galaxy stays whole."""
    place, velocity = make_stars(LARGE, 2000, np.random.default_rng(0), toomre_q=1, softening=0.2)
    steps = 201
    time = np.arange(steps) / 977.7922
    push = np.zeros((1, steps, 3))
    push[..., 0] = 2000.0
    centres = 0.5 * push * time[:, None] ** 2
    places, _ = run_stars(
        place,
        velocity,
        (LARGE,),
        centres=centres,
        pushes=push,
        fading=np.zeros(steps),
        step=1.0,
        softening=0.2,
        kept=np.array([steps - 1]),
    )
    assert centres[0, -1, 0] > 40
    offset = np.median(places[0] - centres[0, -1], axis=0)
    assert np.abs(offset).max() < 1.0


def test_smoothing_lengths_hold_about_the_neighbours() -> None:
    place = np.random.default_rng(0).uniform(0, 10, (4000, 3))
    lengths = smoothing_lengths(place, 32)
    inner = ((place > 2) & (place < 8)).all(axis=1)
    expected = (3 / (4 * np.pi) * 32 / 4000 * 1000) ** (1 / 3)
    assert np.median(lengths[inner]) == pytest.approx(expected, rel=0.15)
    assert np.isfinite(smoothing_lengths(place[:3], 32)).all()
