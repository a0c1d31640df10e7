"""Noise of images of galaxies."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.structure.noise import add_noise, signal_to_noise, sky_noise_of, variance

DEPTH = {"sky": 0.09, "exposure": 2000.0, "read_noise": 5.0, "reads": 4}


@pytest.mark.parametrize("model", [0.0, 0.02, 3.0])
def test_drawn_noise_has_the_variance_that_is_told(model: float) -> None:
    sky_noise, gain = sky_noise_of(**DEPTH), DEPTH["exposure"]
    random = np.random.default_rng(1)
    drawn = add_noise(np.full((400, 400), model), sky_noise, gain, random, read_noise=10.0)
    expected = float(variance(np.array(model), sky_noise, gain))
    error = np.sqrt(expected / drawn.size)
    assert abs(drawn.mean() - model) < 4 * error
    # the standard error of a variance is its own size times sqrt(2 / n)
    assert drawn.var() == pytest.approx(expected, rel=4 * np.sqrt(2 / drawn.size))


def test_the_sky_counts_and_readings_add_up() -> None:
    electrons = DEPTH["sky"] * DEPTH["exposure"] + 4 * 25.0
    assert sky_noise_of(**DEPTH) == pytest.approx(np.sqrt(electrons) / DEPTH["exposure"])


def test_negative_pixels_of_a_model_have_the_noise_of_the_sky() -> None:
    assert variance(np.array([-1.0, 0.0]), 0.1, 100.0).tolist() == [0.1**2, 0.1**2]
    drawn = add_noise(np.full((50, 50), -0.5), 0.1, 100.0, np.random.default_rng(0))
    assert np.isfinite(drawn).all()


def test_the_same_stream_gives_the_same_noise() -> None:
    model = np.full((8, 8), 0.3)
    one, same, other = (
        add_noise(model, 0.01, 1000.0, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_signal_to_noise_of_a_flat_source() -> None:
    model = np.full((4, 4), 3.0)
    assert signal_to_noise(model, 2.0, 1e12) == pytest.approx(np.sqrt(16 * 9 / 4))
    assert signal_to_noise(model, 0.0, 5.0) == pytest.approx(np.sqrt(16 * 3 * 5))
