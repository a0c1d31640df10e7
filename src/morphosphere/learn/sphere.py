"""The task ``sphere``: a variational autoencoder whose latent space is the ordinary sphere.

The posterior is a Power Spherical distribution, the prior uniform. The encoder does not see how an
image is turned or mirrored; the decoder draws an upright image, which is turned onto the input
before they are compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings
from morphosphere.learn import power_spherical, regularisers
from morphosphere.learn.alignment import find_pose
from morphosphere.learn.augment import add_noise, disturb
from morphosphere.learn.bundle import write_bundle
from morphosphere.learn.gather import gather
from morphosphere.learn.networks import SphereNetworks
from morphosphere.learn.polar import PolarGrid, default_grid, turn
from morphosphere.learn.task import Task


class SphereTask(Task):
    """Place images on the sphere so that images alike are close, and draw them from there.

    Parameters
    ----------
    settings : LearnSettings
    transform : Transform
    seed : int
    """

    def __init__(self, settings: LearnSettings, transform: Transform, *, seed: int = 0) -> None:
        super().__init__(settings, transform, seed=seed)
        channels, size = len(transform.channels), transform.size
        self.networks = SphereNetworks(channels, size, settings)
        if not settings.compile:  # the compiler lays memory out itself
            self.networks.to(memory_format=torch.channels_last)  # a quarter less time on a CPU
        radii, angles = default_grid(size)
        self.grid = PolarGrid(size, radii, angles)
        if settings.loss.profile:
            length = regularisers.polar_spectrum(torch.zeros(1, channels, radii, angles)).shape[1]
            self.spectrum_norm = nn.BatchNorm1d(length, affine=False)
            self.to_spectrum = nn.Sequential(
                nn.Linear(settings.features, 256), nn.ReLU(), nn.Linear(256, length)
            )
        centre = (size - 1) / 2
        offset = torch.arange(size) - centre
        inside = offset[:, None] ** 2 + offset**2 <= (size / 2) ** 2
        if settings.loss.residual == "all":
            inside = torch.ones_like(inside)
        self.register_buffer("mask", inside.float() / inside.float().mean(), persistent=False)

    @staticmethod
    def all_weights_learn(settings: LearnSettings) -> bool:
        """Features learn from the spectrum or from the contrast; without both, from nothing."""
        return bool(settings.loss.profile or settings.loss.contrast)

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of disturbed images, and its pieces."""
        weights = self.settings.loss
        images = disturb(batch["images"], self.settings.augment)
        mean, kappa, features = self.networks.encode(add_noise(images, self.settings.augment))
        position = power_spherical.sample(mean, kappa)
        l1, colour = self._residual(images, position)
        pieces = {
            "l1": l1,
            "colour": colour,
            "kl": power_spherical.kl_to_uniform(kappa).mean(),
        }
        if weights.profile:
            target = regularisers.polar_spectrum(self.grid(images))
            target = self.spectrum_norm(target).clamp(-5, 5)
            pieces["profile"] = F.smooth_l1_loss(self.to_spectrum(features), target)
        compared = [mean, features]
        if weights.contrast:
            other = disturb(batch["images"], self.settings.augment)
            compared.append(self.networks.encode(add_noise(other, self.settings.augment))[2])
        means, *features_of_all = gather(compared, self.counts or [len(mean)])
        pieces["uniformity"] = regularisers.unevenness(means)
        if weights.contrast:
            pieces["contrast"] = regularisers.contrast(*features_of_all)
        if weights.neighbours:
            pieces["neighbours"] = regularisers.neighbours(means, features_of_all[0])
        factor = {"l1": 1.0, **weights.model_dump(exclude={"residual"})}
        loss = sum(factor[name] * value for name, value in pieces.items())
        return {"loss": loss, **pieces}

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Reconstruction from the mean position, and what the sphere looks like."""
        weights = self.settings.loss
        images = batch["images"]
        mean, kappa, _ = self.networks.encode(images)
        l1, colour = self._residual(images, mean)
        return {
            "loss": l1 + weights.colour * colour,
            "l1": l1,
            "kl": power_spherical.kl_to_uniform(kappa).mean(),
            "concentration": kappa.mean(),
        }

    def _residual(self, images: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Mean absolute difference of pixels, and of differences between adjacent channels."""
        decoded = self.networks.decoder(position).float()
        angle, flip = find_pose(self.grid(images), self.grid(decoded.detach()), self.grid.radius)
        difference = (turn(decoded, angle, flip) - images) * self.mask
        if images.shape[1] == 1:
            return difference.abs().mean(), torch.zeros_like(difference).mean()
        return difference.abs().mean(), difference.diff(dim=1).abs().mean()

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write encoder and decoder as a ModelBundle."""
        return write_bundle(
            path,
            networks=self.networks,
            settings=self.settings,
            transform=self.transform,
            examples=examples,
            training=training,
            metrics=metrics,
        )
