"""Networks that read images and do not see how an image is turned or mirrored.

Both resample to polar coordinates, where a turn is a shift of the angle, and pool over the angle;
the mirror image, which is the reversed angle, is read too and averaged.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.config.learn import EncoderSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.learn.padding import wrap
from morphosphere.learn.polar import PolarGrid, default_grid


class CircularConv(nn.Module):
    """Convolution of polar images: circular in angle, zeros beyond the first and last radius."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.pad = kernel // 2
        self.convolution = nn.Conv2d(inputs, outputs, kernel, padding=(self.pad, 0), bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.convolution(wrap(x, self.pad)))


class Residual(nn.Module):
    """Two circular convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = CircularConv(width, width, 3)
        self.second = CircularConv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class PolarEncoder(nn.Module):
    """Small convolutional network on the polar image, circular in angle.

    Halving is by averaging, not by striding, so that little depends on where the samples of the
    angle fall. The last rings stay apart: bulge, disc and outskirts are told from each other.

    Parameters
    ----------
    channels, size : int
        Of the images.
    settings : EncoderSettings
    """

    def __init__(self, channels: int, size: int, settings: EncoderSettings) -> None:
        super().__init__()
        radii, angles = default_grid(size)
        self.grid = PolarGrid(size, settings.radii or radii, settings.angles or angles)
        w = settings.width
        widths = [channels, w, 2 * w, 4 * w]
        self.stages = nn.ModuleList(
            nn.Sequential(CircularConv(a, b, 3), nn.ReLU()) for a, b in pairwise(widths)
        )
        self.last = nn.Sequential(Residual(4 * w), CircularConv(4 * w, 8 * w, 3), nn.ReLU())
        rings = self.grid.radii
        for _ in self.stages:
            rings = -(-rings // 2)
        self.output = 2 * 8 * w * rings

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, S, S) to (N, output), the same for turned and mirrored images.

        While training, one of the two mirror images is read, as the trainer mirrors at random.
        """
        polar = self.grid(images)
        if self.training:
            return self._read(polar)
        return 0.5 * (self._read(polar) + self._read(polar.flip(-1)))

    def _read(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = F.avg_pool2d(stage(x), 2, ceil_mode=True)
        x = self.last(x)
        return torch.cat([x.mean(-1), x.amax(-1)], dim=1).flatten(1)


class TimmEncoder(nn.Module):
    """Any backbone of timm on the polar image, averaged over rotations and the mirror image.

    A turn by a multiple of 360 degrees / `rotations` only permutes what is averaged, so the result
    is the same to rounding; in between it is as invariant as the backbone's own pooling makes it.

    Parameters
    ----------
    channels, size : int
        Of the images.
    settings : EncoderSettings
    """

    def __init__(self, channels: int, size: int, settings: EncoderSettings) -> None:
        super().__init__()
        import timm

        try:
            self.backbone = timm.create_model(
                settings.name, pretrained=False, num_classes=0, in_chans=channels
            )
        except RuntimeError as error:
            raise ConfigError(
                f"learn.encoder.name: timm has no backbone {settings.name!r} ({error}); "
                "timm.list_models() lists them, and polar is the built-in one"
            ) from None
        if settings.weights:
            self._load(settings.weights)
        default = self.backbone.default_cfg
        if default.get("fixed_input_size"):
            radii, angles = default["input_size"][1:]
        else:
            radii, angles = (32 * max(1, round(n / 32)) for n in default_grid(size))
        self.rotations = settings.rotations
        if angles % self.rotations:
            raise ConfigError(
                f"learn.encoder.rotations: must divide the {angles} angles of the polar image"
            )
        self.grid = PolarGrid(size, radii, angles)
        self.output = self.backbone.num_features

    def _load(self, weights: str) -> None:
        import timm

        if not Path(weights).is_file():
            raise InputError(f"{weights}: no such file (learn.encoder.weights)")
        timm.models.load_checkpoint(self.backbone, weights, strict=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, S, S) to (N, output)."""
        polar = self.grid(images)
        step = self.grid.angles // self.rotations
        views = [
            view
            for k in range(self.rotations)
            for turned in [torch.cat([polar[..., k * step :], polar[..., : k * step]], dim=-1)]
            for view in (turned, turned.flip(-1))
        ]
        return self.backbone(torch.cat(views)).unflatten(0, (len(views), -1)).mean(0)


def build_encoder(channels: int, size: int, settings: EncoderSettings) -> nn.Module:
    """The encoder that the settings name; its attribute `output` is the length of its result."""
    kind = PolarEncoder if settings.name == "polar" else TimmEncoder
    return kind(channels, size, settings)
