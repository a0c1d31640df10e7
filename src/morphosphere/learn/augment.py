"""Disturbances of training images: turns and mirror images are free, the rest is small."""

from __future__ import annotations

import torch
from torch import Tensor

from morphosphere.config.training import AugmentSettings
from morphosphere.learn.polar import warp


def disturb(images: Tensor, settings: AugmentSettings) -> Tensor:
    """Images (N, C, S, S) turned, mirrored, shifted, magnified and brightened at random."""
    n, device = len(images), images.device

    def symmetric(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, device=device) - 1

    out = warp(
        images,
        360 * torch.rand(n, device=device),
        torch.rand(n, device=device) < 0.5,
        zoom=1 + settings.zoom * symmetric(n),
        shift=2 * settings.shift * symmetric(n, 2),
        padding="reflection",
    )
    if settings.brightness:
        out = out * (1 + settings.brightness * symmetric(n, 1, 1, 1))
    return out.clamp(0, 1)


def add_noise(images: Tensor, settings: AugmentSettings) -> Tensor:
    """Images with white noise."""
    return images + settings.noise * torch.randn_like(images) if settings.noise else images
