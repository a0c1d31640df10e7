"""Centres of galaxies and second sources, against what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from factories_sersic_stamps import EXPOSURE, NOISE, galaxy_values, light_of, observed
from morphosphere.structure.sources import galaxy_of, second_source


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_centre_is_found_to_its_noise(random) -> None:
    for magnitude, limit in ((18.5, 0.06), (21.0, 0.3)):
        for _ in range(15):
            values = galaxy_values(random, magnitude=magnitude, radius=0.5)
            found = galaxy_of(observed(light_of(values), random), NOISE, EXPOSURE)
            assert abs(found.x - values["x_offset"]) < limit
            assert abs(found.y - values["y_offset"]) < limit
            assert found.noise > 20


def test_a_second_source_is_found_where_it_is(random) -> None:
    values = galaxy_values(random, magnitude=19.0, radius=1.0, x_offset=0.0, y_offset=0.0)
    other = galaxy_values(random, magnitude=21.0, radius=0.2, x_offset=20.0, y_offset=-12.0)
    image = observed(light_of(values) + light_of(other), random)
    galaxy = galaxy_of(image, NOISE, EXPOSURE)
    second = second_source(image, NOISE, EXPOSURE, galaxy, 0.02)
    assert (second.x, second.y) == pytest.approx((20, -12), abs=2)
    assert second.noise > 10
    assert 0.3 < second.light / 10 ** (-0.4 * (21.0 - 25.94)) < 2.0


def test_a_brighter_one_at_the_edge_is_the_second_source(random) -> None:
    values = galaxy_values(random, magnitude=21.0, radius=0.3, x_offset=0.0, y_offset=0.0)
    other = galaxy_values(random, magnitude=18.5, radius=0.3, x_offset=40.0, y_offset=35.0)
    image = observed(light_of(values) + light_of(other), random)
    galaxy = galaxy_of(image, NOISE, EXPOSURE)
    assert np.hypot(galaxy.x, galaxy.y) < 1
    second = second_source(image, NOISE, EXPOSURE, galaxy, 0.02)
    assert (second.x, second.y) == pytest.approx((40, 35), abs=15)  # found at a coarse scale
    assert second.light > 3 * galaxy.light


def test_alone_a_galaxy_has_no_second_source(random) -> None:
    highest = []
    for _ in range(60):
        values = galaxy_values(random)
        image = observed(light_of(values), random)
        galaxy = galaxy_of(image, NOISE, EXPOSURE)
        highest.append(second_source(image, NOISE, EXPOSURE, galaxy, 0.02).noise)
    assert max(highest) < 5


def test_stamps_of_any_width_can_be_looked_at(random) -> None:
    values = galaxy_values(random, magnitude=20.0, radius=0.3)
    for size in (7, 15, 33, 90):
        found = galaxy_of(observed(light_of(values, size), random), NOISE, EXPOSURE)
        assert found.noise > 5
