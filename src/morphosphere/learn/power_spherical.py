"""The Power Spherical distribution on the ordinary sphere, in closed form.

De Cao & Aziz 2020, "The Power Spherical distribution" (arXiv:2006.04437), for unit vectors in three
dimensions, where the density is ``(kappa + 1) / (4 pi) * ((1 + mu . x) / 2) ** kappa`` and every
quantity that is needed is elementary. All in float32; `concentration` bounds kappa from both sides.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Logarithm of the area of the unit sphere: the entropy of the uniform distribution.
LOG_AREA = math.log(4 * math.pi)


def concentration(raw: Tensor, low: float, high: float) -> Tensor:
    """Concentration between `low` and `high`, logarithmic in the logistic function of `raw`."""
    return torch.exp(math.log(low) + math.log(high / low) * torch.sigmoid(raw.float()))


def sample(mean: Tensor, kappa: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One reparametrised draw for each row.

    The cosine of the distance from the mean is ``2 u ** (1 / (kappa + 1)) - 1`` with `u` uniform,
    since ``(1 + t) / 2`` follows Beta(kappa + 1, 1).

    Parameters
    ----------
    mean : Tensor, shape (N, 3)
        Unit vectors.
    kappa : Tensor, shape (N,)

    Returns
    -------
    Tensor, shape (N, 3)
        Unit vectors.
    """
    mean, kappa = mean.float(), kappa.float()
    u, turn = torch.rand(2, len(mean), generator=generator, device=mean.device)
    # 1 - t is formed without cancellation, since t is within a few ulp of 1 for large kappa.
    log_u = torch.log(u.clamp_min(1e-30))
    below = -2 * torch.expm1(log_u / (kappa + 1))
    sine = torch.sqrt((below * (2 - below)).clamp_min(1e-12))
    first, second = tangents(mean)
    angle = 2 * math.pi * turn
    direction = torch.cos(angle)[:, None] * first + torch.sin(angle)[:, None] * second
    draw = (1 - below)[:, None] * mean + sine[:, None] * direction
    return torch.nn.functional.normalize(draw, dim=-1)


def tangents(mean: Tensor) -> tuple[Tensor, Tensor]:
    """Two unit vectors orthogonal to `mean` (N, 3) and to each other.

    The construction of Duff et al. 2017 (JCGT 6, 1), which has no singular direction.
    """
    x, y, z = mean.unbind(-1)
    sign = torch.where(z >= 0, torch.ones_like(z), -torch.ones_like(z))
    a = -1 / (sign + z)
    b = x * y * a
    first = torch.stack([1 + sign * x * x * a, sign * b, -sign * x], dim=-1)
    second = torch.stack([b, sign + y * y * a, -y], dim=-1)
    return first, second


def log_prob(point: Tensor, mean: Tensor, kappa: Tensor) -> Tensor:
    """Logarithm of the density at unit vectors `point` (N, 3), per steradian."""
    half = ((1 + (point * mean).sum(-1)) / 2).clamp_min(1e-12)
    return kappa * torch.log(half) + torch.log1p(kappa) - LOG_AREA


def entropy(kappa: Tensor) -> Tensor:
    """Differential entropy in nats."""
    return LOG_AREA - kl_to_uniform(kappa)


def kl_to_uniform(kappa: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the uniform distribution, in nats: never negative."""
    return torch.log1p(kappa) - kappa / (kappa + 1)
