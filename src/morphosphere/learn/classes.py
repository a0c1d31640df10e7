"""The task ``classes``: which class a galaxy is of, and its type on an ordered scale."""

from __future__ import annotations

import dataclasses
import hashlib
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
from morphosphere.errors import ConfigError, InputError
from morphosphere.learn.augment import add_noise, disturb
from morphosphere.learn.bins import soft_bins
from morphosphere.learn.class_bundle import write_class_bundle
from morphosphere.learn.class_networks import ClassNetworks, Member
from morphosphere.learn.data import Batches
from morphosphere.learn.observed import observe
from morphosphere.learn.starts import start_from
from morphosphere.learn.task import Task
from morphosphere.posterior import Label
from morphosphere.progress import log
from morphosphere.views import VIEWS, view

LABEL, WEIGHT, TYPE, ORIGIN = "label", "label_weight", "type", "label_origin"
#: Origin of the labels that a model gave.
PSEUDO = "pseudo"
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
        self.priors = np.full(classes, 1 / classes)
        #: What weights of classes and of labels multiply the odds of the classes by.
        self.odds = np.ones(classes)
        #: See `_known`: of training and of validation images.
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
        if LABEL not in images.columns:
            raise InputError(
                f"{images.path}: has no column {LABEL!r}; labels come from morphosphere.surveys."
                "label"
            )
        known = np.isfinite(images.column(LABEL))
        if settings.type and TYPE in images.columns:
            known |= np.isfinite(images.column(TYPE))
        return known

    @classmethod
    def chosen(cls, rows: np.ndarray, images: ImageSet, settings: ClassLearnSettings) -> np.ndarray:
        """The first `label_limit` galaxies by a hash of their names, one of each class."""
        if settings.label_limit is None:
            return rows
        label = images.column(LABEL)[rows]
        rows, label = rows[np.isfinite(label)], label[np.isfinite(label)]
        names = images.column(settings.split_by)[rows]
        order = sorted(
            set(names), key=lambda name: hashlib.sha256(f"limit {name}".encode()).digest()
        )
        class_of = dict(zip(names[::-1], label[::-1]))
        firsts = {class_of[name]: name for name in reversed(order)}
        wanted = list(dict.fromkeys([*firsts.values(), *order]))[: settings.label_limit]
        return rows[np.isin(names, wanted)]

    def prepare(self, batches: Batches, held_out: Batches) -> None:
        """Shares of the classes, their weights in the loss, and how much of it is known.

        What is decided by shares is decided by those among labels of people: a model's own labels
        (of recursion) are balanced on purpose.

        Raises
        ------
        InputError
            If a class has no labelled image for training.
        """
        labels = batches.column(LABEL).numpy()
        known, names = np.isfinite(labels), self.settings.classes
        if ((labels[known] < 0) | (labels[known] >= len(names))).any():
            raise InputError(
                f"{batches.path}: labels from {labels[known].min():g} to {labels[known].max():g} "
                f"for {len(names)} classes ({', '.join(names)}): each is the number of a class, "
                "from 0; label again with these classes"
            )
        counts = _counts(labels[known], len(self.priors))
        if not counts.all():
            found = ", ".join(f"{name} {count}" for name, count in zip(names, counts))
            raise InputError(
                f"{batches.path}: every class needs labelled images for training, there are "
                f"{found}; loosen the cuts, or leave the empty class out"
            )
        given = _of_people(batches) & known
        people = _counts(labels[given], len(self.priors))
        self.priors = people / people.sum() if people.all() else counts / counts.sum()
        weight = np.nan_to_num(batches.column(WEIGHT).numpy()[known].astype(np.float64), nan=1.0)
        shares = _counts(labels[known], len(self.priors), weight) / weight.sum()
        power = {"balanced": 1.0, "sqrt": 0.5, "none": 0.0}[self.settings.class_weights]
        weights = shares**-power
        weights /= (shares * weights).sum()
        self.weights.copy_(torch.from_numpy(weights))
        self.odds = weights * shares / self.priors
        self.known = {True: self._known(batches), False: self._known(held_out)}

    def _known(self, batches: Batches) -> tuple[float, float]:
        """Weight of the label of an image, and of its type, in the mean over all images."""
        label = batches.column(LABEL)
        weight = torch.where(label.isfinite(), batches.column(WEIGHT).nan_to_num(1.0), 0.0)
        types = batches.column(TYPE).isfinite().double().mean() if self.type else 0.0
        return max(float(weight.double().mean()), 1e-6), max(float(types), 1e-6)

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
        """The same of images as they are, and the share of right classes."""
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
        labels, types, distances = [], [], []
        for step in range(held_out.steps):
            batch = held_out[0, step]
            said = [self.networks(view(batch["images"], k)) for k in range(self.views)]
            for k, one in enumerate(said):
                logits[k].append(one[1].numpy())
                if self.type:
                    told[k].append(one[3].numpy())
            distances.append(torch.stack([one[2] for one in said]).mean(0).numpy())
            labels.append(batch[LABEL].numpy())
            if self.type:
                types.append(batch[TYPE].double().numpy())
        label = np.concatenate(labels)
        known = np.isfinite(label)
        probability = calibration.mean_probability([np.concatenate(one) for one in logits])
        self.calibration = calibration.fit(probability[known], label[known].astype(int), self.odds)
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
                "priors": self.priors.tolist(),
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


def _counts(labels: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Labels of each class, (K,), or the sums of their weights."""
    return np.bincount(labels.astype(int), weights, minlength=classes)


def _of_people(batches: Batches) -> np.ndarray:
    """Which rows of a split have a label that no model gave, bool (n,)."""
    with ImageSet(batches.path) as images:
        if ORIGIN not in images.columns:
            return np.ones(len(batches.rows), bool)
        return images.column(ORIGIN)[batches.rows] != PSEUDO
