"""What the benchmark of the projection judges errors by."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.render import draw
from benchmarks.render_scenes import KERNELS, Scene, error, galaxy

from morphosphere.render.kernel import variance
from morphosphere.render.reference import project_directly


def test_the_compiled_reference_is_the_slow_renderer():
    scene = galaxy(300, 32, channels=1)
    slow = project_directly(scene.positions, scene.weights[0], scene.support, size=32)
    assert error(KERNELS["spline"].reference(scene), slow) < 1e-3


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_compared_at_equal_second_moment(name):
    support = 12.0
    scene = Scene(np.full((1, 2), 32.0), np.full(1, support), np.ones((1, 1)), 64)
    image = KERNELS[name].reference(scene)
    places = np.arange(64) + 0.5 - 32
    assert image.sum() == pytest.approx(1)
    # a pixel adds a twelfth
    moment = (image.sum(axis=0) * places**2).sum() - 1 / 12
    assert moment == pytest.approx(variance() * support**2, rel=0.01)


def test_ours_has_the_error_that_is_asked_for():
    scene = galaxy(3000, 64)
    assert error(draw(scene)[0], KERNELS["spline"].reference(scene)) < 0.01


def test_scenes_have_kernels_of_many_sizes_within_the_picture():
    scene = galaxy(3000, 64)
    narrow, wide = np.percentile(scene.support, [5, 95])
    assert wide > 4 * narrow
    assert (np.abs(scene.positions - 32) < 32).all(axis=1).mean() > 0.7
