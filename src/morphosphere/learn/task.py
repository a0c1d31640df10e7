"""What is learned: the base of all tasks.

A task has networks, says what their loss is and how well they do, and writes them as a
ModelBundle. Data, optimiser, checkpoints and processes are the trainer's and the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.training import TrainingSettings
from morphosphere.errors import MorphosphereError

if TYPE_CHECKING:
    import numpy as np

    from morphosphere.artefacts.imageset import ImageSet
    from morphosphere.learn.data import Batches


class TrainingError(MorphosphereError):
    """Training that cannot go on."""


class Task(nn.Module):
    """Base of all tasks.

    A subclass sets `networks` in its constructor and defines `losses`, `measures` and `export`.

    Parameters
    ----------
    settings : TrainingSettings
    transform : Transform
        Of the images that `losses` and `measures` get.
    seed : int
    """

    #: The measure on validation images that decides which weights are kept; smaller is better.
    monitor = "validation_loss"
    #: The epoch that is being trained, from 0; the trainer sets it.
    current_epoch = 0
    #: Images of this step that each process has, for `gather`; the trainer sets it.
    counts: Sequence[int] = ()

    networks: nn.Module

    def __init__(self, settings: TrainingSettings, transform: Transform, *, seed: int = 0) -> None:
        super().__init__()
        self.settings, self.transform, self.seed = settings, transform, seed

    @staticmethod
    def columns_of(settings: TrainingSettings) -> tuple[str, ...]:
        """Columns of the ImageSet's table that come with each batch."""
        return ()

    @staticmethod
    def all_weights_learn(settings: TrainingSettings) -> bool:
        """Whether the loss depends on every weight; else processes share gradients more slowly."""
        return True

    @staticmethod
    def kept(images: ImageSet, settings: TrainingSettings) -> np.ndarray | None:
        """Which rows can be learned from, as a mask; None for all."""
        return None

    @classmethod
    def chosen(cls, rows: np.ndarray, images: ImageSet, settings: TrainingSettings) -> np.ndarray:
        """Of the rows for training, those that are trained on."""
        return rows

    def prepare(self, batches: Batches, held_out: Batches) -> None:
        """Look at all images' columns before training; nothing here.

        It is the same on all processes, and when training goes on.
        """

    def hold(self) -> None:
        """Take the gradients of weights that do not learn in this epoch; nothing here."""

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of a training batch under ``loss``, and its pieces by name.

        What is drawn at random comes from the global generator, which the trainer seeds before
        each step.
        """
        raise NotImplementedError

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return self.losses(batch)

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Means over a batch of how well the networks do, without anything random."""
        raise NotImplementedError

    def calibrate(self, held_out: Batches, batches: Batches) -> None:
        """Fit what is fitted to all validation or training images in the end; nothing here."""

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write the networks as a ModelBundle."""
        raise NotImplementedError

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """AdamW; no decay of norms and biases."""
        named = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.AdamW(
            [
                {"params": [p for p in named if p.ndim > 1]},
                {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=learning_rate,
            weight_decay=self.settings.weight_decay,
        )
