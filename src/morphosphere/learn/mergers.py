"""The task ``mergers``: what an image of an encounter says of its time, mass ratio and geometry."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.merger_learn import MergerLearnSettings
from morphosphere.learn.augment import add_noise, disturb
from morphosphere.learn.bins import soft_bins
from morphosphere.learn.data import Batches
from morphosphere.learn.merger_bundle import write_merger_bundle
from morphosphere.learn.merger_networks import MergerNetworks
from morphosphere.learn.observed import observe
from morphosphere.learn.task import Task
from morphosphere.posterior import Label
from morphosphere.views import VIEWS, view

#: Column that says whether an image shows an encounter at all.
ENCOUNTER = "is_encounter"
#: Share of a batch that is drawn by the decoders: drawing costs as much as reading.
_DRAWN = 0.125
#: Share of validation images that are told to be like those of training.
_INLIERS = 0.99


class MergerTask(Task):
    """Tell time, mass ratio and geometry of encounters; compress images to latent vectors.

    Parameters
    ----------
    settings : MergerLearnSettings
    transform : Transform
    seed : int
    """

    def __init__(
        self, settings: MergerLearnSettings, transform: Transform, *, seed: int = 0
    ) -> None:
        super().__init__(settings, transform, seed=seed)
        self.networks = MergerNetworks(len(transform.channels), transform.size, settings)
        if not settings.compile:
            self.networks.to(memory_format=torch.channels_last)
        self.labels = labels_of(settings)
        self.limits: dict[str, float] = {}

    @staticmethod
    def all_weights_learn(settings: MergerLearnSettings) -> bool:
        """Of a backbone of timm, levels deeper than the maps that are taken learn nothing."""
        return settings.encoder.name == "convolutional"

    @staticmethod
    def columns_of(settings: MergerLearnSettings) -> tuple[str, ...]:
        """The labels, and whether there is an encounter."""
        return (*settings.labels, ENCOUNTER)

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of disturbed images, and its pieces."""
        settings = self.settings
        images = disturb(batch["images"], settings.augment)
        images = observe(images, self.transform, settings.augment)
        maps = self.networks.encoder(add_noise(images, settings.augment))
        pieces = self._surprise(maps, batch)
        drawn = max(2, round(_DRAWN * len(images)))
        part, target = maps[:drawn], images[:drawn]
        pieces["reconstruction"] = (self.networks.decoder(part).float() - target).abs().mean()
        pieces |= self._compressed(maps.detach(), batch)
        drawn_again = self.networks.decoder(pieces.pop("maps of z")[:drawn])
        pieces["latent"] = (drawn_again.float() - target).abs().mean()
        factor = settings.loss.model_dump(exclude={"smoothing"})
        loss = sum(factor.get(name, 1.0) * value for name, value in pieces.items())
        return {"loss": loss, **pieces}

    def _compressed(self, maps: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of z: the maps that come back from it, and how well these, the prior and labels fit.

        The maps are made for labels and drawing; z follows them, and does not change them.
        """
        mean, log_variance = self.networks.autoencoder.encode(maps)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        again = self.networks.autoencoder.decode(z)
        place, known = self._places(batch)
        apart = (self.networks.alike(z).float() - place).abs() * known
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return {
            "maps": F.mse_loss(again.float(), maps.float()) / maps.float().var().clamp_min(1e-6),
            "similar": apart.sum() / known.sum().clamp_min(1.0),
            "kl": kl.mean(),
            "maps of z": again,
        }

    def _surprise(self, maps: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of the labels' bins, of their regression, and of whether there is an encounter."""
        logits, regression, encounter = self.networks.heads(maps)
        place, known = self._places(batch)
        weights = known * self._weights(known)
        total = weights.sum().clamp_min(1e-6)
        target = soft_bins(place, self.settings.bins, self.settings.loss.smoothing)
        surprise = -(target * F.log_softmax(logits, dim=-1)).sum(-1)
        mean, sigma = regression.unbind(-1)
        normal = 0.5 * ((place - mean) / sigma).square().clamp_max(50.0) + sigma.log()
        return {
            "labels": (weights * surprise).sum() / total,
            "regression": (weights * normal).sum() / total,
            "encounter": self._doubt(encounter, batch[ENCOUNTER]),
        }

    @staticmethod
    def _doubt(encounter: Tensor, shown: Tensor) -> Tensor:
        """Surprise of whether there is an encounter, over images of which it is known."""
        sure = shown.isfinite()
        shown = torch.where(sure, shown, 0.0).to(encounter.dtype)
        weight = sure.to(encounter.dtype)
        total = F.binary_cross_entropy_with_logits(encounter, shown, weight=weight, reduction="sum")
        return total / weight.sum().clamp_min(1.0)

    def _places(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Labels in [0, 1] of their ranges, shape (n, L), and which of them are known."""
        columns = []
        for label in self.labels:
            values = batch[label.name].double()
            low, high = label.low, label.high
            if label.scale == "log10":
                values, low, high = values.log10(), np.log10(low), np.log10(high)
            columns.append(((values - low) / (high - low)).float())
        place = torch.stack(columns, dim=1)
        known = place.isfinite()
        return torch.where(known, place, 0.0).clamp(0, 1), known.float()

    def _weights(self, like: Tensor) -> Tensor:
        given = [label.weight for label in self.settings.labels.values()]
        return torch.tensor(given, device=like.device)

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Surprise of the labels, and error of images drawn from maps and from z."""
        images = batch["images"]
        maps = self.networks.encoder(images)
        pieces = self._surprise(maps, batch)
        drawn = self.networks.decoder(maps).float()
        z = self.networks.autoencoder.encode(maps)[0]
        again = self.networks.decoder(self.networks.autoencoder.decode(z)).float()
        pieces["reconstruction"] = (drawn - images).abs().mean()
        pieces["latent"] = (again - images).abs().mean()
        factor = self.settings.loss
        loss = pieces["labels"] + factor.encounter * pieces["encounter"]
        return {"loss": loss, **pieces}

    @torch.no_grad()
    def calibrate(self, held_out: Batches, batches: Batches) -> None:
        """Fit temperatures and recalibrations, and the limits beyond which images are outliers."""
        self.eval()
        logits: list[list[np.ndarray]] = [[] for _ in range(VIEWS)]
        truth: dict[str, list[np.ndarray]] = {label.name: [] for label in self.labels}
        errors, chances = [], []
        for step in range(held_out.steps):
            batch = held_out[0, step]
            said = [self.networks.heads(self.networks.encoder(view(batch["images"], k)))
                    for k in range(VIEWS)]  # fmt: skip
            for views, one in zip(logits, said):
                views.append(one[0].numpy())
            for name, values in truth.items():
                values.append(batch[name].double().numpy())
            error, chance = self._unlike(batch, said)
            errors.append(error)
            chances.append(chance)
        stacked = [np.concatenate(views) for views in logits]
        self.labels = [
            label.calibrated([views[:, k] for views in stacked], np.concatenate(truth[label.name]))
            for k, label in enumerate(self.labels)
        ]
        chance = np.concatenate(chances)
        self.limits = {
            "reconstruction_error": float(np.quantile(np.concatenate(errors), _INLIERS)),
            "encounter_probability": min(0.5, float(np.quantile(chance, 1 - _INLIERS)))
            if len(chance)
            else 0.5,
        }

    def _unlike(
        self, batch: dict[str, Tensor], said: list[tuple[Tensor, Tensor, Tensor]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Error of images drawn from z, clean and observed, and chance that encounters are told."""
        errors = []
        torch.manual_seed(self.seed)
        noisy = observe(batch["images"], self.transform, self.settings.augment)
        for images in (batch["images"], noisy):
            z = self.networks.autoencoder.encode(self.networks.encoder(images))[0]
            drawn = self.networks.decoder(self.networks.autoencoder.decode(z))
            errors.append((drawn - images).abs().mean((1, 2, 3)).numpy())
        chance = torch.stack([torch.sigmoid(one[2]) for one in said]).mean(0)
        return np.concatenate(errors), chance[batch[ENCOUNTER] > 0].numpy()

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write the networks and their calibration as a ModelBundle."""
        return write_merger_bundle(
            path,
            networks=self.networks,
            settings=self.settings,
            transform=self.transform,
            labels=[dataclasses.asdict(label) for label in self.labels],
            limits=self.limits,
            examples=examples,
            training=training,
            metrics=metrics,
        )


def labels_of(settings: MergerLearnSettings) -> list[Label]:
    """The labels of the settings, not calibrated."""
    return [
        Label(name, given.low, given.high, given.scale, given.unit)
        for name, given in settings.labels.items()
    ]
