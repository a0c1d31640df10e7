"""The network that draws the upright image of a place on the sphere."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.config.learn import DecoderSettings
from morphosphere.learn.padding import repeat_edge


class EdgeConv(nn.Conv2d):
    """Convolution, 3 by 3, that repeats the pixels at the edge: zeros would draw a frame."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__(inputs, outputs, 3, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(repeat_edge(x, 1, 1))


class Widen(nn.Module):
    """Twice the pixels: bilinear enlargement, convolution, norm, activation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = EdgeConv(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.relu(self.norm(self.convolution(x)))


class Decoder(nn.Module):
    """Unit vectors (N, 3) to images (N, C, size, size) in [0, 1].

    The last doubling draws four pixels at once from a pixel of half the resolution.

    Parameters
    ----------
    channels, size : int
        Of the images; any size: the next larger multiple is drawn and its centre kept.
    settings : DecoderSettings
    """

    def __init__(self, channels: int, size: int, settings: DecoderSettings) -> None:
        super().__init__()
        w = settings.width
        self.size = size
        doublings = max(1, (size - 1).bit_length() - 3)
        self.start = -(-size // 2**doublings)
        widths = [min(3 * w, w * (doublings - k)) for k in range(doublings)]
        self.lift = nn.Sequential(
            nn.Linear(3, 128),
            nn.ReLU(),
            nn.Linear(128, 256),
            nn.ReLU(),
            nn.Linear(256, widths[0] * self.start**2),
            nn.ReLU(),
        )
        self.widen = nn.ModuleList(Widen(a, b) for a, b in pairwise(widths))
        self.draw = EdgeConv(widths[-1], 4 * channels, bias=True)
        with torch.no_grad():  # the four pixels start out alike: no pattern of squares
            first = self.draw.weight[::4]
            self.draw.weight.copy_(first.repeat_interleave(4, dim=0))
            self.draw.bias.fill_(-2.0)

    def forward(self, position: Tensor) -> Tensor:
        x = self.lift(position).unflatten(1, (-1, self.start, self.start))
        for layer in self.widen:
            x = layer(x)
        x = F.pixel_shuffle(self.draw(x), 2)
        # Each pixel is the mean of one of each of the four kinds: no pattern of squares is left.
        x = F.avg_pool2d(repeat_edge(x, 0, 1), 2, stride=1)
        x = torch.sigmoid(x)
        margin = (x.shape[-1] - self.size) // 2
        return x[..., margin : margin + self.size, margin : margin + self.size]
