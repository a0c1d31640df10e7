"""A program that trains a tiny task instead of the real one: the trainer alone, without export.

It takes the arguments of ``python -m morphosphere.learn``. The environment variable ``TOY`` holds
JSON: ``norm`` (a batch norm, whose statistics differ between processes), ``noise`` (something drawn
at random in each step), ``seconds`` (that a step takes), ``validation_seconds``, ``seen`` (a folder
where each process notes the rows of its steps).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from morphosphere.learn import training
from morphosphere.learn.__main__ import main
from morphosphere.learn.task import Task

OPTIONS = json.loads(os.environ.get("TOY", "{}"))


class Toy(Task):
    """Tell an image's brightness; the loss is a mean over images."""

    @staticmethod
    def columns_of(settings):
        return ("brightness",)

    def __init__(self, settings, transform, *, seed=0):
        super().__init__(settings, transform, seed=seed)
        inputs = len(transform.channels) * transform.size**2
        norm = nn.BatchNorm1d(8) if OPTIONS.get("norm") else nn.Tanh()
        self.networks = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 8), norm, nn.Linear(8, 1))

    def losses(self, batch):
        time.sleep(OPTIONS.get("seconds", 0))
        if "seen" in OPTIONS:
            line = " ".join(map(str, [self.current_epoch, *batch["row"].tolist()]))
            with open(Path(OPTIONS["seen"]) / os.environ.get("RANK", "0"), "a") as handle:
                print(line, file=handle)
        images = batch["images"]
        if OPTIONS.get("noise"):
            images = images + torch.rand_like(images)
        return {"loss": self._error(images, batch)}

    def measures(self, batch):
        time.sleep(OPTIONS.get("validation_seconds", 0))
        error = self._error(batch["images"], batch)
        return {"loss": error, "brightness": batch["brightness"].mean()}

    def _error(self, images, batch):
        wanted = batch["brightness"][:, None].to(images.dtype) / 100
        return (self.networks(images).float() - wanted).square().mean()

    def export(self, path, *, examples, training, metrics):
        weights = self.state_dict()
        path.mkdir(exist_ok=True)
        facts = {"training": training, "metrics": metrics}
        torch.save({"weights": weights, **facts}, path / "model")
        return SimpleNamespace(path=path, info=facts)


if __name__ == "__main__":
    training.TASKS["sphere"] = "__main__:Toy"
    sys.exit(main())
