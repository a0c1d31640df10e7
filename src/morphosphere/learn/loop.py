"""The loop of training on Lightning's Fabric: steps, epochs, validation, checkpoints.

Whatever is drawn at random in a step depends on seed, epoch, step and process alone, and a
checkpoint is written between two steps of the optimiser; so a run that was stopped and went on
makes the same steps as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morphosphere.config.training import TrainingSettings
from morphosphere.learn.average import MovingAverage, statistics
from morphosphere.learn.checkpoint import Checkpoints
from morphosphere.learn.data import Batches, loader
from morphosphere.learn.means import Means
from morphosphere.learn.processes import Agreement, Processes
from morphosphere.learn.schedule import Schedule
from morphosphere.learn.signals import Stopped, StopSignals
from morphosphere.learn.task import Task, TrainingError
from morphosphere.progress import log

#: Steps between looks at the loss on a GPU, which has to be waited for.
_LOOK = 50


@dataclass
class Progress:
    """Where a run stands, the same on all processes.

    Attributes
    ----------
    epoch, step : int
        The next batch.
    updates : int
        Steps that the optimiser has made.
    seconds, data_seconds : float
        Spent in this epoch, and of these waiting for images (of the first process).
    best, best_epoch : float, int
        Of the measure that decides.
    waited : int
        Epochs since then.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    seconds: float = 0.0
    data_seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = -1
    waited: int = 0


class Loop:
    """Train a task.

    Parameters
    ----------
    task : Task
        On the processes' device.
    batches, held_out : Batches
        For training and for validation.
    settings : TrainingSettings
    schedule : Schedule
    seed : int
    processes : Processes
    checkpoints : Checkpoints
        Used by the first process alone.
    on_epoch : callable
        Called on the first process with the row of each epoch: what `metrics.csv` holds.
    """

    def __init__(
        self,
        task: Task,
        batches: Batches,
        held_out: Batches,
        *,
        settings: TrainingSettings,
        schedule: Schedule,
        seed: int,
        processes: Processes,
        checkpoints: Checkpoints,
        on_epoch: Callable[[dict[str, float]], None],
    ) -> None:
        self.task, self.settings, self.schedule, self.seed = task, settings, schedule, seed
        self.processes, self.checkpoints, self.on_epoch = processes, checkpoints, on_epoch
        self.batches, self.progress = batches, Progress()
        self.best_weights: dict[str, Tensor] | None = None
        self.device = processes.device
        cuda = self.device.type == "cuda"
        self._loader = loader(batches, settings.workers, pin=cuda)
        self._held_out = loader(held_out, pin=cuda)
        self._fabric = processes.fabric
        self._optimizer = task.optimizer(schedule.learning_rate)
        self._weights = [p for p in task.parameters() if p.requires_grad]
        self._statistics = statistics(task)
        self._average = MovingAverage([*self._weights, *self._statistics], settings.average)
        self._train_means = Means()
        self._signals = StopSignals()
        self._agreement = Agreement(processes)
        self._saved = self._clock = time.monotonic()
        self._restore(processes.broadcast(checkpoints.read() if processes.first else None))
        self._model, self._optimizer = self._fabric.setup(task, self._optimizer)

    def run(self) -> None:
        """Train until the end.

        Raises
        ------
        Stopped
            After a checkpoint, if any process was asked to stop by a signal.
        TrainingError
            If the loss is not finite.
        """
        p, settings = self.progress, self.settings
        with self._signals:
            self._saved = self._clock = time.monotonic()
            while p.epoch < settings.epochs and p.waited < settings.patience:
                self.train_epoch()
                self._end_epoch(self._validate())
            self._agreement.finish()
        if self.processes.first and self.best_weights is None:
            raise TrainingError(
                "the loss of validation images was never finite; lower learn.learning_rate, or use "
                "learn.precision 32-true"
            )

    def train_epoch(self) -> None:
        """The steps of this epoch that are still to do."""
        p = self.progress
        self.task.current_epoch = p.epoch
        self.task.train()
        self._loader.sampler.start(p.epoch, p.step)
        batches = iter(self._loader) if p.step < self.batches.steps else None
        while p.step < self.batches.steps:
            began = time.monotonic()
            batch = next(batches)
            p.data_seconds += time.monotonic() - began
            updated = self._step(batch)
            p.step += 1
            if updated:
                self._between_updates()

    def _step(self, batch: dict[str, Tensor]) -> bool:
        """One batch; whether the weights moved."""
        p, accumulate = self.progress, self.schedule.accumulate
        _seed(self.seed, p.epoch, p.step, self.processes.place.rank)
        first = p.step // accumulate * accumulate
        last = min(first + accumulate, self.batches.steps)
        count = len(batch["images"])
        # The gradient is the mean over the images of the whole step, whoever has them.
        images = sum(int(self.batches.counts(step).sum()) for step in range(first, last))
        weight = count * self.processes.place.size / images
        update = p.step + 1 == last
        alone = self.processes.place.size > 1 and not update
        self.task.counts = self.batches.counts(p.step).tolist()
        with self._fabric.no_backward_sync(self._model, enabled=alone):
            pieces = self._model(self._fabric.to_device(batch))
            self._fabric.backward(pieces["loss"] * weight)
        self._train_means.add(pieces, count)
        if self.device.type == "cpu" or p.step % _LOOK == 0:
            self._require_finite(pieces)
        if update:
            self.task.hold()
            self._fabric.clip_gradients(
                self._model,
                self._optimizer,
                max_norm=self.settings.clip,
                error_if_nonfinite=False,  # half precision overflows at times and leaves a step out
            )
            for group in self._optimizer.param_groups:
                group["lr"] = self.schedule.rate(p.updates) * group.get("factor", 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self._average.update(p.updates)
            p.updates += 1
        return update

    def _between_updates(self) -> None:
        """Stop, or write a checkpoint, if any process wishes to: all do it after the same step."""
        late = time.monotonic() - self._saved > 60 * self.settings.checkpoint_minutes
        wish = self.processes.first and late
        if wish:
            self._saved = time.monotonic()
        stop, save = self._agreement.exchange(self._signals.name is not None, wish)
        if stop:
            self._stop()
        if save:
            self._write()

    def _validate(self) -> dict[str, float]:
        """Means of what the task measures, with the averaged weights."""
        own = len(self._weights)
        self.processes.average_([*self._statistics, *self._average.values[own:]])
        means, stop = Means(), False
        self.task.eval()
        self._held_out.sampler.start(0)
        with self._average.applied(), torch.no_grad():
            for batch in self._held_out:
                if len(batch["images"]):
                    with self._fabric.autocast():
                        measured = self.task.measures(self._fabric.to_device(batch))
                    means.add(measured, len(batch["images"]))
                stop, _ = self._agreement.exchange(self._signals.name is not None, False)
                if stop:
                    break
        if stop:
            self._stop()
        return means.over(self.processes)

    def _end_epoch(self, validation: dict[str, float]) -> None:
        p = self.progress
        self._require_finite({})
        measured = {f"train_{k}": v for k, v in self._train_means.over(self.processes).items()}
        measured |= {f"validation_{k}": v for k, v in validation.items()}
        if measured[self.task.monitor] < p.best:
            p.best, p.best_epoch, p.waited = measured[self.task.monitor], p.epoch, 0
            if self.processes.first:
                with self._average.applied():
                    kept = self.task.state_dict().items()
                    self.best_weights = {k: v.detach().cpu().clone() for k, v in kept}
        else:
            p.waited += 1
        self._tick()
        row = {
            "epoch": p.epoch,
            "seconds": round(p.seconds, 3),
            "data_seconds": round(p.data_seconds, 3),
            "learning_rate": self._optimizer.param_groups[0]["lr"],
            **dict(sorted(measured.items())),
        }
        if self.processes.first:
            self.on_epoch(row)
        p.epoch, p.step, p.seconds, p.data_seconds = p.epoch + 1, 0, 0.0, 0.0
        self._train_means = Means()
        self._write()

    def _stop(self) -> None:
        p = self.progress
        self._agreement.finish()
        self._write()
        self.processes.wait()
        raise Stopped(
            f"stopped by {self._signals.name or 'a signal to another process'} in epoch "
            f"{p.epoch + 1}, after batch {p.step} of {self.batches.steps}; a checkpoint was "
            "written, and training goes on from there when it is started again"
        )

    def _write(self) -> None:
        """Write a checkpoint of this moment."""
        self._require_finite({})
        self._tick()
        own = len(self._weights)
        # What each process has for itself.
        mine = [t.detach().cpu() for t in (*self._statistics, *self._average.values[own:])]
        everyone = self.processes.gather(mine)
        sums = self._train_means.total(self.processes)
        if self.processes.first:
            best = {"best_weights": self.best_weights}
            self.checkpoints.write(
                {
                    "progress": asdict(self.progress),
                    "weights": self.task.state_dict(),
                    "optimizer": self._optimizer.state_dict(),
                    "precision": self._fabric.strategy.precision.state_dict(),
                    "average": self._average.values[:own],
                    "statistics": everyone,
                    "sums": sums,
                    **best,
                }
            )
        self._saved = time.monotonic()

    def _restore(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self.progress = p = Progress(**state["progress"])
        self.task.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        everyone, place = state["statistics"], self.processes.place
        if len(everyone) == place.size:
            mine = everyone[place.rank]
        else:
            mine = [torch.stack(same).mean(0) for same in zip(*everyone)]
        own = len(self._weights)
        there = [*self._average.values[:own], *self._statistics, *self._average.values[own:]]
        with torch.no_grad():
            for tensor, value in zip(there, [*state["average"], *mine], strict=True):
                tensor.copy_(value)
        if self.processes.first:
            self.best_weights = state["best_weights"]
            self._train_means = Means(state["sums"])
            if p.epoch < self.settings.epochs:
                log(f"learn: epoch {p.epoch + 1}, batch {p.step + 1} of {self.batches.steps} next")

    def _require_finite(self, pieces: dict[str, Tensor]) -> None:
        if not self._train_means.finite:
            found = ", ".join(f"{name} {float(value.detach()):g}" for name, value in pieces.items())
            raise TrainingError(
                f"the loss is not finite in epoch {self.progress.epoch} ({found}); lower "
                "learn.learning_rate or learn.clip, or use learn.precision 32-true"
            )

    def _tick(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now


def _seed(*key: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
