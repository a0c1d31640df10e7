"""Training: from an ImageSet and settings to a ModelBundle, on one device or many.

Plain ``python -m morphosphere.learn`` uses one process; under torchrun there is one process per
device and gradients are shared. A run that was stopped goes on from its last checkpoint.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import all_origins
from morphosphere.config.training import TrainingSettings
from morphosphere.errors import ConfigError
from morphosphere.files import digest
from morphosphere.learn.checkpoint import Checkpoints
from morphosphere.learn.data import Batches, build_transform, open_splits
from morphosphere.learn.loop import Loop
from morphosphere.learn.place import place_of
from morphosphere.learn.precision import arithmetic_of
from morphosphere.learn.processes import Processes, device_of
from morphosphere.learn.schedule import schedule_of
from morphosphere.learn.table import EpochTable
from morphosphere.learn.task import Task
from morphosphere.progress import log

#: Where each task is, by its name in the configuration. Only the one that is trained is imported.
TASKS = {
    "sphere": "morphosphere.learn.sphere:SphereTask",
    "mergers": "morphosphere.learn.mergers:MergerTask",
    "classes": "morphosphere.learn.classes:ClassTask",
    "sersic": "morphosphere.learn.sersic:SersicTask",
}


def task_of(name: str) -> type[Task]:
    """The task of that name."""
    module, _, kind = TASKS[name].partition(":")
    return getattr(import_module(module), kind)


def train(
    images: str | Path,
    *,
    output: str | Path,
    training: str | Path,
    settings: TrainingSettings,
    seed: int = 42,
    world_size: int | None = None,
    gather: Callable[[Callable[[Any], list[Any] | None]], None] | None = None,
) -> ModelBundle | None:
    """Train a model and write it.

    Parameters
    ----------
    images : path-like
        ImageSet.
    output : path-like
        ModelBundle to write.
    training : path-like
        Folder for ``metrics.csv`` and checkpoints; training goes on from the last checkpoint there
        if it was made with the same settings, seed and images.
    settings : TrainingSettings
    seed : int
    world_size : int, optional
        Number of processes that were promised.
    gather : callable, optional
        Called at the end of the training on every process with `Processes.gather`.

    Returns
    -------
    ModelBundle or None
        None on all processes but the first.

    Raises
    ------
    ConfigError
        If the number of processes is not the promised one, or does not suit the node's GPUs or
        the batch size; if networks are to be compiled and cannot.
    InputError
        If the ImageSet cannot be used.
    TrainingError
        If the loss is not finite.
    Stopped
        If a signal asked for it; a checkpoint was written.
    """
    place, training = place_of(os.environ, world_size), Path(training)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    kind = task_of(settings.task)
    unused = not kind.all_weights_learn(settings)
    precision = arithmetic_of(settings.precision, device_of(place))
    with Processes(place, precision=precision, unused_weights=unused) as processes:
        with ImageSet(images) as opened:
            transform = build_transform(settings.transform, opened)
            facts = {"images": len(opened)}
            if processes.first:
                facts |= {"digest": images_digest(opened), **start_digest(settings)}
                sources = all_origins(opened)
        batches, held_out = open_splits(
            images,
            transform,
            settings,
            seed=seed,
            place=place,
            columns=kind.columns_of(settings),
            kept=lambda opened: kind.kept(opened, settings),
            chosen_of=lambda rows, opened: kind.chosen(rows, opened, settings),
        )
        schedule = schedule_of(settings, place, batches.steps)
        checkpoints, table = Checkpoints(training), EpochTable(training)
        if processes.first:
            checkpoints.begin(settings=settings, seed=seed, facts=facts)
            log(f"learn: {schedule}, {_devices(processes)}")
        processes.wait()
        torch.manual_seed(seed)
        task = kind(settings, transform, seed=seed)
        task.prepare(batches, held_out)
        if settings.compile:
            _compile(task, processes.device)
        loop = Loop(
            task,
            batches,
            held_out,
            settings=settings,
            schedule=schedule,
            seed=seed,
            processes=processes,
            checkpoints=checkpoints,
            on_epoch=_reporter(table, training, settings),
        )
        loop.run()
        if gather is not None:
            gather(processes.gather)
        processes.close()
        if not processes.first:
            return None
    task = kind(settings, transform, seed=seed)
    task.load_state_dict(loop.best_weights)
    best = loop.progress.best_epoch
    task.prepare(batches, held_out)
    task.calibrate(held_out.all_here(), batches.all_here())
    facts |= {
        "seed": seed,
        "sources": sources,
        "train_images": len(batches.rows),
        "epochs": loop.progress.epoch,
        "best_epoch": best,
        "device": processes.device.type,
        "precision": precision,
        **schedule.facts(),
    }
    bundle = task.export(
        Path(output),
        examples=_examples(held_out, batches),
        training=facts,
        metrics=table.measures(best),
    )
    log(f"learn: best epoch {best}, model in {output}")
    return bundle


def _compile(task: Task, device: torch.device) -> None:
    """Compile the networks, when they are first used.

    Raises
    ------
    ConfigError
        If something as small as an addition cannot be compiled here.
    """
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(2, device=device))
    except Exception as error:  # of many kinds, by device and by what is missing
        said = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"learn.compile: torch.compile does not work here ({said}); install a C++ compiler "
            "(g++), or set it to false"
        ) from None
    for network in task.networks.children():
        network.compile()


def images_digest(images: ImageSet) -> str:
    """Digest of an ImageSet's file, and of the files that it joins."""
    total = digest(images.path)
    if images.images.is_virtual:
        parts = sorted({part.file_name for part in images.images.virtual_sources()})
        joined = [total, *(digest(images.path.parent / part) for part in parts)]
        total = "sha256:" + hashlib.sha256("\n".join(joined).encode()).hexdigest()
    return total


def start_digest(settings: TrainingSettings) -> dict[str, str]:
    """Digest of the weights that the encoder starts from, as ``start``; nothing without any.

    A file at the same path can hold other weights, and what was trained from those is not gone on
    with.
    """
    encoder = getattr(settings, "encoder", None)
    given = [getattr(encoder, name, None) for name in ("start", "weights")]
    files = [Path(path, "checkpoint.ckpt") if Path(path).is_dir() else Path(path)
             for path in given if path]  # fmt: skip
    found = [digest(file) for file in files if file.is_file()]
    return {"start": " ".join(found)} if found else {}


def _devices(processes: Processes) -> str:
    if processes.device.type == "cpu":
        return f"{torch.get_num_threads()} thread(s) each"
    name, unused = torch.cuda.get_device_name(), torch.cuda.device_count()
    unused -= processes.place.local_size
    return name + (f"; {unused} more GPU(s) are not used (compute.gpus)" if unused else "")


def _reporter(
    table: EpochTable, training: Path, settings: TrainingSettings
) -> Callable[[dict[str, float]], None]:
    writer = _tensorboard(training) if settings.tensorboard else None

    def report(row: dict[str, Any]) -> None:
        table.write(row)
        log(
            f"learn: epoch {row['epoch'] + 1}/{settings.epochs}, "
            f"train {row.get('train_loss', float('nan')):.5f}, "
            f"validation {row.get('validation_loss', float('nan')):.5f}, {row['seconds']:.1f} s"
        )
        if writer is not None:
            for name, value in row.items():
                writer.add_scalar(name, value, row["epoch"])
            writer.flush()

    return report


def _tensorboard(training: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError(
            "learn.tensorboard: TensorBoard is not installed; pip install tensorboard"
        ) from None
    return SummaryWriter(training / "tensorboard")


def _examples(held_out: Batches, batches: Batches) -> torch.Tensor:
    """A few images for the parity test, at least two."""
    return torch.cat([held_out.examples(6), batches.examples(2)])
