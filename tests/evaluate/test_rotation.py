"""Turned copies of images, and how far they move."""

import numpy as np
import pytest

from morphosphere.evaluate.rotation import rotation_scatter, turned


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((5, 2, 21, 21)).astype(np.float32)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_exact(images, quarters, flip):
    expected = images[0][..., ::-1] if flip else images[0]
    expected = np.rot90(expected, quarters, axes=(1, 2))
    np.testing.assert_allclose(turned(images[0], 90.0 * quarters, flip), expected, atol=1e-4)


def test_corners_are_sky_and_values_stay_within_those_of_the_image():
    image = np.full((1, 33, 33), 5.0)
    image[0, 12:20, 12:20] = 100
    out = turned(image, 45, False)
    assert out.min() >= 5
    assert out.max() <= 100
    np.testing.assert_allclose(out[0, :3, :3], 5, atol=1e-3)
    assert out.sum() == pytest.approx(image.sum(), rel=2e-2)


def test_pictures_of_bytes_and_pixels_that_are_not_finite():
    image = np.full((1, 16, 16), 9, np.uint8)
    np.testing.assert_allclose(turned(image, 30, True), 9)
    broken = np.full((1, 16, 16), 9.0)
    broken[0, 4] = np.nan
    broken[0, 5] = np.inf
    np.testing.assert_allclose(turned(broken, 30, True), 9)
    assert np.isfinite(turned(np.full((1, 8, 8), np.nan), 10, False)).all()


def test_an_encoder_that_sees_no_turns_has_no_scatter_and_others_have(images):
    def blind(pictures: np.ndarray) -> np.ndarray:
        return np.tile([0.0, 0.6, 0.8], (len(pictures), 1))

    def direction(pictures: np.ndarray) -> np.ndarray:
        half = pictures.shape[-1] // 2
        across = pictures[..., :half].mean((1, 2, 3)) - pictures[..., -half:].mean((1, 2, 3))
        up = pictures[:, :, :half].mean((1, 2, 3)) - pictures[:, :, -half:].mean((1, 2, 3))
        return np.stack([across, up, np.zeros(len(pictures))], axis=1)

    random = np.random.default_rng(1)
    angles = random.uniform(0, 360, (5, 40))
    assert rotation_scatter(images, angles[:, :3], blind).max() == 0
    scatter = rotation_scatter(images, angles, direction)
    assert scatter.shape == (5, 40)
    assert 60 < np.median(scatter) < 120
