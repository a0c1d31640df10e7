"""Numbers as distributions on bins, which a network with a softmax can learn."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_bins(place: Tensor, bins: int, width: float) -> Tensor:
    """Targets (..., K) of values in [0, 1]: a normal distribution on the bins, summing to one.

    Parameters
    ----------
    place : Tensor, shape (...)
    bins : int
    width : float
        Standard deviation in bins.
    """
    centres = torch.arange(bins, device=place.device) + 0.5
    weight = torch.exp(-0.5 * ((place[..., None] * bins - centres) / width) ** 2)
    return weight / weight.sum(-1, keepdim=True)
