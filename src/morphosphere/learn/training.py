"""Training: from an ImageSet and settings to a ModelBundle, on one device or many.

Plain ``python -m morphosphere.learn`` uses one process; under torchrun there is one process per
device and gradients are shared. A run that was stopped goes on from its last whole epoch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, WeightAveraging
from lightning.pytorch.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from torch import Tensor

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import all_origins
from morphosphere.config.learn import LearnSettings
from morphosphere.errors import ConfigError
from morphosphere.files import digest, read_json, write_json
from morphosphere.learn.data import Batches, Place, build_transform, loader, open_splits
from morphosphere.learn.sphere import SphereTask
from morphosphere.learn.table import EpochTable
from morphosphere.learn.task import Task
from morphosphere.progress import log

#: Tasks by the name they have in the configuration.
TASKS: dict[str, type[Task]] = {"sphere": SphereTask}


def train(
    images: str | Path,
    *,
    output: str | Path,
    training: str | Path,
    settings: LearnSettings,
    seed: int = 42,
    world_size: int | None = None,
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
    settings : LearnSettings
    seed : int
    world_size : int, optional
        Number of processes that were promised.

    Returns
    -------
    ModelBundle or None
        None on all processes but the first.

    Raises
    ------
    ConfigError
        If the number of processes is not the promised one.
    InputError
        If the ImageSet cannot be used.
    TrainingError
        If the loss is not finite.
    """
    place = _place(world_size)
    training = Path(training)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    with ImageSet(images) as opened:
        transform = build_transform(settings.transform, opened)
        facts = {"images": len(opened), "digest": images_digest(opened)}
        sources = all_origins(opened)
    kind = TASKS[settings.task]
    batches, held_out = open_splits(
        images, transform, settings, seed=seed, place=place, columns=kind.columns
    )
    if place.rank == 0:
        _start_over_if_changed(training, settings=settings, seed=seed, facts=facts)
    with warnings.catch_warnings():
        _quiet_lightning()
        lightning.seed_everything(seed, workers=False, verbose=False)
        task = kind(settings, transform, seed=seed)
        if settings.compile:
            for network in task.networks.children():
                network.compile()
        trainer = _trainer(training, settings, task, place)
        last, next_epoch = _last_checkpoint(training)
        trainer.fit(
            task,
            loader(batches, settings.workers, epoch=next_epoch),
            loader(held_out),
            ckpt_path=last,
        )
        if not trainer.is_global_zero:
            return None
        best = trainer.checkpoint_callback.best_model_path
        stored = torch.load(best, map_location="cpu", weights_only=True)
    task = kind(settings, transform, seed=seed)
    task.load_state_dict(stored["state_dict"])
    facts |= {
        "seed": seed,
        "sources": sources,
        "train_images": len(batches.rows),
        "epochs": trainer.current_epoch,
        "best_epoch": stored["epoch"],
        "processes": place.size,
    }
    bundle = task.export(
        Path(output),
        examples=_examples(held_out, batches),
        training=facts,
        metrics=EpochTable.row_of(training, stored["epoch"]),
    )
    log(f"learn: best epoch {stored['epoch']}, model in {output}")
    return bundle


def _place(promised: int | None) -> Place:
    """This process among those that torchrun started."""
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if promised is not None and promised != size:
        raise ConfigError(
            f"--world-size {promised}, but {size} process(es) were started; check the launcher "
            "(torchrun --nproc-per-node, --nnodes)"
        )
    return Place(rank, size)


def images_digest(images: ImageSet) -> str:
    """Digest of an ImageSet's file, and of the files that it joins."""
    total = digest(images.path)
    if images.images.is_virtual:
        parts = sorted({part.file_name for part in images.images.virtual_sources()})
        joined = [total, *(digest(images.path.parent / part) for part in parts)]
        total = "sha256:" + hashlib.sha256("\n".join(joined).encode()).hexdigest()
    return total


def _start_over_if_changed(
    training: Path, *, settings: LearnSettings, seed: int, facts: dict[str, Any]
) -> None:
    """Keep checkpoints only if they were made with the same settings, seed and images."""
    # What does not change the result does not end a run either.
    free = {"workers", "threads", "tensorboard", "compile"}
    state = {"settings": settings.model_dump(mode="json", exclude=free), "seed": seed, **facts}
    state = json.loads(json.dumps(state))
    record, checkpoints = training / "state.json", training / "checkpoints"
    if checkpoints.exists():
        if record.exists() and read_json(record) == state:
            log(f"learn: going on from {checkpoints}")
            return
        log(f"learn: settings or images changed; training starts over in {training}")
        shutil.rmtree(checkpoints)
    (training / "metrics.csv").unlink(missing_ok=True)
    write_json(record, state)


def _last_checkpoint(training: Path) -> tuple[str | None, int]:
    """The last checkpoint, if there is one that can be read, and the epoch that follows it."""
    last = training / "checkpoints" / "last.ckpt"
    if not last.exists():
        return None, 0
    try:
        return str(last), torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    except Exception:
        log(f"learn: {last} cannot be read; training starts over")
        return None, 0


def _trainer(
    training: Path, settings: LearnSettings, task: Task, place: Place
) -> lightning.Trainer:
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    loggers = []
    if settings.tensorboard:
        from lightning.pytorch.loggers import TensorBoardLogger

        loggers.append(TensorBoardLogger(training, name="tensorboard", version=""))
    callbacks: list[lightning.Callback] = [
        EpochTable(training),
        EarlyStopping(task.monitor, patience=settings.patience, check_finite=False),
        ModelCheckpoint(
            training / "checkpoints",
            filename="best",
            monitor=task.monitor,
            save_last=True,
            save_on_train_epoch_end=True,  # the epoch is counted by then, and not repeated
            enable_version_counter=False,
        ),
    ]
    if settings.average:
        callbacks.insert(0, WeightAveraging(avg_fn=_moving_average(settings.average)))
    return lightning.Trainer(
        accelerator="auto",
        devices=local,
        num_nodes=place.size // local,
        strategy="ddp" if place.size > 1 else "auto",
        plugins=[TorchElasticEnvironment() if place.size > 1 else LightningEnvironment()],
        precision=settings.precision,
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.clip,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=loggers,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=training,
    )


def _moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Exponential moving average that forgets where it started: shorter in the first steps."""

    def average(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
        if not averaged.is_floating_point():
            return current
        keep = min(decay, (1 + float(count)) / (10 + float(count)))
        return torch.lerp(current, averaged, keep)

    return average


def _quiet_lightning() -> None:
    """Silence advice that does not apply to small runs."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for text in (
        ".*does not have many workers.*",
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*smaller than the logging interval.*",
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning with torch >= 2.9
    ):
        warnings.filterwarnings("ignore", text)


def _examples(held_out: Batches, batches: Batches) -> torch.Tensor:
    """A few images for the parity test, at least two."""
    return torch.cat([held_out[0, 0]["images"], batches[0, 0]["images"][:2]])[:8]
