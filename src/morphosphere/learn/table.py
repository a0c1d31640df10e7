"""The table of epochs: ``metrics.csv`` with a row for each, always written."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from morphosphere.files import write_text


class EpochTable:
    """``metrics.csv`` in the folder of a training; a resumed run replaces what it repeats.

    Columns: ``epoch``, ``seconds``, ``data_seconds`` (of these, waiting for images),
    ``learning_rate``, then what the task measures, as ``train_...`` and ``validation_...``.
    """

    def __init__(self, training: Path) -> None:
        self.path = Path(training) / "metrics.csv"

    def read(self) -> list[dict[str, str]]:
        """All rows."""
        if not self.path.exists():
            return []
        return list(csv.DictReader(io.StringIO(self.path.read_text(encoding="utf-8"))))

    def measures(self, epoch: int) -> dict[str, float]:
        """The measures on validation images of one epoch."""
        for row in self.read():
            if int(row["epoch"]) == epoch:
                return {k: float(v) for k, v in row.items() if k.startswith("validation_")}
        return {}

    def seconds(self) -> float:
        """Seconds of all epochs."""
        return round(sum(float(row["seconds"]) for row in self.read()), 3)

    def write(self, row: dict[str, float]) -> None:
        """Add the row of an epoch, and drop those of its own and later epochs."""
        rows = [r for r in self.read() if int(r["epoch"]) < row["epoch"]]
        names = list(dict.fromkeys(name for r in [*rows, row] for name in r))
        text = io.StringIO()
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows([*rows, row])
        write_text(self.path, text.getvalue())
