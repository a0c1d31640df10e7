"""Pieces of the loss that shape the sphere and the features, beside the reconstruction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def unevenness(mean: Tensor, axes: int = 64) -> Tensor:
    """How unevenly unit vectors (N, 3) cover the sphere: 0 for a perfectly even cover.

    By Archimedes' theorem the projections of the uniform sphere onto any axis are uniform in
    [-1, 1]. Sorted projections onto random axes are compared with the uniform quantiles (the
    sliced Wasserstein-2 distance, Bonneel et al. 2015), in units of what one point would give.
    """
    axis = F.normalize(torch.randn(3, axes, device=mean.device), dim=0)
    found = (mean @ axis).sort(dim=0).values
    count = len(mean)
    wanted = (2 * torch.arange(count, device=mean.device) + 1) / count - 1
    return 3 * (found - wanted[:, None]).square().mean()


def polar_spectrum(polar: Tensor, orders: int = 7, rings: int = 8) -> Tensor:
    """Amplitudes of the Fourier transform over the angle: the same for turned, mirrored images.

    Order 0 is the radial profile, 2 the elongation, bars and pairs of arms.

    Parameters
    ----------
    polar : Tensor, shape (N, C, R, A)

    Returns
    -------
    Tensor, shape (N, C * orders * rings)
        Square roots, in which noise is even.
    """
    amplitude = torch.fft.rfft(polar.float(), dim=-1)[..., :orders].abs() / polar.shape[-1]
    amplitude = F.adaptive_avg_pool2d(amplitude.transpose(-1, -2), (orders, rings))
    return amplitude.clamp_min(1e-8).sqrt().flatten(1)


def contrast(first: Tensor, second: Tensor, temperature: float = 0.1) -> Tensor:
    """Cross entropy of finding a copy's partner among the others (van den Oord et al. 2018).

    Parameters
    ----------
    first, second : Tensor, shape (N, F)
        Features of unit length of two copies of the same images.
    """
    score = first @ second.T / temperature
    target = torch.arange(len(first), device=first.device)
    return 0.5 * (F.cross_entropy(score, target) + F.cross_entropy(score.T, target))


def neighbours(mean: Tensor, features: Tensor, perplexity: float = 8.0) -> Tensor:
    """Divergence of neighbourhoods on the sphere from those among the features.

    The parametric t-SNE of van der Maaten (2009) on the sphere: similarities in feature space are
    normal with a width that depends on the distance of the nearest few, those on the sphere have
    the heavy tail of a Cauchy distribution of the chord.

    Parameters
    ----------
    mean : Tensor, shape (N, 3)
    features : Tensor, shape (N, F)
        Taken as given: no gradient flows into them.
    """
    count = len(mean)
    itself = torch.eye(count, dtype=torch.bool, device=mean.device)
    with torch.no_grad():
        distance = torch.cdist(features.float(), features.float()).square()
        distance.masked_fill_(itself, torch.inf)
        nearest = max(1, min(int(perplexity), count - 1))
        width = distance.topk(nearest, largest=False).values.mean(1, keepdim=True).clamp_min(1e-9)
        wanted = torch.softmax(-distance / width, dim=1)
    # A sphere evenly covered with `count` points has a spacing of about 4 / count in chord squared.
    chord = (2 - 2 * mean @ mean.T) * (count / 4)
    found = torch.log_softmax((-torch.log1p(chord)).masked_fill(itself, -torch.inf), dim=1)
    found = found.masked_fill(itself, 0.0)
    entropy = -(wanted * wanted.clamp_min(1e-12).log()).sum(1)
    return (-(wanted * found).sum(1) - entropy).mean()
