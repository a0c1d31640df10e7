"""Fully convolutional networks between images and activation maps, of any image size."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.config.merger_learn import MapDecoderSettings, MapEncoderSettings
from morphosphere.errors import ConfigError, InputError


def convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """Convolution, 3 by 3, norm and activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


#: Weights that timm downloads by the name of the backbone.
HUB = "hub"


class ResidualBlock(nn.Module):
    """Two convolutions beside the identity (He et al. 2016, CVPR, p. 770)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class MapEncoder(nn.Module):
    """Images (N, C, S, S) to activation maps (N, `channels`, `size`, `size`).

    The image is halved until its maps are at most twice as wide as the settings ask for. The
    finest level, which costs as much as all others, only halves.

    Parameters
    ----------
    channels, size : int
        Of the images.
    settings : MapEncoderSettings
    """

    def __init__(self, channels: int, size: int, settings: MapEncoderSettings) -> None:
        super().__init__()
        halvings = max(1, (size // settings.maps).bit_length() - 1)
        widths = [channels, *(settings.width * min(2**k, 4) for k in range(halvings))]
        self.stages = nn.Sequential(
            convolution(*widths[:2], stride=2),
            *(
                nn.Sequential(convolution(a, b, stride=2), ResidualBlock(b))
                for a, b in pairwise(widths[1:])
            ),
        )
        self.channels, self.size = widths[-1], -(-size // 2**halvings)

    def forward(self, images: Tensor) -> Tensor:
        return self.stages(images)


class TimmMapEncoder(nn.Module):
    """Feature maps of any backbone of timm that gives them.

    Of its levels the deepest is taken whose maps are as wide as the settings ask for, or the first.

    Parameters
    ----------
    channels, size : int
        Of the images.
    settings : MapEncoderSettings

    Raises
    ------
    ConfigError
        If timm has no such backbone, or it gives no maps.
    InputError
        If the file of weights is missing.
    """

    def __init__(self, channels: int, size: int, settings: MapEncoderSettings) -> None:
        super().__init__()
        if settings.weights not in (None, HUB) and not Path(settings.weights).is_file():
            raise InputError(f"{settings.weights}: no such file (learn.encoder.weights)")
        self.backbone, reduction = _backbone(channels, size, settings)
        fit = [k for k, r in enumerate(reduction) if size // r >= settings.maps]
        self.level = fit[-1] if fit else 0
        with torch.no_grad():
            example = self.eval()(torch.zeros(1, channels, size, size))
        self.train()
        self.channels, self.size = example.shape[1], example.shape[-1]

    def forward(self, images: Tensor) -> Tensor:
        maps = self.backbone(images)[self.level]
        if getattr(self.backbone, "output_fmt", "NCHW") == "NHWC":
            maps = maps.permute(0, 3, 1, 2)
        return maps.contiguous()


def _backbone(
    channels: int, size: int, settings: MapEncoderSettings
) -> tuple[nn.Module, list[int]]:
    import timm

    more: dict[str, object] = {}
    # timm fits the first layer to the number of channels.
    if settings.weights and settings.weights != HUB:
        more["pretrained_cfg_overlay"] = {"file": settings.weights}
    doing = f" with the weights of {settings.weights}" if settings.weights else ""
    try:
        if timm.models.get_pretrained_cfg(settings.name).fixed_input_size:
            more["img_size"] = size
        backbone = timm.create_model(
            settings.name,
            pretrained=bool(settings.weights),
            features_only=True,
            in_chans=channels,
            **more,
        )
    except OSError as error:
        if settings.weights != HUB:
            raise
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"learn.encoder.weights: those of {settings.name} cannot be had from timm's hub "
            f"({said}); where there is no network, give a file"
        ) from None
    except (RuntimeError, AttributeError, TypeError, AssertionError) as error:
        said = str(error).strip() or type(error).__name__
        raise ConfigError(
            f"learn.encoder.name: timm has no backbone {settings.name!r} with feature maps of "
            f"images of {size} pixels, {channels} channel(s){doing} ({said}); "
            "timm.list_models() lists backbones, and convolutional is the built-in one"
        ) from None
    return backbone, list(backbone.feature_info.reduction())


def build_map_encoder(channels: int, size: int, settings: MapEncoderSettings) -> nn.Module:
    """The encoder that the settings name."""
    kind = MapEncoder if settings.name == "convolutional" else TimmMapEncoder
    return kind(channels, size, settings)


class MapDecoder(nn.Module):
    """Activation maps (N, M, m, m) to images (N, C, S, S) in [0, 1].

    The last doubling draws four pixels at once from a pixel of half the resolution.

    Parameters
    ----------
    map_channels, map_size : int
        Of the maps.
    channels, size : int
        Of the images.
    settings : MapDecoderSettings
    """

    def __init__(
        self,
        map_channels: int,
        map_size: int,
        channels: int,
        size: int,
        settings: MapDecoderSettings,
    ) -> None:
        super().__init__()
        self.size = size
        doublings = max(1, (-(-size // map_size) - 1).bit_length())
        widths = [settings.width * min(2**k, 4) for k in reversed(range(doublings))]
        self.first = convolution(map_channels, widths[0])
        self.widen = nn.ModuleList(convolution(a, b) for a, b in pairwise(widths))
        self.draw = nn.Conv2d(widths[-1], 4 * channels, 3, padding=1)
        nn.init.constant_(self.draw.bias, -2.0)

    def forward(self, maps: Tensor) -> Tensor:
        x = self.first(maps)
        for layer in self.widen:
            x = layer(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = torch.sigmoid(F.pixel_shuffle(self.draw(x), 2))
        margin = (x.shape[-1] - self.size) // 2
        return x[..., margin : margin + self.size, margin : margin + self.size]
