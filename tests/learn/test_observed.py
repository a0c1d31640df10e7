"""Mock observations of training images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morphosphere.artefacts.transform import STRETCHES, Transform
from morphosphere.config.training import ObservedSettings
from morphosphere.learn.observed import from_flux, observe, to_flux

QUIET = {"sky": (1e-6, 1e-6), "foreground": 0.0, "observed": 1.0}


def _transform(stretch: str = "asinh", **more: object) -> Transform:
    return Transform(("i", "r"), 32, stretch=stretch, softening=0.05, **more)


def _images(count: int = 4) -> torch.Tensor:
    random = np.random.default_rng(0)
    axis = np.arange(32) - 15.5
    shape = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 4**2)
    colour = random.uniform(0.3, 1.0, (count, 2, 1, 1))
    return torch.from_numpy(0.9 * colour * shape).float()


@pytest.mark.parametrize("stretch", STRETCHES)
def test_flux_is_that_before_the_transform(stretch: str) -> None:
    flux = _images() * 0.8
    transform = _transform(stretch, scale="fixed", value=1.0)
    transformed = torch.from_numpy(transform(flux.numpy()))
    torch.testing.assert_close(to_flux(transformed, transform), flux, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(from_flux(flux, transform), transformed, atol=2e-5, rtol=1e-4)


def test_an_observed_image_is_what_the_transform_makes_of_the_observation() -> None:
    transform = _transform(scale="image", percentile=99.0)
    flux = _images()
    again = from_flux(3 * flux, transform)  # brightness does not matter: images scale themselves
    expected = torch.from_numpy(transform(flux.numpy()))
    torch.testing.assert_close(again, expected, atol=0.02, rtol=0)


def test_the_point_spread_function_keeps_flux_and_widens() -> None:
    transform = _transform("linear", scale="fixed", value=1.0)
    settings = ObservedSettings(psf=(1.5, 1.5), **QUIET)
    before = _images()
    torch.manual_seed(0)
    after = observe(before, transform, settings)
    torch.testing.assert_close(after.sum((2, 3)), before.sum((2, 3)), rtol=0.01, atol=0.1)
    assert (after.amax((2, 3)) < 0.95 * before.amax((2, 3))).all()


def test_noise_is_as_large_as_asked_for() -> None:
    transform = _transform("linear", scale="fixed", value=1.0)
    settings = ObservedSettings(psf=(0.01, 0.01), sky=(0.02, 0.02), foreground=0.0, observed=1.0)
    flat = torch.full((8, 2, 32, 32), 0.5)
    torch.manual_seed(0)
    assert float((observe(flat, transform, settings) - flat).std()) == pytest.approx(0.02, rel=0.05)


def test_foreground_stars_are_shown_or_masked() -> None:
    transform = _transform("linear", scale="fixed", value=1.0)
    flat = torch.full((16, 2, 32, 32), 0.3)
    for masked in (0.0, 1.0):
        settings = ObservedSettings(**QUIET | {"foreground": 1.5}, masked=masked)
        torch.manual_seed(0)
        seen = observe(flat, transform, settings)
        dark, bright = (seen < 0.01).float().mean(), (seen > 0.35).float().mean()
        assert (dark > 0.002) == bool(masked)
        assert (bright > 0.002) == (not masked)


def test_images_that_are_not_observed_stay_as_they_are() -> None:
    settings = ObservedSettings(observed=0.0)
    images = _images()
    torch.testing.assert_close(observe(images, _transform(scale="image"), settings), images)
