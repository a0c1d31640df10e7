"""The networks of the task ``mergers``: autoencoder, latent vector and heads.

The activation maps of the encoder are what everything else reads: a decoder draws the image from
them, a variational autoencoder compresses them to the latent vector z, and the heads tell the
labels (after Cai et al. 2020, MNRAS, DeepGalaxy).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.config.merger_learn import MergerLearnSettings
from morphosphere.learn.maps import MapDecoder, ResidualBlock, build_map_encoder, convolution

#: Channels of the maps between the activation maps and z.
_NARROW = 32
#: Bounds of the logarithm of the regression's standard deviation (of the scaled label).
_SIGMA = (-6.0, 2.0)


class MapAutoencoder(nn.Module):
    """Variational autoencoder of activation maps (Kingma & Welling 2014, arXiv:1312.6114).

    Parameters
    ----------
    channels, size : int
        Of the maps.
    latent : int
        Length of z.
    """

    def __init__(self, channels: int, size: int, latent: int) -> None:
        super().__init__()
        self.shape = (_NARROW, size, size)
        flat = _NARROW * size * size
        self.narrow = nn.Sequential(nn.Conv2d(channels, _NARROW, 1), nn.ReLU())
        self.to_latent = nn.Sequential(nn.Linear(flat, 256), nn.ReLU(), nn.Linear(256, 2 * latent))
        self.from_latent = nn.Sequential(
            nn.Linear(latent, 256), nn.ReLU(), nn.Linear(256, flat), nn.ReLU()
        )
        self.widen = nn.Sequential(convolution(_NARROW, channels), nn.Conv2d(channels, channels, 1))

    def encode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (N, D) and logarithm of the variance (N, D) of z."""
        mean, log_variance = self.to_latent(self.narrow(maps).flatten(1)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)

    def decode(self, z: Tensor) -> Tensor:
        """Maps (N, M, m, m) of latent vectors (N, D); never negative, as the encoder's."""
        return F.relu(self.widen(self.from_latent(z).unflatten(1, self.shape)))


class LabelHeads(nn.Module):
    """Posteriors of labels, their regression, and whether there is an encounter, from maps.

    Parameters
    ----------
    channels : int
        Of the maps.
    labels, bins : int
    """

    def __init__(self, channels: int, labels: int, bins: int) -> None:
        super().__init__()
        self.labels, self.bins = labels, bins
        width = max(channels, 128)
        self.look = nn.Sequential(convolution(channels, width, stride=2), ResidualBlock(width))
        self.think = nn.Sequential(nn.Linear(2 * width, 256), nn.ReLU(), nn.Dropout(0.1))
        self.say = nn.Linear(256, labels * (bins + 2) + 1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, L, K); mean and standard deviation (N, L, 2) of the scaled label; (N,)."""
        x = self.look(maps)
        x = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
        out = self.say(self.think(x)).float()
        said = out[:, :-1].unflatten(1, (self.labels, self.bins + 2))
        mean = said[..., self.bins]
        sigma = torch.exp(said[..., self.bins + 1].clamp(*_SIGMA))
        return said[..., : self.bins], torch.stack([mean, sigma], dim=-1), out[:, -1]


class MergerNetworks(nn.Module):
    """Encoder, decoder, map autoencoder and heads.

    Parameters
    ----------
    channels, size : int
        Of the transformed images.
    settings : MergerLearnSettings
    """

    def __init__(self, channels: int, size: int, settings: MergerLearnSettings) -> None:
        super().__init__()
        self.encoder = build_map_encoder(channels, size, settings.encoder)
        maps, width = self.encoder.channels, self.encoder.size
        self.decoder = MapDecoder(maps, width, channels, size, settings.decoder)
        self.autoencoder = MapAutoencoder(maps, width, settings.latent)
        self.heads = LabelHeads(maps, len(settings.labels), settings.bins)
        # Only for training: z must hold what the labels say, so that the similar is alike in them.
        self.alike = nn.Linear(settings.latent, len(settings.labels))


class EncoderForExport(nn.Module):
    """What ``encoder.onnx`` holds: images -> z, logits, regression, encounter."""

    def __init__(self, networks: MergerNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        maps = self.networks.encoder(images)
        return self.networks.autoencoder.encode(maps)[0], *self.networks.heads(maps)


class DecoderForExport(nn.Module):
    """What ``decoder.onnx`` holds: z -> images."""

    def __init__(self, networks: MergerNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, z: Tensor) -> Tensor:
        return self.networks.decoder(self.networks.autoencoder.decode(z))
