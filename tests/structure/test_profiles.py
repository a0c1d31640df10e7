"""Radial profiles and their Fourier transforms."""

from __future__ import annotations

import galsim
import numpy as np
import pytest

from morphosphere.structure.profiles import Profile, concentration, transform

WAVES = np.geomspace(1e-3, 300, 60)


def interpolated(index: float, waves: np.ndarray) -> np.ndarray:
    first, step, values = transform(index)
    return np.interp(np.log(waves), first + step * np.arange(len(values)), values)


def test_transform_of_a_gaussian() -> None:
    sigma = 1 / np.sqrt(2 * np.log(2))
    expected = np.exp(-((WAVES * sigma) ** 2) / 2)
    # what is left is the error of the test's own linear interpolation
    assert interpolated(0.5, WAVES) == pytest.approx(expected, abs=2e-5)


def test_transform_of_an_exponential() -> None:
    scale = 1 / concentration(1.0)
    expected = (1 + (WAVES * scale) ** 2) ** -1.5
    assert interpolated(1.0, WAVES) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("index", [0.3, 2.3, 6.2])
def test_transform_of_any_index_is_that_of_galsim(index: float) -> None:
    theirs = galsim.Sersic(index, half_light_radius=1.0)
    expected = [theirs.kValue(float(k), 0.0).real for k in WAVES]
    assert interpolated(index, WAVES) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("index", [0.5, 1.0, 2.0])
def test_light_outside_a_square(index: float) -> None:
    profile = Profile(np.ones(1), np.array([index]), np.array([3.0]), 0.5, 0.4)
    shape = galsim.Sersic(index, half_light_radius=3.0 * np.sqrt(0.5))
    shape = shape.shear(q=0.5, beta=0.4 * galsim.radians)
    fine = 8
    size = 2 * 10 * fine  # the square reaches 10 pixels from the centre
    kept = shape.drawImage(nx=size, ny=size, scale=1 / fine, method="auto").array.sum()
    assert profile.outside(10.0) == pytest.approx(1 - kept, abs=2e-3)


def test_two_components_share_the_light() -> None:
    values = {"radius": 1.2, "bulge_radius": 0.3, "bulge_to_total": 0.25}
    profile = Profile.of(values | {"axis_ratio": 0.5, "position_angle": 90.0}, 0.06, 2)
    assert profile.share.tolist() == [0.75, 0.25]
    assert profile.index.tolist() == [1.0, 4.0]
    assert profile.radius == pytest.approx([20.0, 5.0])
    assert profile.axes()[0] == pytest.approx([0.0, 1.0], abs=1e-12)
