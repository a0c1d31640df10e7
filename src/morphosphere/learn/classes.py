"""The task ``classes``: which class a galaxy is of, and its type on an ordered scale."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from morphosphere import calibration
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.errors import ConfigError
from morphosphere.learn import class_labels as labels
from morphosphere.learn.augment import add_noise, disturb
from morphosphere.learn.bins import soft_bins
from morphosphere.learn.class_bundle import write_class_bundle
from morphosphere.learn.class_labels import LABEL, TYPE, WEIGHT
from morphosphere.learn.class_networks import ClassNetworks, Member
from morphosphere.learn.data import Batches
from morphosphere.learn.observed import observe
from morphosphere.learn.starts import start_from
from morphosphere.learn.task import Task
from morphosphere.posterior import Label
from morphosphere.progress import log
from morphosphere.views import VIEWS, view

#: Share of held-out images that are told to be of the same domain.
_INLIERS = 0.99
#: Training images that the space of features is fitted to, at most.
_FITTED = 20_000


class ClassTask(Task):
    """Tell classes, and a type if the settings have one, with an ensemble.

    Parameters
    ----------
    settings : ClassLearnSettings
    transform : Transform
    seed : int

    Raises
    ------
    ConfigError
        If the settings name fewer than two classes.
    """

    def __init__(
        self, settings: ClassLearnSettings, transform: Transform, *, seed: int = 0
    ) -> None:
        super().__init__(settings, transform, seed=seed)
        if len(settings.classes) < 2:
            raise ConfigError("learn.classes: name two classes or more")
        self.networks = ClassNetworks(len(transform.channels), transform.size, settings)
        if settings.encoder.start:
            count = start_from(self.networks, settings.encoder.start)
            log(f"learn: {count} tensors start from {settings.encoder.start}")
        if not settings.compile:
            self.networks.to(memory_format=torch.channels_last)
        classes = len(settings.classes)
        self.register_buffer("weights", torch.ones(classes), persistent=False)
        self.shares = labels.Shares.even(classes)
        #: See `labels.known_means`: of training and of validation images.
        self.known = {True: (1.0, 1.0), False: (1.0, 1.0)}
        self.calibration: tuple[float, list[float]] = (1.0, [0.0] * classes)
        self.limit = 0.0
        # The polar encoder does not see quarter turns and mirror images.
        self.views = 1 if settings.encoder.name == "polar" else VIEWS
        given = settings.type
        self.type = Label(TYPE, given.low, given.high) if given else None

    @staticmethod
    def all_weights_learn(settings: ClassLearnSettings) -> bool:
        """Of a backbone of timm, levels deeper than the maps that are taken learn nothing."""
        return settings.encoder.name in ("convolutional", "polar")

    @staticmethod
    def columns_of(settings: ClassLearnSettings) -> tuple[str, ...]:
        """The labels with their weights, and the types."""
        return (LABEL, WEIGHT, TYPE) if settings.type else (LABEL, WEIGHT)

    @staticmethod
    def kept(images: ImageSet, settings: ClassLearnSettings) -> np.ndarray | None:
        """Images whose class is known, or whose type, if that is learnt."""
        return labels.kept(images, with_type=settings.type is not None)

    @classmethod
    def chosen(cls, rows: np.ndarray, images: ImageSet, settings: ClassLearnSettings) -> np.ndarray:
        """The first `label_limit` galaxies, of each class one at least."""
        if settings.label_limit is None:
            return rows
        return labels.first_objects(rows, images, by=settings.split_by, limit=settings.label_limit)

    def prepare(self, batches: Batches, held_out: Batches) -> None:
        """Shares of the classes, their weights in the loss, and how much of it is known.

        Raises
        ------
        InputError
            If a class has no labelled image for training.
        """
        settings = self.settings
        self.shares = labels.shares_of(batches, settings.classes, settings.class_weights)
        self.weights.copy_(torch.from_numpy(self.shares.weights))
        of_type = settings.type is not None
        self.known = {
            True: labels.known_means(batches, with_type=of_type),
            False: labels.known_means(held_out, with_type=of_type),
        }

    def train(self, mode: bool = True) -> ClassTask:
        """Set the mode; parts that do not learn yet keep the statistics of their norms."""
        super().train(mode)
        if mode:
            for part in self._frozen():
                part.eval()
        return self

    def hold(self) -> None:
        """Take the gradients of parts of the encoder that do not learn yet."""
        for part in self._frozen():
            for weight in part.parameters():
                weight.grad = None

    def _frozen(self) -> list[torch.nn.Module]:
        given = self.settings.unfreeze
        found = []
        for member in self.networks.members:
            stages = member.encoder.stages
            since = self.current_epoch - given.head_epochs
            learning = len(stages)
            if since < 0:
                learning = 0
            elif given.stage_epochs:
                learning = 1 + int(since / given.stage_epochs)
            found += stages[: max(0, len(stages) - learning)]
        return found

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """AdamW; the encoders may take smaller steps than the heads."""
        inner = {id(p) for m in self.networks.members for p in m.encoder.parameters()}
        groups = []
        for encoder in (True, False):
            named = [p for p in self.parameters() if (id(p) in inner) == encoder]
            factor = self.settings.unfreeze.encoder_rate if encoder else 1.0
            groups += [
                {"params": [p for p in named if p.ndim > 1], "factor": factor},
                {"params": [p for p in named if p.ndim <= 1], "factor": factor, "weight_decay": 0},
            ]
        return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=self.settings.weight_decay)

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of disturbed images, each member's disturbed in its own way, and its pieces."""
        settings, pieces = self.settings, {}
        for member in self.networks.members:
            images = disturb(batch["images"], settings.augment)
            images = observe(images, self.transform, settings.augment)
            for name, value in self._surprise(
                member, add_noise(images, settings.augment), batch, settings.label_smoothing
            ).items():
                pieces[name] = pieces.get(name, 0.0) + value / settings.members
        return {"loss": sum(pieces.values()), **pieces}

    def _surprise(
        self, member: Member, images: Tensor, batch: dict[str, Tensor], smoothing: float
    ) -> dict[str, Tensor]:
        """Of classes, weighted, and of types.

        Sums are divided by what all images have in the mean, not by what these have: so parts of a
        step, on several processes, add up to the mean over all its images.
        """
        of_label, of_type = self.known[self.training]
        _, logits, told = member(images)
        logits = logits.mean(1)
        label = batch[LABEL]
        known = label.isfinite()
        weight = torch.where(known, batch[WEIGHT].nan_to_num(1.0), 0.0).to(logits.dtype)
        surprise = F.cross_entropy(
            logits,
            torch.where(known, label, 0).long(),
            weight=self.weights.to(logits.dtype),
            label_smoothing=smoothing,
            reduction="none",
        )
        pieces = {"classes": (weight * surprise).sum() / (of_label * max(1, len(images)))}
        if told is not None:
            surprise = self._type_surprise(told.mean(1), batch)
            pieces["type"] = self.settings.type.weight * surprise / of_type
        return pieces

    def _type_surprise(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        given = self.settings.type
        place = ((batch[TYPE] - given.low) / (given.high - given.low)).float()
        known = place.isfinite()
        target = soft_bins(torch.where(known, place, 0.0).clamp(0, 1), given.bins, given.smoothing)
        surprise = -(target * F.log_softmax(logits, dim=-1)).sum(-1)
        return (known * surprise).sum() / max(1, len(known))

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same of images as they are."""
        pieces: dict[str, Tensor] = {}
        for member in self.networks.members:
            for name, value in self._surprise(member, batch["images"], batch, 0.0).items():
                pieces[name] = pieces.get(name, 0.0) + value / self.settings.members
        return {"loss": sum(pieces.values()), **pieces}

    @torch.no_grad()
    def calibrate(self, held_out: Batches, batches: Batches) -> None:
        """Fit the space of features to training images, probabilities and limits to validation."""
        self.eval()
        self.networks.space.fit(self._activations(batches))
        logits: list[list[np.ndarray]] = [[] for _ in range(self.views)]
        told: list[list[np.ndarray]] = [[] for _ in range(self.views)]
        given, types, distances = [], [], []
        for step in range(held_out.steps):
            batch = held_out[0, step]
            said = [self.networks(view(batch["images"], k)) for k in range(self.views)]
            for k, one in enumerate(said):
                logits[k].append(one[1].numpy())
                if self.type:
                    told[k].append(one[3].numpy())
            distances.append(torch.stack([one[2] for one in said]).mean(0).numpy())
            given.append(batch[LABEL].numpy())
            if self.type:
                types.append(batch[TYPE].double().numpy())
        label = np.concatenate(given)
        known = np.isfinite(label)
        probability = calibration.mean_probability([np.concatenate(one) for one in logits])
        self.calibration = calibration.fit(
            probability[known], label[known].astype(int), self.shares.odds
        )
        self.limit = float(np.quantile(np.concatenate(distances), _INLIERS))
        if self.type:
            views = [np.concatenate(one) for one in told]
            each = [one[:, m] for one in views for m in range(one.shape[1])]
            self.type = self.type.calibrated(each, np.concatenate(types))

    def _activations(self, batches: Batches) -> Tensor:
        found, count = [], 0
        for step in range(batches.steps):
            images = batches[0, step]["images"]
            found.append(self.networks.activations(images).float())
            count += len(images)
            if count >= _FITTED:
                break
        return torch.cat(found)

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write the networks and their calibration as a ModelBundle."""
        temperature, bias = self.calibration
        return write_class_bundle(
            path,
            networks=self.networks,
            settings=self.settings,
            transform=self.transform,
            reading={
                "classes": list(self.settings.classes),
                "priors": self.shares.priors.tolist(),
                "calibration": {"temperature": temperature, "bias": bias},
                "decision": self.settings.decision,
                "members": self.settings.members * max(1, self.settings.masks),
                "type": dataclasses.asdict(self.type) if self.type else None,
                "domain": {"limit": self.limit},
                "views": self.views,
            },
            examples=examples,
            training=training,
            metrics=metrics,
        )
