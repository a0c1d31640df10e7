"""A small real ModelBundle, written in seconds, for tests of the stages that use one."""

from __future__ import annotations

from pathlib import Path

import torch

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.base import check
from morphosphere.config.learn import LearnSettings
from morphosphere.learn import write_bundle
from morphosphere.learn.networks import SphereNetworks


def small_settings(**changes: object) -> LearnSettings:
    """Settings of a tiny network."""
    tiny = {"encoder": {"width": 4}, "decoder": {"width": 4}, "features": 8, "epochs": 1}
    return check(LearnSettings, {**tiny, **changes}, source="test")


def write_small_bundle(
    path: str | Path,
    *,
    channels: tuple[str, ...] = ("i", "r", "g"),
    size: int = 32,
    scale: str = "image",
    stretch: str = "asinh",
    value: float = 255.0,
    seed: int = 0,
    settings: LearnSettings | None = None,
) -> ModelBundle:
    """An untrained, tiny, but complete ModelBundle; the same for the same arguments."""
    settings = settings or small_settings()
    torch.manual_seed(seed)
    networks = SphereNetworks(len(channels), size, settings)
    examples = blobs(64, len(channels), size)
    _spread(networks, examples)
    transform = Transform(
        channels=tuple(channels), size=size, scale=scale, stretch=stretch, value=value
    )
    return write_bundle(
        path,
        networks=networks,
        settings=settings,
        transform=transform,
        examples=examples[:3],
        training={"images": 0, "epochs": 0, "seed": seed, "digest": ""},
        metrics={},
    )


def blobs(count: int, channels: int, size: int) -> torch.Tensor:
    """Transformed images (count, channels, size, size): an ellipse and a companion each."""
    random = torch.Generator().manual_seed(1)
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(-axis, axis, indexing="ij")

    def draw(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, generator=random)

    turn = draw(0, 6.28)
    along = x * torch.cos(turn) + y * torch.sin(turn)
    across = (y * torch.cos(turn) - x * torch.sin(turn)) / draw(0.3, 1)
    galaxy = torch.exp(-torch.hypot(along, across) / draw(0.1, 0.4))
    companion = draw(0, 0.5) * torch.exp(-((x - draw(-0.6, 0.6)) ** 2 + (y - 0.3) ** 2) / 0.02)
    colour = 0.4 + 0.6 * torch.rand(count, channels, 1, 1, generator=random)
    return ((galaxy + companion)[:, None] * colour).clamp(0, 1)


@torch.no_grad()
def _spread(networks: SphereNetworks, examples: torch.Tensor) -> None:
    """Make an untrained network's place, concentration and picture depend on the image."""
    for layer in networks.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # statistics of these examples, not of a moving average
    networks.train()
    networks.decoder(networks.encode(examples)[0])
    networks.eval()
    last = networks.to_position[-1]
    place = networks.to_position(networks.neck(networks.encoder(examples)))
    last.weight.div_(place.std(0)[:, None])
    last.bias.copy_((last.bias - place.mean(0)) / place.std(0))
    draw = networks.decoder.draw
    drawn = networks.decoder(networks.encode(examples)[0]).logit()
    factor = 1 / drawn.std(0).mean()
    draw.weight.mul_(factor)
    draw.bias.copy_(-1 - factor * (drawn.mean() - draw.bias))
