"""The fast projection against the slow one, and against what must be kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from morphosphere.render import project as fast
from morphosphere.render.kernel import cubic_spline, projected, separable_terms, variance
from morphosphere.render.levels import PAD, RANK, octave, taps
from morphosphere.render.project import project, sort_into_levels
from morphosphere.render.reference import project_directly
from morphosphere.render.splat import MARGIN, refine

SIZE = 48


def _scene(count: int, *, spread: float, seed: int = 0):
    """A disc with a bulge: positions, weights, kernel radii from 1 to about 20 px."""
    random = np.random.default_rng(seed)
    radius = random.gamma(2.0, spread, count)
    angle = random.uniform(0, 2 * np.pi, count)
    places = SIZE / 2 + np.stack([radius * np.cos(angle), 0.6 * radius * np.sin(angle)], axis=-1)
    support = np.maximum(1.0, np.exp(random.normal(0.8, 0.6, count)) * (1 + radius / spread) / 2)
    return places, random.lognormal(0, 1, count), support


def _fast(places, weights, support, *, size=SIZE, smallest=1.0):
    levels = sort_into_levels(support, smallest)
    return project(places[None], weights[None, None], levels, size=size)[0, 0]


def test_kernel_is_normalised_and_its_projection_is_its_line_integral():
    z = np.linspace(-1, 1, 4001)
    for radius in (0.0, 0.3, 0.8):
        expected = np.trapezoid(cubic_spline(np.hypot(radius, z)), z)
        assert projected(np.array(radius)) == pytest.approx(expected, rel=1e-3)
    x = np.linspace(-1, 1, 801)
    values = projected(np.hypot(x[:, None], x)) * (x[1] - x[0]) ** 2
    assert values.sum() == pytest.approx(1, abs=1e-4)
    assert (values * x**2).sum() == pytest.approx(variance(), rel=1e-3)


def test_separable_kernel_is_the_kernel():
    x, cumulative, signs = separable_terms(RANK)
    parts = np.gradient(cumulative, x, axis=1)
    total = np.einsum("r,ri,rj->ij", signs, parts, parts)
    difference = np.abs(total - projected(np.hypot(x[:, None], x))).sum() * (x[1] - x[0]) ** 2
    assert difference < 0.006


@pytest.mark.parametrize("spread", [4.0, 9.0])
def test_fast_projection_agrees_with_the_reference(spread):
    places, weights, support = _scene(2000, spread=spread)
    expected = project_directly(places, weights, support, size=SIZE)
    difference = np.abs(_fast(places, weights, support) - expected).sum()
    assert difference < 0.01 * expected.sum()


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("size", [48, 37])
def test_deposited_and_drawn_one_by_one_agree_with_the_reference(monkeypatch, always, size):
    monkeypatch.setattr(fast, "deposits", lambda *_: always)
    places, weights, support = _scene(1500, spread=6.0)
    expected = project_directly(places, weights, support, size=size)
    difference = np.abs(_fast(places, weights, support, size=size) - expected).sum()
    assert difference < (0.01 if always else 0.004) * expected.sum()


@pytest.mark.parametrize("support", [2.0, 5.9, 6.8, 10.0, 13.5, 30.0, 60.0])
def test_a_lone_particle_is_drawn_well(support):
    place = np.array([[22.7, 25.1]])
    expected = project_directly(place, np.ones(1), np.array([support]), size=SIZE, fine=6)
    difference = np.abs(_fast(place, np.ones(1), np.array([support])) - expected).sum()
    assert difference < 0.015 * expected.sum()


def test_levels_with_many_particles_are_deposited():
    assert not fast.deposits(1000, 2.0, 64)
    assert fast.deposits(1_000_000, 2.0, 64)


@pytest.mark.parametrize("always", [True, False])
def test_cameras_and_channels_do_not_touch_each_other(monkeypatch, always):
    monkeypatch.setattr(fast, "deposits", lambda *_: always)
    random = np.random.default_rng(3)
    places, _, support = _scene(400, spread=6.0)
    both = np.stack([places, places[:, ::-1]])
    weights = random.lognormal(0, 1, (5, 2, 400))
    levels = sort_into_levels(support, 1.0)
    together = project(both, weights, levels, size=SIZE)
    for view in range(2):
        for channel in range(5):
            alone = project(both[view : view + 1], weights[channel, view][None, None], levels,
                            size=SIZE)[0, 0]  # fmt: skip
            np.testing.assert_allclose(together[view, channel], alone, rtol=1e-4, atol=1e-6)
    shared = project(both, weights[:, :1], levels, size=SIZE)
    np.testing.assert_array_equal(shared[0], together[0])


def test_a_refined_picture_keeps_its_flux_and_its_shape():
    coarse, fine = octave(1, SIZE), octave(0, SIZE)
    pictures, lines = [], []
    for drawn in (coarse, fine):
        edges = drawn.start + np.arange(drawn.size + 1) * drawn.scale
        lines.append(np.diff(norm.cdf(edges, 25, 8)))
        pictures.append(np.zeros((drawn.size + 1, drawn.size + 2 * MARGIN), np.float32))
    pictures[0][:-1, MARGIN:-MARGIN] = np.outer(lines[0], lines[0])
    refine(*pictures, 1, taps())
    found = pictures[1][:-1, MARGIN:-MARGIN]
    expected = np.outer(lines[1], lines[1])
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())
    inner = slice(PAD, -PAD)
    assert found.sum() == pytest.approx((lines[0][inner].sum()) ** 2, rel=1e-5)


@pytest.mark.parametrize("support", [0.0, 1.0, 1.7, 4.0, 9.0])
def test_a_lone_particle_keeps_its_flux_place_and_width(support):
    place = np.array([[23.3, 20.8]])
    image = _fast(place, np.array([3.0]), np.array([support]))
    assert image.sum() == pytest.approx(3.0, rel=1e-4)
    reference = project_directly(place, np.array([3.0]), np.array([max(support, 1.0)]), size=SIZE)
    centres = np.arange(SIZE) + 0.5
    for axis in (0, 1):
        mean, expected = (one.sum(axis=axis) @ centres / 3 for one in (image, reference))
        assert mean == pytest.approx(expected, abs=0.01)
        square, expected = (
            one.sum(axis=axis) @ (centres - mean) ** 2 / 3 for one in (image, reference)
        )
        assert square == pytest.approx(expected, rel=0.1)


def test_flux_is_conserved_when_all_is_inside():
    places, weights, support = _scene(3000, spread=2.0)
    support = np.minimum(support, 6.0)
    inside = (np.abs(places - SIZE / 2) < SIZE / 2 - 7).all(axis=1)
    image = _fast(places[inside], weights[inside], support[inside])
    assert image.sum() == pytest.approx(weights[inside].sum(), rel=1e-3)


def test_flux_inside_is_that_of_the_reference_when_particles_are_partly_outside():
    places, weights, support = _scene(1500, spread=20.0)
    outside = (np.abs(places - SIZE / 2) > SIZE / 2).any(axis=1)
    assert 0.3 < outside.mean() < 0.9
    expected = project_directly(places, weights, support, size=SIZE)
    assert _fast(places, weights, support).sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_half_of_a_particle_on_the_edge_counts():
    for place in ([0.0, 24.0], [48.0, 24.0], [24.0, 0.0], [24.0, 48.0]):
        image = _fast(np.array([place]), np.ones(1), np.array([3.0]))
        assert image.sum() == pytest.approx(0.5, abs=0.01)
    far = _fast(np.array([[-5.0, 24.0], [1e6, 1e6]]), np.ones(2), np.array([3.0, 3.0]))
    assert far.sum() == 0


def test_order_of_particles_and_cameras_together_or_alone_do_not_matter():
    random = np.random.default_rng(5)
    places, weights, support = _scene(400, spread=6.0)
    shuffled = random.permutation(400)
    first = _fast(places, weights, support)
    np.testing.assert_allclose(
        _fast(places[shuffled], weights[shuffled], support[shuffled]), first, atol=1e-5
    )
    both = project(
        np.stack([places, places[:, ::-1]]),
        np.stack([weights, 2 * weights])[:, None],
        sort_into_levels(support, 1.0),
        size=SIZE,
    )
    assert both.shape == (2, 2, SIZE, SIZE)
    np.testing.assert_allclose(both[0, 0], first, atol=1e-5)
    np.testing.assert_allclose(both[1, 1], 2 * first.T, atol=1e-4)


def test_nothing_to_project():
    levels = sort_into_levels(np.zeros(0), 1.0)
    image = project(np.zeros((2, 0, 2)), np.zeros((3, 1, 0)), levels, size=16)
    assert image.shape == (2, 3, 16, 16)
    assert not image.any()
