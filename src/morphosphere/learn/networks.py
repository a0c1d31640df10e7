"""The spherical autoencoder's networks, without anything about training."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.config.learn import LearnSettings
from morphosphere.learn.decoders import Decoder
from morphosphere.learn.encoders import build_encoder
from morphosphere.learn.power_spherical import concentration


class SphereNetworks(nn.Module):
    """Encoder with its heads, and decoder.

    Parameters
    ----------
    channels, size : int
        Of the transformed images.
    settings : LearnSettings
    """

    def __init__(self, channels: int, size: int, settings: LearnSettings) -> None:
        super().__init__()
        self.bounds = settings.concentration
        self.encoder = build_encoder(channels, size, settings.encoder)
        self.neck = nn.Sequential(nn.Linear(self.encoder.output, 256), nn.ReLU())
        self.to_features = nn.Linear(256, settings.features)
        self.to_position = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 4))
        self.decoder = Decoder(channels, size, settings.decoder)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images (N, C, S, S) to mean (N, 3), concentration (N,) and features (N, F).

        Mean and features have unit length.
        """
        neck = self.neck(self.encoder(images)).float()
        place = self.to_position(neck).float()
        mean = F.normalize(place[:, :3], dim=-1, eps=1e-6)
        features = F.normalize(self.to_features(neck).float(), dim=-1, eps=1e-6)
        return mean, concentration(place[:, 3], *self.bounds), features

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.encode(images)


class EncoderForExport(nn.Module):
    """What ``encoder.onnx`` holds: images -> mean, concentration, features."""

    def __init__(self, networks: SphereNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.networks.encode(images)
