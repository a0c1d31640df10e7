"""The compiled alignment, against the trainer's own."""

import numpy as np
import pytest
import torch

from factories_images import draw_galaxies, galaxy_parameters
from factories_models import blobs
from morphosphere.learn import align as reference
from morphosphere.learn import turn
from morphosphere.learn.polar import PolarGrid, default_grid
from morphosphere.predict.alignment import align, polar_table


@pytest.mark.parametrize(("size", "channels"), [(64, 3), (41, 1), (24, 5), (8, 2)])
def test_it_finds_what_the_trainer_finds(size, channels):
    random = np.random.default_rng(size)
    canonical = blobs(20, channels, size).numpy()  # with companions: no symmetry
    angle, flip = random.uniform(0, 360, 20), random.random(20) < 0.5
    turned = turn(torch.from_numpy(canonical), torch.from_numpy(angle), torch.from_numpy(flip))
    noise = 0.01 * random.standard_normal(canonical.shape, np.float32)
    images = turned.numpy().astype(np.float32) + noise
    ours = align(images, canonical)
    theirs = [part.numpy() for part in reference(*map(torch.from_numpy, (images, canonical)))]
    apart = (ours[0] - theirs[0] + 180) % 360 - 180
    assert np.abs(apart).max() < 0.05
    np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_allclose(ours[3], theirs[2], atol=0.01)
    expected = np.abs(ours[3] - images).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(ours[2], expected, rtol=1e-5)


def test_errors_do_not_need_the_images():
    images = draw_galaxies(galaxy_parameters(5), 32)
    canonical = images[::-1]
    with_images, without = align(images, canonical), align(images, canonical, keep=False)
    assert without[3] is None
    for ours, theirs in zip(with_images[:3], without[:3]):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("size", [8, 33, 64, 100])
def test_the_table_is_the_trainers_grid(size):
    table, (radii, angles) = polar_table(size), default_grid(size)
    image = np.random.default_rng(0).random((1, 1, size, size), np.float32)
    expected = PolarGrid(size, radii, angles)(torch.from_numpy(image))[0, 0].numpy()
    neighbours = table.corner + np.array([[0], [1], [size], [size + 1]])
    found = (image.ravel()[neighbours] * table.weight).sum(0).reshape(radii, angles)
    assert table.angles == angles
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_constant_images_have_a_pose():
    flat = np.zeros((2, 3, 16, 16), np.float32)
    angle, _, error, aligned = align(flat, flat + 0.5)
    assert ((angle >= 0) & (angle < 360)).all()
    np.testing.assert_allclose(error, 0.5)
    np.testing.assert_allclose(aligned, 0.5)
