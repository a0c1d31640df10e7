"""How large a step is: images in it, and how far the weights move."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from morphosphere.config.training import TrainingSettings
from morphosphere.errors import ConfigError
from morphosphere.learn.place import Place

#: Images of a process in a step at least: statistics of one image do not exist, and the last
#: steps of an epoch can be half as large.
LEAST_BATCH = 4


@dataclass(frozen=True)
class Schedule:
    """Images and learning rate of the optimiser's steps.

    Attributes
    ----------
    processes : int
    batch_per_process : int
        Images that a process sees at a time, at most.
    accumulate : int
        Batches whose gradients are added up before the weights move.
    effective_batch : int
        Images that a step of the optimiser sees, over all processes and accumulated batches.
    learning_rate : float
        The largest of the run.
    steps : int
        Steps of the optimiser in the whole run.
    warmup : int
        Those in which the learning rate grows.
    """

    processes: int
    batch_per_process: int
    accumulate: int
    effective_batch: int
    learning_rate: float
    steps: int
    warmup: int

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then a cosine to a hundredth."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def facts(self) -> dict[str, Any]:
        """What belongs into the record of a run."""
        return {k: v for k, v in asdict(self).items() if k not in ("steps", "warmup")}

    def __str__(self) -> str:
        return (
            f"{self.effective_batch} images a step of the weights ({self.processes} process(es) x "
            f"{self.batch_per_process} images x {self.accumulate} accumulated), learning rate "
            f"{self.learning_rate:g}, {self.steps} steps"
        )


def schedule_of(settings: TrainingSettings, place: Place, batches: int) -> Schedule:
    """The schedule of a run with so many batches in an epoch.

    `batch_size` counts the images of all processes, so more of them only make a step faster and
    the learning rate stays. It is scaled, if at all, with the effective batch over
    `reference_batch`: linearly (Goyal et al. 2017), or by the root, as suits AdamW (Malladi et al.
    2022).

    Raises
    ------
    ConfigError
        If too few images fall to a process.
    """
    if settings.batch_size < LEAST_BATCH * place.size:
        raise ConfigError(
            f"learn.batch_size: {settings.batch_size} images over {place.size} processes are fewer "
            f"than {LEAST_BATCH} each; make it {LEAST_BATCH * place.size} or more, or use fewer "
            "processes"
        )
    effective = settings.batch_size * settings.accumulate
    power = {"none": 0.0, "sqrt": 0.5, "linear": 1.0}[settings.learning_rate_scaling]
    steps = settings.epochs * -(-batches // settings.accumulate)
    return Schedule(
        processes=place.size,
        batch_per_process=-(-settings.batch_size // place.size),
        accumulate=settings.accumulate,
        effective_batch=effective,
        learning_rate=settings.learning_rate * (effective / settings.reference_batch) ** power,
        steps=steps,
        warmup=max(1, round(settings.warmup * steps)),
    )
