"""The arithmetic of one galaxy, on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphosphere.extract import structure, sums


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def turned(rng: np.random.Generator) -> np.ndarray:
    """A random rotation."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


@given(
    st.lists(st.tuples(*[st.floats(-3000, 3000)] * 3), min_size=1, max_size=20),
    st.floats(1, 1000),
)
@settings(max_examples=50, deadline=None)
def test_the_nearest_image_is_within_half_a_box_and_an_image(offsets, box):
    before = np.array(offsets)
    after = structure.nearest_image(before.copy(), box)
    assert (np.abs(after) <= box / 2 * (1 + 1e-9)).all()
    images = (before - after) / box
    np.testing.assert_allclose(images, np.round(images), atol=1e-6)


def test_without_a_box_nothing_moves():
    far = np.array([[1e9, -1e9, 0.0]])
    np.testing.assert_array_equal(structure.nearest_image(far.copy(), 0.0), far)


def test_the_shrinking_sphere_finds_the_denser_of_two_clumps(rng):
    dense = rng.normal(size=(3000, 3)) * 0.5 + [10, -4, 3]
    loose = rng.normal(size=(3000, 3)) * 5 - 10
    position = np.concatenate([loose, dense])
    centre = structure.shrinking_sphere(position, np.ones(6000))
    np.testing.assert_allclose(centre, [10, -4, 3], atol=0.15)


def test_the_shrinking_sphere_of_one_or_two_particles():
    np.testing.assert_allclose(structure.shrinking_sphere(np.ones((1, 3)), np.ones(1)), 1)
    two = np.array([[0.0, 0, 0], [1, 0, 0]])
    assert np.isfinite(structure.shrinking_sphere(two, np.ones(2))).all()


def test_half_of_the_weight():
    radius = np.array([3.0, 1, 2, 4])
    assert structure.radius_of_half(radius, np.array([1.0, 1, 1, 1])) == 2
    assert structure.radius_of_half(radius, np.array([0.0, 10, 1, 0])) == 1
    assert np.isnan(structure.radius_of_half(radius[:0], radius[:0]))
    assert np.isnan(structure.radius_of_half(radius, np.zeros(4)))


@pytest.mark.parametrize("ratios", [(1, 0.6, 0.3), (1, 1, 0.1), (1, 0.4, 0.4)])
def test_the_shape_of_an_ellipsoid(rng, ratios):
    turn = turned(rng)
    direction = rng.normal(size=(60_000, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    ball = direction * rng.exponential(3, size=60_000)[:, None]
    axes, ratio = structure.shape_axes((ball * ratios) @ turn, np.ones(60_000), 5.0)
    assert ratio == pytest.approx(ratios[2], rel=0.05)
    if ratios[1] > ratios[2]:
        assert abs(axes[2] @ turn[2]) > 0.99
    if ratios[0] > ratios[1]:
        assert abs(axes[0] @ turn[0]) > 0.99


def test_too_few_particles_have_no_shape():
    axes, ratio = structure.shape_axes(np.eye(3), np.ones(3), 2.0)
    assert np.isnan(ratio)
    np.testing.assert_array_equal(axes, np.eye(3))


def test_a_disc_turns_about_the_axis_of_its_frame(rng):
    turn = turned(rng)
    r, angle = rng.exponential(3, 5000), rng.random(5000) * 2 * np.pi
    flat = np.stack([r * np.cos(angle), r * np.sin(angle), rng.normal(size=5000) * 0.2], axis=1)
    speed = 200 * np.stack([-np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    axes, _ = structure.shape_axes(flat @ turn, np.ones(5000), 6.0)
    frame = structure.disc_frame(flat @ turn, speed @ turn, np.ones(5000), axes)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1)
    assert frame[2] @ turn[2] > 0.999
    fraction = structure.rotation_fraction(flat @ turn, speed @ turn, np.ones(5000), frame[2])
    assert fraction == pytest.approx(1, abs=0.01)


def test_without_rotation_the_minor_axis_decides_and_the_bar_lies_along_the_first(rng):
    turn = turned(rng)
    position = rng.normal(size=(20_000, 3)) * [3, 2, 1] @ turn
    velocity = rng.normal(size=(20_000, 3)) * 100
    axes, _ = structure.shape_axes(position, np.ones(20_000), 4.0)
    frame = structure.disc_frame(position, velocity, np.ones(20_000), axes)
    assert abs(frame[2] @ turn[2]) > 0.99
    assert abs(frame[0] @ turn[0]) > 0.99
    momentum = np.cross(position, velocity).sum(axis=0)
    assert frame[2] @ momentum >= 0
    fraction = structure.rotation_fraction(position, velocity, np.ones(20_000), frame[2])
    assert fraction == pytest.approx(1 / 3, abs=0.02)
    assert structure.velocity_dispersion(velocity, np.ones(20_000)) == pytest.approx(100, rel=0.02)


def test_particles_at_rest_and_a_single_one_have_a_frame():
    still = np.zeros((1, 3))
    frame = structure.disc_frame(still, still, np.ones(1), np.eye(3))
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.isnan(structure.rotation_fraction(still, still, np.ones(1), frame[2]))


def test_the_radius_of_half_is_that_of_sorting(rng):
    for count, kind in ((1, np.float32), (50, np.float64), (30_000, np.float32)):
        radius = rng.exponential(3, count).astype(kind)
        weight = rng.random(count).astype(np.float32)
        order = np.argsort(radius)
        inside = np.cumsum(weight[order], dtype=np.float64)
        expected = radius[order[np.searchsorted(inside, inside[-1] / 2)]]
        assert structure.radius_of_half(radius, weight) == expected
    assert structure.radius_of_half(np.full(9, 2.5), np.ones(9)) == 2.5


@pytest.mark.parametrize("values", [(3, 2, 1), (5, 5, 0.1), (1, 0, 0), (7e9, 3e-9, 1e-9)])
def test_axes_of_a_matrix_are_those_of_lapack(rng, values):
    turn = turned(rng)
    matrix = turn.T @ np.diag(np.array(values, dtype=float)) @ turn
    found, axes = sums.principal(matrix)
    expected, _ = np.linalg.eigh(matrix)
    np.testing.assert_allclose(found, expected, atol=1e-14 * max(values))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(axes @ matrix @ axes.T, np.diag(found), atol=1e-14 * max(values))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(kind, wrong):
    values = np.full((41, 3), -1e30, dtype=kind)
    assert structure.all_finite(values)
    values[37, 1] = wrong
    assert not structure.all_finite(values)
    mean, known = structure.known_mean(values[:, 1], np.full(41, 2, dtype=np.float32))
    assert known == 80
    assert mean == pytest.approx(-1e30)
