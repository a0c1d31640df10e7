"""The checkpoint of a training that goes on: one file, which always stands for one moment.

It holds all that the rest of the run depends on, the best weights so far among it, so that a run
that was stopped at any moment ends with the same weights as one that was not.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from morphosphere.config.training import TrainingSettings
from morphosphere.files import atomic_path, read_json, write_json
from morphosphere.progress import log

#: Changes with what a checkpoint holds; one of another version is not used.
VERSION = 2
#: Settings that do not change the result, and so do not end a run either.
FREE = frozenset({"workers", "threads", "tensorboard", "compile", "checkpoint_minutes"})


class Checkpoints:
    """Checkpoints in the folder of a training, for the process that writes.

    Parameters
    ----------
    training : Path
    """

    def __init__(self, training: Path) -> None:
        self.training = training
        self.folder = training / "checkpoints"
        self.last = self.folder / "last.ckpt"

    def begin(self, *, settings: TrainingSettings, seed: int, facts: dict[str, Any]) -> None:
        """Keep what is there only if it was made with the same settings, seed and images."""
        state = {
            "version": VERSION,
            "settings": settings.model_dump(mode="json", exclude=set(FREE)),
            "seed": seed,
            **facts,
        }
        state = json.loads(json.dumps(state))
        record = self.training / "state.json"
        if self.folder.exists():
            if record.exists() and read_json(record) == state:
                for rest in self.folder.glob(".*.partial*"):  # of a write that was killed
                    rest.unlink()
                log(f"learn: going on from {self.folder}")
                return
            log(f"learn: settings or images changed; training starts over in {self.training}")
            shutil.rmtree(self.folder)
        (self.training / "metrics.csv").unlink(missing_ok=True)
        write_json(record, state)

    def read(self) -> dict[str, Any] | None:
        """The last checkpoint, if there is one that can be read."""
        if not self.last.exists():
            return None
        try:
            return torch.load(self.last, map_location="cpu", weights_only=True)
        except Exception:
            log(f"learn: {self.last} cannot be read; training starts over")
            return None

    def write(self, state: dict[str, Any]) -> None:
        """Replace the last checkpoint."""
        with atomic_path(self.last) as path:
            torch.save(state, path)
