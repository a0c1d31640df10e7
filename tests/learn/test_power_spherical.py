from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from morphosphere.learn import power_spherical as ps


def _mean(count: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, 3, generator=random), dim=-1)


@pytest.mark.parametrize("kappa", [0.1, 4.0, 60.0, 4000.0])
def test_density_is_one_over_the_sphere_and_gives_the_entropy(kappa):
    def log_density(cosine: float) -> float:
        point = torch.tensor([[math.sqrt(1 - cosine**2), 0.0, cosine]], dtype=torch.float64)
        pole = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
        return float(ps.log_prob(point, pole, torch.tensor([kappa], dtype=torch.float64)))

    near = 1 - 40 / (kappa + 1)  # where the density is not negligible
    lowest = max(-1.0, near)
    total, _ = integrate.quad(lambda t: 2 * np.pi * np.exp(log_density(t)), lowest, 1)
    assert total == pytest.approx(1, abs=2e-4)
    entropy, _ = integrate.quad(
        lambda t: -2 * np.pi * np.exp(log_density(t)) * log_density(t), lowest, 1
    )
    assert entropy == pytest.approx(float(ps.entropy(torch.tensor(kappa))), abs=2e-3)


@pytest.mark.parametrize("kappa", [0.5, 10.0, 1e4])
def test_samples_follow_the_distribution(kappa):
    torch.manual_seed(1)
    mean = _mean(1).expand(20000, 3)
    draw = ps.sample(mean, torch.full((20000,), kappa))
    assert torch.allclose(draw.norm(dim=-1), torch.ones(20000), atol=1e-5)
    cosine = (draw.double() * mean.double()).sum(-1).clamp(-1, 1).numpy()
    expected = stats.beta(kappa + 1, 1, loc=-1, scale=2)
    if kappa < 1000:  # float32 cannot tell cosines so close to one apart
        assert stats.kstest(cosine, expected.cdf).pvalue > 0.01
    chord = (draw - mean).square().sum(-1).double().numpy()
    assert chord.mean() == pytest.approx(2 * (1 - expected.mean()), rel=0.03)
    first, second = ps.tangents(mean)
    turn = np.arctan2((draw * second).sum(-1), (draw * first).sum(-1)).numpy()
    assert stats.kstest(turn, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_divergence_is_entropy_lost_and_zero_for_no_concentration():
    kappa = torch.tensor([0.0, 1.0, 100.0])
    divergence = ps.kl_to_uniform(kappa)
    assert divergence[0] == 0
    assert torch.allclose(divergence, ps.LOG_AREA - ps.entropy(kappa))
    mean = _mean(100_000)[:1].expand(100_000, 3)
    torch.manual_seed(0)
    draw = ps.sample(mean, torch.full((100_000,), 100.0))
    estimate = ps.log_prob(draw, mean, torch.full((100_000,), 100.0)).mean() + ps.LOG_AREA
    assert float(estimate) == pytest.approx(float(divergence[2]), abs=0.02)


def test_tangents_are_orthonormal_everywhere():
    poles = torch.tensor([[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [0, -1, 0], [0, 0, -1 + 1e-7]])
    mean = torch.nn.functional.normalize(torch.cat([poles, _mean(1000)]), dim=-1)
    first, second = ps.tangents(mean)
    frame = torch.stack([first, second, mean], dim=1)
    assert torch.allclose(frame @ frame.mT, torch.eye(3).expand_as(frame), atol=2e-5)


def test_concentration_is_bounded_and_gradients_are_finite():
    raw = torch.tensor([-1e30, -50.0, 0.0, 50.0, 1e30], requires_grad=True)
    kappa = ps.concentration(raw, 4.0, 4000.0)
    assert kappa.min() >= 4 * (1 - 1e-5)
    assert kappa.max() <= 4000 * (1 + 1e-5)
    mean = _mean(5).requires_grad_()
    ps.sample(mean, kappa).sum().backward()
    assert torch.isfinite(raw.grad).all()
    assert torch.isfinite(mean.grad).all()
