"""Small image sets for the tests of training, and trainings in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from factories_models import blobs
from morphosphere.artefacts.imageset import ImageSetWriter


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def write_images(path: Path, images: np.ndarray) -> Path:
    """Write images (N, C, S, S) as an ImageSet; two views of each galaxy side by side."""
    count = len(images)
    with ImageSetWriter(
        path,
        channels=[f"c{k}" for k in range(images.shape[1])],
        size=images.shape[-1],
        dtype=images.dtype,
    ) as out:
        out.append(
            images,
            {
                "image_id": [f"g{k // 2}_c{k % 2}" for k in range(count)],
                "galaxy_id": [f"g{k // 2}" for k in range(count)],
                "source": ["test"] * count,
                "brightness": images.astype(np.float64).mean((1, 2, 3)),
            },
        )
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """ImageSet of 96 pictures of 8 bits, 17 pixels wide."""
    images = (255 * blobs(96, 3, 17).numpy()).astype(np.uint8)
    return write_images(tmp_path_factory.mktemp("pictures") / "images.h5", images)


@dataclass
class Run:
    """A training of the toy task in processes of its own, which end with the test.

    Attributes
    ----------
    process : Popen
        The only process, or torchrun.
    folder : Path
        Of the model, the training folder and the log.
    """

    process: subprocess.Popen
    folder: Path

    @property
    def log(self) -> str:
        """What was said so far."""
        return (self.folder / "log").read_text()

    @property
    def last(self) -> Path:
        """The last checkpoint."""
        return self.folder / "training" / "checkpoints" / "last.ckpt"

    def wait(self, status: int | None = 0) -> Run:
        """Wait for the end, which is to have this exit status; None: any but 0."""
        found = self.process.wait(timeout=240)
        assert (found == status) if status is not None else found, self.log[-5000:]
        return self

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true while the training runs."""
        while not condition():
            assert self.process.poll() is None, self.log[-5000:]
            time.sleep(0.02)

    def workers(self) -> dict[int, psutil.Process]:
        """The trainer's processes under torchrun, by rank."""
        children = psutil.Process(self.process.pid).children()
        return {int(child.environ()["RANK"]): child for child in children}

    def model(self) -> dict:
        """What the toy task wrote: weights, facts of the training, metrics."""
        return torch.load(self.folder / "model" / "model", weights_only=False)


@contextlib.contextmanager
def starter(pictures: Path, base: Path) -> Iterator[Callable[..., Run]]:
    """Start trainings below `base`: ``start(name, processes, settings, toy)``, again to go on."""
    runs = []

    def begin(
        name: str, processes: int = 1, settings: dict | None = None, options: tuple = (), **toy
    ) -> Run:
        folder = base / name
        folder.mkdir(exist_ok=True)
        tiny = {"transform": {"size": 8}, "batch_size": 14, "average": 0.9, "epochs": 2}
        command = [sys.executable]
        if processes > 1:
            command += ["-m", "torch.distributed.run", "--standalone", "--max-restarts=0"]
            command += [f"--nproc-per-node={processes}"]
        command += [str(Path(__file__).with_name("toy.py")), "--images", str(pictures)]
        command += ["--output", str(folder / "model"), "--training", str(folder / "training")]
        command += ["--settings", json.dumps(tiny | (settings or {})), *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(
                command, stderr=log, stdout=log, env={**environment, "TOY": json.dumps(toy)}
            )
        runs.append(Run(process, folder))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            family = psutil.Process(run.process.pid).children(recursive=True)
            for process in [run.process, *family]:
                process.kill()
            run.process.wait()


@pytest.fixture
def start(pictures: Path, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """`starter` in the folder of the test."""
    with starter(pictures, tmp_path) as begin:
        yield begin
