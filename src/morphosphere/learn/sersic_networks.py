"""The networks of the task ``sersic``: parameters with their covariance, and what to expect.

The parameters have a normal distribution, whose precision is A^T A with a lower triangular A of
positive diagonal. Its density is a product of one factor for each parameter given those before it,
so that the first factors alone are the density of the first parameters alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphosphere.config.sersic_learn import SersicLearnSettings
from morphosphere.learn.maps import build_map_encoder
from morphosphere.learn.rings import RingFeatures
from morphosphere.structure.facts import FACTS
from morphosphere.structure.parameters import Space

#: Bounds of the logarithm of A's diagonal: one over a deviation, in spreads of the parameters.
_LOG_DIAGONAL = (-3.0, 9.0)
#: Width of the network that says what to expect, and bounds of the logarithm of its deviations.
_EXPECTING = 256
_LOG_DEVIATION = (-4.0, 4.0)


class Layers(nn.Module):
    """Residual blocks of two layers each, after a norm (cf. Gorishniy et al. 2021, NeurIPS 34)."""

    def __init__(self, inputs: int, outputs: int, *, hidden: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden),
                nn.Linear(hidden, hidden),
                nn.GELU(),
                nn.Linear(hidden, hidden),
            )
            for _ in range(blocks)
        )
        self.last = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, outputs))
        nn.init.zeros_(self.last[1].weight)
        nn.init.zeros_(self.last[1].bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class SersicNetworks(nn.Module):
    """What an image and the facts beside it say of the latent parameters.

    Parameters
    ----------
    size : int
        Width of the images in pixels.
    settings : SersicLearnSettings
    """

    def __init__(self, size: int, settings: SersicLearnSettings) -> None:
        super().__init__()
        given = settings.encoder
        self.count = len(Space(settings.components).latents)
        self.rings = RingFeatures(size, given.rings, given.harmonics)
        self.maps = None if given.name == "rings" else build_map_encoder(1, size, given)
        features = self.rings.output if self.maps is None else 2 * self.maps.channels + 1
        self.features = features
        inputs, outputs = features + len(FACTS), self.count + self.count * (self.count + 1) // 2
        self.layers = Layers(inputs, outputs, hidden=settings.hidden, blocks=settings.blocks)
        self.expectation = Layers(
            self.count + len(FACTS), 2 * self.rings.signals, hidden=_EXPECTING, blocks=2
        )
        for name, length in (("input", inputs), ("target", self.count), ("latent", self.count)):
            self.register_buffer(f"{name}_mean", torch.zeros(length))
            self.register_buffer(f"{name}_std", torch.ones(length))

    @torch.no_grad()
    def standardise(self, images: Tensor, facts: Tensor, latents: Tensor) -> None:
        """Take means and spreads of inputs and targets from images (n, 1, S, S)."""
        found, _, angle, light = self._read(images)
        targets = self.to_frame(latents, angle, light)
        inputs = torch.cat([found, facts], dim=1)
        for name, values in (("input", inputs), ("target", targets), ("latent", latents)):
            getattr(self, f"{name}_mean").copy_(values.mean(0))
            getattr(self, f"{name}_std").copy_(values.std(0).clamp_min(1e-3))

    def _read(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        features, signals, angle, light = self.rings(images)
        if self.maps is not None:
            found = self.maps(torch.asinh(images) / 3).float()
            pooled = [found.mean((2, 3)), found.amax((2, 3)), light[:, None]]
            features, angle = torch.cat(pooled, dim=1), torch.zeros_like(angle)
        return features, signals, angle, light

    @staticmethod
    def to_frame(latents: Tensor, angle: Tensor, light: Tensor) -> Tensor:
        """Latent parameters (N, P), the magnitude beside the light, the ellipticity as turned."""
        cos, sin = torch.cos(2 * angle), torch.sin(2 * angle)
        e1, e2 = latents[:, -2], latents[:, -1]
        first = latents[:, :1] + 2.5 * light[:, None]
        turned = torch.stack([e1 * cos + e2 * sin, e2 * cos - e1 * sin], dim=1)
        return torch.cat([first, latents[:, 1:-2], turned], dim=1)

    @staticmethod
    def from_frame(latents: Tensor, angle: Tensor, light: Tensor) -> Tensor:
        """The inverse of `to_frame`."""
        return SersicNetworks.to_frame(latents, -angle, -light)

    def describe(self, images: Tensor, facts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is told, in the frame of the galaxy and in spreads of the targets.

        Returns
        -------
        mean : Tensor, shape (N, P)
        factor : Tensor, shape (N, P, P)
            A, lower triangular.
        angle, light : Tensor, shape (N,)
            Of the frame.
        signals : Tensor, shape (N, R)
        """
        found, signals, angle, light = self._read(images)
        inputs = (torch.cat([found, facts], dim=1) - self.input_mean) / self.input_std
        said = self.layers(inputs.clamp(-30, 30)).float()
        p = self.count
        diagonal = said[:, p : 2 * p].clamp(*_LOG_DIAGONAL).exp()
        rows, start = [], 2 * p
        for k in range(p):
            beyond = torch.zeros_like(said[:, : p - k - 1])
            rows.append(torch.cat([said[:, start : start + k], diagonal[:, k : k + 1], beyond], 1))
            start += k
        return said[:, :p], torch.stack(rows, dim=1), angle, light, signals

    def expect(self, latents: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation (N, R) of the signals of a galaxy with such parameters."""
        given = (latents - self.latent_mean) / self.latent_std
        told = (facts - self.input_mean[self.features :]) / self.input_std[self.features :]
        said = self.expectation(torch.cat([given, told], dim=1).clamp(-30, 30)).float()
        mean, deviation = said.chunk(2, dim=1)
        return mean, deviation.clamp(*_LOG_DEVIATION).exp()

    def forward(self, images: Tensor, facts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What ``encoder.onnx`` gives.

        Parameters
        ----------
        images : Tensor, shape (N, 1, S, S)
            Over the noise of the sky.
        facts : Tensor, shape (N, F)

        Returns
        -------
        mean : Tensor, shape (N, P)
            Latent parameters, the magnitude relative to the noise of the sky.
        cholesky : Tensor, shape (N, P, P)
            Lower factor of their covariance.
        distance : Tensor, shape (N,)
            Root of the mean square of the signals about what such a galaxy would show, in their
            deviations: about 1 for images like those of training.
        """
        mean, factor, angle, light, signals = self.describe(images, facts)
        latents = self.from_frame(mean * self.target_std + self.target_mean, angle, light)
        root = self.target_std[:, None] * inverse(factor)
        cholesky = self._turned(root, angle)
        expected, deviation = self.expect(latents, facts)
        distance = ((signals - expected) / deviation).square().mean(1).sqrt()
        return latents, cholesky, distance

    def _turned(self, root: Tensor, angle: Tensor) -> Tensor:
        """A lower factor of the covariance with the ellipticity turned back into the picture."""
        cos, sin = torch.cos(2 * angle)[:, None], torch.sin(2 * angle)[:, None]
        one, two = root[:, -2], root[:, -1]
        one, two = one * cos - two * sin, one * sin + two * cos
        # The turn fills the corner of the last two columns: a rotation of them empties it.
        length = torch.sqrt(one[:, -2] ** 2 + one[:, -1] ** 2).clamp_min(1e-12)
        c, s = (one[:, -2] / length)[:, None], (one[:, -1] / length)[:, None]
        rows = []
        for row in (one, two):
            left, right = row[:, -2:-1] * c + row[:, -1:] * s, row[:, -1:] * c - row[:, -2:-1] * s
            rows.append(torch.cat([row[:, :-2], left, right], dim=1))
        rows[0] = torch.cat([rows[0][:, :-1], torch.zeros_like(rows[0][:, :1])], dim=1)
        sign = torch.where(rows[1][:, -1:] < 0, -1.0, 1.0)
        rows[1] = torch.cat([rows[1][:, :-1], rows[1][:, -1:] * sign], dim=1)
        return torch.cat([root[:, :-2], torch.stack(rows, dim=1)], dim=1)


def inverse(factor: Tensor) -> Tensor:
    """Inverse of lower triangular matrices (N, P, P), by forward substitution, row by row."""
    size = factor.shape[-1]
    rows: list[Tensor] = []
    unit = torch.eye(size, device=factor.device, dtype=factor.dtype)
    for k in range(size):
        row = unit[k].expand_as(factor[:, k])
        for j in range(k):
            row = row - factor[:, k, j, None] * rows[j]
        rows.append(row / factor[:, k, k, None])
    return torch.stack(rows, dim=1)
