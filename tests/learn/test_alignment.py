from __future__ import annotations

import pytest
import torch

from factories_models import blobs
from morphosphere.learn import align, turn
from morphosphere.learn.polar import PolarGrid


def _difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a - b + 180) % 360 - 180).abs()


@pytest.mark.parametrize("size", [32, 33])
def test_a_turn_is_counter_clockwise_and_follows_the_mirror(size):
    images = blobs(2, 3, size)
    quarter, none = torch.full((2,), 90.0), torch.zeros(2)
    still, mirror = torch.zeros(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)
    # torch.rot90 over (rows, columns) is counter-clockwise where row 0 is on top.
    assert torch.allclose(turn(images, quarter, still), images.rot90(1, (2, 3)), atol=1e-4)
    assert torch.allclose(turn(images, none, mirror), images.flip(-1), atol=1e-4)
    both = images.flip(-1).rot90(1, (2, 3))
    assert torch.allclose(turn(images, quarter, mirror), both, atol=1e-4)


@pytest.mark.parametrize(("size", "channels"), [(64, 3), (41, 1), (30, 12)])
def test_align_recovers_pose(size, channels):
    torch.manual_seed(0)
    canonical = blobs(24, channels, size)
    angle, flip = 360 * torch.rand(24), torch.rand(24) < 0.5
    images = turn(canonical, angle, flip)
    found, mirrored, aligned = align(images, canonical)
    # What counts is the picture: near-symmetric ones have several poses.
    assert (aligned - images).abs().mean() < 0.006
    wrong = turn(canonical, angle + 60, flip)
    assert (aligned - images).abs().mean() < 0.2 * (wrong - images).abs().mean()
    same = mirrored == flip
    assert same.float().mean() > 0.8
    assert _difference(found, angle)[same].median() < 1.0
    assert (found >= 0).all()
    assert (found < 360).all()


def test_align_takes_constant_images():
    images = torch.zeros(2, 3, 16, 16)
    angle, _, aligned = align(images, images + 0.5)
    assert torch.isfinite(angle).all()
    assert torch.allclose(aligned, images + 0.5)


@pytest.mark.parametrize("size", [9, 64])
def test_polar_grid_samples_and_gathers_alike(size):
    images = torch.rand(2, 5, size, size)
    grid = PolarGrid(size, 7, 24)
    assert torch.allclose(grid(images), grid.gather(images), atol=1e-5)


def test_polar_grid_turns_turning_into_shifting():
    images = blobs(3, 2, 41)
    grid = PolarGrid(41, 20, 64)
    turned = grid(images.rot90(1, (2, 3)))
    assert torch.allclose(turned, grid(images).roll(16, dims=-1), atol=1e-5)
