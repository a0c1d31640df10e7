"""What is learned: the base of all tasks.

A task has networks, says what their loss is and how well they do, and writes them as a
ModelBundle. Data, optimiser, checkpoints and processes are the trainer's and the same for all.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings
from morphosphere.errors import MorphosphereError


class TrainingError(MorphosphereError):
    """Training that cannot go on."""


class Task(lightning.LightningModule):
    """Base of all tasks.

    A subclass sets `networks` in its constructor and defines `losses`, `measures` and `export`.

    Parameters
    ----------
    settings : LearnSettings
    transform : Transform
        Of the images that `losses` and `measures` get.
    """

    #: Columns of the ImageSet's table that come with each batch.
    columns: tuple[str, ...] = ()
    #: The measure on validation images that decides which weights are kept; smaller is better.
    monitor = "validation_loss"

    networks: nn.Module

    def __init__(self, settings: LearnSettings, transform: Transform, *, seed: int = 0) -> None:
        super().__init__()
        self.settings, self.transform, self.seed = settings, transform, seed

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of a training batch under ``loss``, and its pieces by name."""
        raise NotImplementedError

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """How well the networks do on validation images, without anything random."""
        raise NotImplementedError

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write the networks as a ModelBundle."""
        raise NotImplementedError

    def on_train_epoch_start(self) -> None:
        # Whatever is drawn in an epoch depends on the epoch alone, so that a resumed run draws it
        # too; processes draw differently.
        torch.manual_seed(hash((self.seed, self.current_epoch, self.global_rank)) % 2**63)

    def training_step(self, batch: dict[str, Tensor], step: int) -> Tensor:
        pieces = self.losses(batch)
        if not torch.isfinite(pieces["loss"]):
            found = ", ".join(f"{name} {float(value.detach()):g}" for name, value in pieces.items())
            raise TrainingError(
                f"the loss is not finite in epoch {self.current_epoch} ({found}); lower "
                "learn.learning_rate or learn.clip, or use learn.precision 32-true"
            )
        self._log("train", pieces, len(batch["images"]))
        return pieces["loss"]

    def validation_step(self, batch: dict[str, Tensor], step: int) -> None:
        self._log("validation", self.measures(batch), len(batch["images"]))

    def _log(self, stage: str, values: dict[str, Tensor], count: int) -> None:
        self.log_dict(
            {f"{stage}_{name}": value.detach() for name, value in values.items()},
            on_step=False,
            on_epoch=True,
            batch_size=count,
            sync_dist=self.trainer.world_size > 1,
        )

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, linear warm-up and a cosine to a hundredth; no decay of norms and biases."""
        named = [p for p in self.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in named if p.ndim > 1]},
                {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))
        warmup = max(1, round(self.settings.warmup * total))

        def factor(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            done = min(1.0, (step - warmup) / max(1, total - warmup))
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
