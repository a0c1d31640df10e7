"""Training images of the task ``sersic``: from images without noise to observations of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from morphosphere.config.sersic_learn import FillSettings
from morphosphere.structure.facts import PSF_COLUMNS
from morphosphere.structure.parameters import Space


def latents_of(columns: Mapping[str, Tensor], components: int) -> Tensor:
    """`Space.to_latent` of the columns of a batch, on its device: float32 (n, P).

    `zero_point` and `pixel_size` are among the columns.
    """
    q, angle = columns["axis_ratio"].double(), torch.deg2rad(columns["position_angle"].double())
    e = (1 - q) / (1 + q)
    pixel = columns["pixel_size"].double()
    found = {
        "instrumental_magnitude": columns["magnitude"].double() - columns["zero_point"].double(),
        "log_radius": torch.log10(columns["radius"].double() / pixel),
        "e1": e * torch.cos(2 * angle),
        "e2": e * torch.sin(2 * angle),
    }
    if components == 1:
        found["log_index"] = torch.log10(columns["sersic_index"].double())
    else:
        found["log_bulge_radius"] = torch.log10(columns["bulge_radius"].double() / pixel)
        found["bulge_to_total"] = columns["bulge_to_total"].double()
    return torch.stack([found[name] for name in Space(components).latents], dim=1).float()


def facts_of(columns: Mapping[str, Tensor], size: int) -> Tensor:
    """`morphosphere.structure.facts.facts_of` of the columns of a batch: float32 (n, F)."""
    noise = torch.log10(columns["sky_noise"].double() * columns["gain"].double())
    stamp = (columns["stamp_size"].double() / size).clamp_max(1.0)
    energies = [columns[name].double() for name in PSF_COLUMNS]
    return torch.stack([noise, stamp, *energies], dim=1).float()


def dim(images: Tensor, latents: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """Images (n, 1, S, S) with new instrumental magnitudes, uniform between two, and latents."""
    given = latents[:, 0]
    new = low + (high - low) * torch.rand_like(given)
    factor = torch.pow(10.0, -0.4 * (new - given))
    return images * factor[:, None, None, None], torch.cat([new[:, None], latents[:, 1:]], dim=1)


def turn(images: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Images mirrored in their diagonal, left to right and top to bottom, all or none, at random.

    Of the ellipticity a mirror in the diagonal of rows and columns changes the sign of e1, and the
    other two that of e2. (Row 0 is on top: the diagonal from top left is that of y = -x, in which
    an angle p becomes -90 deg - p.)
    """
    diagonal, across, down = (torch.rand(3) < 0.5).tolist()
    if diagonal:
        images = images.transpose(2, 3)
    if across or down:
        images = images.flip([axis for axis, wanted in ((3, across), (2, down)) if wanted])
    one, two = (-1.0 if diagonal else 1.0), (-1.0 if across != down else 1.0)
    sign = latents.new_tensor([*[1.0] * (latents.shape[1] - 2), one, two])
    return images.contiguous(), latents * sign


def observe(
    images: Tensor, columns: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> Tensor:
    """Images (n, 1, S, S) with noise: that of the sky and of the galaxy's own light.

    Stamps that were smaller than the images have their outermost pixels repeated outward, and so
    has their noise.
    """
    sky, gain = (columns[name].float()[:, None, None, None] for name in ("sky_noise", "gain"))
    # Step by step in place: these arrays are the largest of a training step.
    deviation = images.clamp_min(0).div_(gain).add_(sky.square()).sqrt_()
    noise = torch.empty_like(images).normal_(generator=generator)
    return repeat_edges(noise.mul_(deviation).add_(images), columns["stamp_size"])


def repeat_edges(images: Tensor, stamp: Tensor) -> Tensor:
    """What lies outside of the central `stamp` pixels (n,) of images, taken from their edge."""
    size = images.shape[-1]
    rows = torch.nonzero(stamp < size)[:, 0]
    if not len(rows):
        return images
    width = stamp[rows].long()[:, None]
    before = torch.div(size - width, 2, rounding_mode="floor")
    place = torch.arange(size, device=images.device)[None]
    place = torch.minimum(torch.maximum(place, before), before + width - 1)
    small = torch.take_along_dim(images[rows], place[:, None, :, None], dim=2)
    images = images.clone()
    images[rows] = torch.take_along_dim(small, place[:, None, None, :], dim=3)
    return images


def fill(
    images: Tensor,
    latents: Tensor,
    columns: Mapping[str, Tensor],
    settings: FillSettings,
    magnitudes: tuple[float, float],
) -> tuple[Tensor, Tensor]:
    """Training images over the noise of the sky, and their latent parameters.

    The magnitude of these is relative to the noise, too. What is drawn at random comes from
    torch's global generator.
    """
    if settings.noise and settings.magnitudes == "uniform":
        images, latents = dim(images, latents, *magnitudes)
    if settings.turn:
        images, latents = turn(images, latents)
    if settings.noise:
        images = observe(images, columns)
    return over_noise(images, latents, columns["sky_noise"])


def over_noise(images: Tensor, latents: Tensor, sky_noise: Tensor) -> tuple[Tensor, Tensor]:
    """Images over the noise of the sky, and latent parameters whose magnitude is that of these."""
    noise = sky_noise.double()
    first = latents[:, :1] + 2.5 * torch.log10(noise).float()[:, None]
    scaled = images / noise.float()[:, None, None, None]
    return scaled, torch.cat([first, latents[:, 1:]], dim=1)
