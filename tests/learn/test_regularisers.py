from __future__ import annotations

import torch
import torch.nn.functional as F

from factories_models import blobs
from morphosphere.learn.polar import PolarGrid, turn
from morphosphere.learn.regularisers import contrast, neighbours, polar_spectrum, unevenness


def _points(count: int) -> torch.Tensor:
    return F.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_unevenness_is_small_for_an_even_sphere_and_pulls_clumps_apart():
    even = _points(2000)
    clump = F.normalize(even + torch.tensor([3.0, 0, 0]), dim=-1)
    belt = F.normalize(even * torch.tensor([1.0, 1.0, 0.05]), dim=-1)
    values = [float(unevenness(x)) for x in (even, belt, clump)]
    assert values[0] < 0.01 < values[1] < values[2]
    point = clump[:200].clone().requires_grad_()
    optimiser = torch.optim.Adam([point], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        unevenness(F.normalize(point, dim=-1)).backward()
        optimiser.step()
    assert float(unevenness(F.normalize(point, dim=-1)).detach()) < 0.01


def test_polar_spectrum_does_not_see_turns_and_mirrors_but_shapes():
    grid = PolarGrid(48, 24, 72)
    images = blobs(8, 3, 48)
    here = polar_spectrum(grid(images))
    copy = turn(images, torch.full((8,), 77.0), torch.ones(8, dtype=torch.bool))
    there = polar_spectrum(grid(copy))
    moved = (here - there).square().mean(1)
    other = (here - here.roll(1, 0)).square().mean(1)
    assert (moved < 0.1 * other).all()


def test_contrast_rewards_partners():
    features = F.normalize(torch.randn(32, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    assert contrast(features, features) < 0.5 < contrast(features, features.roll(1, 0))


def test_neighbours_rewards_the_same_neighbourhoods():
    mean = _points(128)
    features = torch.cat([mean, torch.zeros(128, 5)], dim=1)
    alike = neighbours(mean, features)
    shuffled = neighbours(mean.roll(1, 0), features)
    assert 0 <= alike < 0.5 * shuffled
    moving = mean.clone().requires_grad_()
    neighbours(F.normalize(moving, dim=-1), features).backward()
    assert torch.isfinite(moving.grad).all()
    # Copies of one image are no trouble.
    assert torch.isfinite(neighbours(mean[:1].expand(8, 3), features[:1].expand(8, 8)))
