"""Train the map's network on the demo's images, against loops that do less than the trainer.

``train-loading`` and ``train-streamed``: the trainer's steps on images of the file, kept in memory
or read again in each epoch, against the same steps on one batch that is always there.
``train-bare``: an epoch of the whole trainer (loop, losses, moving average, schedule, clipping,
table, checkpoint, validation) against a plain PyTorch loop of the same networks, losses and
optimiser, with nothing around them but a pass over the same validation images.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.result import Result, alternate
from benchmarks.scaling_worker import TimedLoop
from benchmarks.work import demo
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.learn import LearnSettings
from morphosphere.learn.checkpoint import Checkpoints
from morphosphere.learn.data import Batches, build_transform, split_rows
from morphosphere.learn.loop import Loop
from morphosphere.learn.memory import keep_memory
from morphosphere.learn.place import Place
from morphosphere.learn.processes import Processes
from morphosphere.learn.schedule import schedule_of
from morphosphere.learn.sphere import SphereTask
from morphosphere.learn.table import EpochTable

#: Steps of an epoch: in the suite, and at full size (about the demo's). Validation adds a tenth.
STEPS, FULL_STEPS = 6, 40
#: Images that are read at a time when streamed: several reads an epoch, as with many images.
BUFFER = 128


class HeldBatch(Batches):
    """Batches that are all the first one, which is in memory."""

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        if not hasattr(self, "_held"):
            self._held = super().__getitem__((0, 0))
        return self._held


def run(*, full: bool = False) -> Iterator[Result]:
    """With the settings of the demo, on all cores."""
    images = demo() / "images.h5"
    keep_memory()  # as the stage does, on both sides
    steps, repeats = (FULL_STEPS, 5) if full else (STEPS, 5)
    with tempfile.TemporaryDirectory() as folder:
        made = (images, Path(folder), steps)
        held = step_loop(*made, kind=HeldBatch)
        for name, changes, what in (
            ("train-loading", {}, "kept in memory"),
            ("train-streamed", {"memory_mib": 0, "buffer": BUFFER}, f"read {BUFFER} at a time"),
        ):
            loop = step_loop(*made, **changes)
            pair = alternate(loop.block, held.block, repeats=repeats)
            note = f"images of the file, {what}, against one batch held in memory; same steps"
            yield pair.result(name, len(loop.batches.rows), "images/s", 0.97, note)
        ours, theirs, count = (
            whole_loop(*made),
            bare_loop(*made),
            steps * LearnSettings().batch_size,
        )
        pair = alternate(ours, theirs, repeats=repeats)
        yield pair.result(
            "train-bare",
            count,
            "images/s",
            0.95,
            "an epoch of the trainer against a bare PyTorch loop: same networks, losses, AdamW, "
            "batches of 64 and validation images; only ours averages weights, clips, checks, "
            "writes the table and a checkpoint",
        )


def data_of(
    images: Path, steps: int, *, kind: type[Batches] = Batches, **changes: object
) -> tuple[LearnSettings, Batches, Batches]:
    """Settings, and the first images of both splits as batches: so many steps, and a tenth."""
    settings = LearnSettings(epochs=1000, patience=1000, **changes)
    with ImageSet(images) as opened:
        transform = build_transform(settings.transform, opened)
        rows = split_rows(opened)
    count = steps * settings.batch_size
    options = {
        "batch_size": settings.batch_size,
        "buffer": settings.buffer,
        "memory": settings.memory_mib << 20,
    }
    train = kind(images, rows["train"][:count], transform, **options)
    held_out = Batches(
        images, rows["validation"][: count // 10], transform, shuffle=False, **options
    )
    return settings, train, held_out


def step_loop(
    images: Path,
    folder: Path,
    steps: int,
    *,
    kind: type[Batches] = Batches,
    loop: type[Loop] = TimedLoop,
    on_epoch: Callable[[dict[str, float]], None] = lambda row: None,
    **changes: object,
) -> TimedLoop:
    """The trainer on so many images that an epoch has so many steps."""
    settings, train, held_out = data_of(images, steps, kind=kind, **changes)
    torch.manual_seed(0)
    processes = Processes(Place())
    processes.fabric.launch()
    return loop(
        SphereTask(settings, train.transform),
        train,
        held_out,
        settings=settings,
        schedule=schedule_of(settings, Place(), train.steps),
        seed=0,
        processes=processes,
        checkpoints=Checkpoints(Path(tempfile.mkdtemp(dir=folder))),
        on_epoch=on_epoch,
    )


def whole_loop(images: Path, folder: Path, steps: int) -> Callable[[], None]:
    """An epoch of the trainer with all that it does, as a function."""
    table = EpochTable(folder)
    loop = step_loop(images, folder, steps, loop=Loop, on_epoch=table.write)

    def epoch() -> None:
        loop.settings = loop.settings.model_copy(update={"epochs": loop.progress.epoch + 1})
        loop.run()

    return epoch


def bare_loop(images: Path, folder: Path, steps: int) -> Callable[[], None]:
    """An epoch as one would write it first, as a function; images are in memory."""
    settings, train, held_out = data_of(images, steps)
    pixels, validation = (
        torch.cat([batches[0, step]["images"] for step in range(len(batches))])
        for batches in (train, held_out)
    )
    torch.manual_seed(0)
    task = SphereTask(settings, train.transform)
    optimizer = task.optimizer(settings.learning_rate)

    def epoch() -> None:
        task.train()
        for index in torch.from_numpy(np.random.default_rng(0).permutation(len(pixels))).split(
            settings.batch_size
        ):
            task.counts = [len(index)]
            optimizer.zero_grad(set_to_none=True)
            task.losses({"images": pixels[index]})["loss"].backward()
            optimizer.step()
        task.eval()
        with torch.no_grad():
            for batch in validation.split(settings.batch_size):
                float(task.measures({"images": batch})["loss"])

    return epoch
