"""Reconstructions beside principal components."""

import numpy as np
import pytest

from morphosphere.evaluate import reconstruction


@pytest.fixture
def images() -> np.ndarray:
    random = np.random.default_rng(0)
    basis = random.standard_normal((40, 3, 12, 12))
    weights = random.standard_normal((90, 40)) * 0.8 ** np.arange(40)
    return np.clip(0.5 + 0.1 * np.tensordot(weights, basis, 1), 0, 1).astype(np.float32)


def test_components_against_the_exact_decomposition(images):
    train, held_out = images[:70], images[70:]
    fitted = reconstruction.fit_components(train.copy(), seed=0)
    flat = train.reshape(70, -1).astype(float)
    axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2]
    errors = {}
    for count, drawn in reconstruction.drawn_by_components(fitted, held_out):
        rest = held_out.reshape(20, -1) - flat.mean(0)
        exact = (flat.mean(0) + rest @ axes[:count].T @ axes[:count]).reshape(held_out.shape)
        np.testing.assert_allclose(drawn, exact, atol=2e-2)
        errors[count] = reconstruction.mean_absolute_difference(held_out, drawn).mean()
    assert list(errors) == [2, 3, 8, 32]
    assert list(errors.values()) == sorted(errors.values(), reverse=True)


def test_fewer_training_images_than_components(images):
    fitted = reconstruction.fit_components(images[:9], seed=0)
    counts = [count for count, _ in reconstruction.drawn_by_components(fitted, images[9:])]
    assert counts == [2, 3, 8]


def test_similarity_of_equal_and_unlike_images(images):
    np.testing.assert_allclose(reconstruction.similarity(images, images), 1, atol=1e-4)
    noisy = np.clip(images + 0.3 * np.random.default_rng(1).standard_normal(images.shape), 0, 1)
    worse = reconstruction.similarity(images, noisy.astype(np.float32))
    assert worse.shape == (90,)
    assert worse.max() < 0.9


def test_similarity_of_flat_images_has_a_closed_form():
    """Without variance only the luminance term is left: (2ab + c) / (a^2 + b^2 + c)."""
    a, b, c = 0.2, 0.6, 0.01**2
    found = reconstruction.similarity(
        np.full((1, 2, 32, 32), a, np.float32), np.full((1, 2, 32, 32), b, np.float32)
    )
    assert found == pytest.approx((2 * a * b + c) / (a * a + b * b + c), rel=1e-3)


@pytest.mark.parametrize("size", [8, 9, 11])
def test_similarity_of_images_smaller_than_the_window(size):
    images = np.random.default_rng(0).random((2, 1, size, size), dtype=np.float32)
    np.testing.assert_allclose(reconstruction.similarity(images, images), 1, atol=1e-4)
    assert (reconstruction.similarity(images, 1 - images) < 0.5).all()
