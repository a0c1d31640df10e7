"""The table of epochs: ``metrics.csv`` with a row for each, always written."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import lightning

from morphosphere.files import write_text
from morphosphere.progress import log


class EpochTable(lightning.Callback):
    """Write a row of ``metrics.csv`` after each epoch; a resumed run replaces what it repeats.

    Columns: ``epoch``, ``seconds``, ``learning_rate``, then what the task measures, as
    ``train_...`` and ``validation_...``.
    """

    def __init__(self, training: Path) -> None:
        self.path = training / "metrics.csv"

    @staticmethod
    def read(training: Path) -> list[dict[str, str]]:
        """All rows."""
        path = Path(training) / "metrics.csv"
        if not path.exists():
            return []
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))

    @classmethod
    def row_of(cls, training: Path, epoch: int) -> dict[str, float]:
        """The measures on validation images of one epoch."""
        for row in cls.read(training):
            if int(row["epoch"]) == epoch:
                return {k: float(v) for k, v in row.items() if k.startswith("validation_")}
        return {}

    def on_train_epoch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if not trainer.is_global_zero:
            return
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {
            "epoch": trainer.current_epoch,
            "seconds": round(time.monotonic() - self._started, 3),
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            **dict(sorted(measured.items())),
        }
        rows = [r for r in self.read(self.path.parent) if int(r["epoch"]) < trainer.current_epoch]
        names = list(dict.fromkeys(name for r in [*rows, row] for name in r))
        text = io.StringIO()
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows([*rows, row])
        write_text(self.path, text.getvalue())
        log(
            f"learn: epoch {row['epoch'] + 1}/{trainer.max_epochs}, "
            f"train {measured.get('train_loss', float('nan')):.5f}, "
            f"validation {measured.get('validation_loss', float('nan')):.5f}, "
            f"{row['seconds']:.1f} s"
        )
