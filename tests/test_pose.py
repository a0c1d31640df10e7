"""Turning and mirroring of images, and their colours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from morphosphere.pictures import rgb
from morphosphere.pose import mirror, posed, turn, unposed


@pytest.fixture
def smooth() -> np.ndarray:
    noise = np.random.default_rng(3).normal(size=(4, 2, 33, 33))
    blurred = ndimage.gaussian_filter(noise, (0, 0, 3, 3))
    y, x = np.mgrid[-16:17, -16:17]
    return (blurred * np.exp(-(x**2 + y**2) / 60)).astype(np.float32)


def test_a_quarter_turn_is_counter_clockwise_as_seen():
    picture = np.zeros((1, 1, 5, 5), dtype=np.float32)
    picture[0, 0, 2, 4] = 1  # at the right
    assert turn(picture, 90)[0, 0, 0, 2] == pytest.approx(1)  # now at the top
    assert np.allclose(turn(picture, 90), np.rot90(picture, axes=(2, 3)), atol=1e-6)


def test_each_image_has_its_own_angle(smooth):
    angles = np.array([0, 90, 180, 270])
    expected = [np.rot90(s, k, axes=(1, 2)) for k, s in enumerate(smooth)]
    assert np.allclose(turn(smooth, angles), expected, atol=1e-5)


def test_turn_agrees_with_scipy(smooth):
    ours = turn(smooth[:1, :1], 33.0)[0, 0]
    theirs = ndimage.rotate(smooth[0, 0], 33.0, reshape=False, order=1, mode="nearest")
    assert np.abs(ours - theirs).max() < 1e-5


def test_posed_mirrors_first_and_turns_then(smooth):
    flip = np.array([True, False, True, False])
    angle = np.full(4, 90.0)
    expected = [np.rot90(s[..., ::-1] if f else s, 1, axes=(1, 2)) for s, f in zip(smooth, flip)]
    assert np.allclose(posed(smooth, angle, flip), expected, atol=1e-5)


def test_unposed_undoes_posed(smooth):
    angle, flip = np.array([12.0, 190.0, -77.0, 301.0]), np.array([1, 0, 1, 0])
    back = unposed(posed(smooth, angle, flip), angle, flip)
    assert np.abs(back - smooth).max() < 0.1 * smooth.max()
    assert np.array_equal(mirror(mirror(smooth)), smooth)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_tiny_images_survive(size):
    picture = np.full((2, 1, size, size), 0.5, dtype=np.float32)
    assert np.allclose(turn(picture, np.array([10.0, 200.0])), 0.5)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels_is_a_colour_picture(channels):
    images = np.linspace(0, 1, channels)[None, :, None, None] * np.ones((2, channels, 4, 4))
    picture = rgb(images)
    assert picture.shape == (2, 4, 4, 3)
    shown = {1: (0, 0, 0), 2: (0, 128, 255), 3: (0, 128, 255), 5: (0, 64, 128)}[channels]
    assert tuple(picture[0, 0, 0]) == shown


def test_not_a_number_is_black_and_excess_is_clipped():
    images = np.array([np.nan, -1.0, 7.0])[None, :, None, None]
    assert tuple(rgb(images)[0, 0, 0]) == (0, 0, 255)
