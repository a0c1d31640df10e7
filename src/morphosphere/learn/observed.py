"""Mock observations of random quality, as a disturbance of training images.

Transformed images are brought back to flux, in which blur and noise mean what they do at a
telescope, and are transformed again.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from morphosphere.artefacts.transform import Transform
from morphosphere.config.training import ObservedSettings

#: Foreground stars of an image at most.
_STARS = 3
#: Least and largest central flux of a foreground star.
_STAR_FLUX = (0.05, 3.0)
#: Radius of the mask of a star, in standard deviations of the point spread function.
_MASK = 3.0


def to_flux(images: Tensor, transform: Transform) -> Tensor:
    """Transformed images (N, C, S, S) as flux in which the brightness of each image is 1.

    What the transform cut off, below 0 and above 1, stays cut off.
    """
    mean = images.mean(dim=1, keepdim=True)
    return images * (_unbend(mean, transform) / mean.clamp_min(1e-12))


def from_flux(flux: Tensor, transform: Transform) -> Tensor:
    """The inverse of `to_flux`; images are scaled anew if the transform scales each by itself."""
    mean = flux.mean(dim=1, keepdim=True)
    if transform.scale == "image":
        pixels = mean.flatten(1)
        rank = max(1, min(pixels.shape[1], math.ceil(transform.percentile / 100 * pixels.shape[1])))
        top = pixels.kthvalue(rank, dim=1).values
        top = torch.where(top > 1e-6, top, pixels.amax(dim=1)).clamp_min(1e-6)
        flux, mean = flux / top[:, None, None, None], mean / top[:, None, None, None]
    if transform.stretch == "none":
        return flux
    flux, mean = flux.clamp_min(0), mean.clamp_min(0)
    if transform.stretch != "linear":
        mean = flux.mean(dim=1, keepdim=True)
        flux = flux * (_bend(mean, transform) / mean.clamp_min(1e-12))
    return flux.clamp(0, 1)


def _bend(x: Tensor, transform: Transform) -> Tensor:
    soft = transform.softening
    if transform.stretch == "sqrt":
        return x.sqrt()
    if transform.stretch == "asinh":
        return torch.asinh(x / soft) / math.asinh(1 / soft)
    return torch.log1p(x / soft) / math.log1p(1 / soft)


def _unbend(x: Tensor, transform: Transform) -> Tensor:
    soft = transform.softening
    if transform.stretch in ("linear", "none"):
        return x
    if transform.stretch == "sqrt":
        return x.square()
    if transform.stretch == "asinh":
        return soft * torch.sinh(x * math.asinh(1 / soft))
    return soft * torch.expm1(x * math.log1p(1 / soft))


def observe(images: Tensor, transform: Transform, settings: ObservedSettings) -> Tensor:
    """Images (N, C, S, S), some of them as a telescope would see them.

    Random numbers come from torch's global generator.
    """
    chosen = torch.rand(len(images), device=images.device) < settings.observed
    if not chosen.any():
        return images
    images = images.clone()
    images[chosen] = _observed(images[chosen], transform, settings)
    return images


def _observed(images: Tensor, transform: Transform, settings: ObservedSettings) -> Tensor:
    n, device = len(images), images.device
    sigma = _between(settings.psf, n, device)
    noise = torch.exp(_between([math.log(x) for x in settings.sky], n, device))
    flux = _blur(to_flux(images, transform), sigma, settings.psf[1])
    if settings.foreground:
        flux = _with_stars(flux, sigma, settings)
    flux = flux + noise[:, None, None, None] * torch.randn_like(flux)
    return from_flux(flux, transform)


def _between(bounds: tuple[float, float] | list[float], n: int, device: torch.device) -> Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(n, device=device)


def _blur(flux: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Convolve each image with a Gaussian of its own width (in pixels)."""
    n, channels, size, _ = flux.shape
    reach = max(1, math.ceil(3 * largest))
    offset = torch.arange(-reach, reach + 1, device=flux.device)
    kernel = torch.exp(-0.5 * (offset / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    x = F.pad(flux.reshape(1, n * channels, size, size), 4 * [reach], mode="replicate")
    x = F.conv2d(x, kernel[:, None, :, None], groups=n * channels)
    x = F.conv2d(x, kernel[:, None, None, :], groups=n * channels)
    return x.reshape(n, channels, size, size)


def _with_stars(flux: Tensor, sigma: Tensor, settings: ObservedSettings) -> Tensor:
    """Foreground stars as wide as the point spread function, shown or masked (with the sky)."""
    n, _, size, _ = flux.shape
    device = flux.device
    count = torch.poisson(torch.full((n,), float(settings.foreground), device=device))
    there = torch.arange(_STARS, device=device) < count[:, None]
    masked = torch.rand(n, _STARS, device=device) < settings.masked
    centre = size * torch.rand(n, _STARS, 2, device=device)
    bright = torch.exp(
        _between([math.log(x) for x in _STAR_FLUX], n * _STARS, device).view(n, _STARS)
    )
    pixel = torch.arange(size, device=device) + 0.5
    width = sigma.clamp_min(0.5)[:, None, None]
    across = ((pixel - centre[..., :1]) / width) ** 2
    down = ((pixel - centre[..., 1:]) / width) ** 2
    light = (bright * (there & ~masked))[..., None, None] * torch.exp(-0.5 * down)[..., None]
    shown = (light * torch.exp(-0.5 * across)[:, :, None]).sum(1, keepdim=True)
    inside = (down[..., None] + across[:, :, None]) < _MASK**2
    hidden = (inside & (there & masked)[..., None, None]).any(1, keepdim=True)
    return torch.where(hidden, 0.0, flux + shown)
