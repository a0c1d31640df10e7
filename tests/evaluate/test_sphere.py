"""Entropy of the occupancy and angles between views."""

import numpy as np
import pytest

from morphosphere.artefacts.bundle import lonlat
from morphosphere.evaluate import sphere


@pytest.mark.parametrize("count", [1, 12, 120, 500, 3017, 7017, 100_000, 10**7])
def test_cells_hold_about_ten_images_each(count):
    order = sphere.occupancy_order(count)
    per_cell = [count / (12 * 4**k) for k in range(13)]
    distance = [abs(np.log(p / 10)) for p in per_cell]
    assert order == int(np.argmin(distance))


def test_entropy_of_known_occupancies():
    assert sphere.normalised_entropy(np.full(48, 7)) == pytest.approx(1)
    assert sphere.normalised_entropy(np.array([0, 30, 0, 0])) == 0
    assert sphere.normalised_entropy(np.array([5, 5, 0, 0])) == pytest.approx(0.5)


def test_entropy_of_a_random_placement_is_as_documented():
    vectors = sphere.random_sphere(7680, np.random.default_rng(0))
    counts = sphere.occupancy(*lonlat(vectors), sphere.occupancy_order(7680))
    assert counts.sum() == 7680
    assert len(counts) == 768
    assert sphere.normalised_entropy(counts) == pytest.approx(1 - 0.05 / np.log(768), abs=1.5e-3)


def test_angles_small_and_large():
    a = np.array([[1.0, 0, 0]] * 4)
    angles = np.radians([0, 1e-6, 90, 180])
    b = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    np.testing.assert_allclose(sphere.angle_between(a, b), [0, 1e-6, 90, 180], rtol=1e-6)


def test_pairs_of_views():
    galaxies = np.array([4, 2, 4, 9, 2, 4, 7])
    same, other = sphere.view_pairs(galaxies, np.random.default_rng(0), maximum=500)
    expected = {frozenset((i, j)) for i in range(7) for j in range(i) if galaxies[i] == galaxies[j]}
    assert {frozenset(map(int, pair)) for pair in same} == expected
    assert len(same) == len(expected)
    assert len(other) > 100
    assert (galaxies[other[:, 0]] != galaxies[other[:, 1]]).all()


def test_pairs_that_there_are_not():
    random = np.random.default_rng(0)
    same, other = sphere.view_pairs(np.arange(5), random)
    assert len(same) == 0
    assert len(other) > 0
    same, other = sphere.view_pairs(np.zeros(3, int), random)
    assert len(same) == 3
    assert len(other) == 0


def test_many_pairs_are_thinned_out():
    same, other = sphere.view_pairs(np.repeat([0, 1], 100), np.random.default_rng(0), maximum=50)
    assert len(same) == 50
    assert len(other) <= 50
