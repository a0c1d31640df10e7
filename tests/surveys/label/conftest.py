"""Two small surveys of tiny pictures, whose tables the tests decide on."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.surveys.label.__main__ import main


def write_survey(
    path: Path,
    name: str,
    *,
    channels: tuple[str, ...] = ("r", "g"),
    dtype: str = "float32",
    **columns: Any,
) -> Path:
    """An ImageSet of survey `name` with these columns; pixel values are row numbers."""
    count = len(next(iter(columns.values())))
    ids = [f"{name}_{k}" for k in range(count)]
    table = {"image_id": ids, "galaxy_id": ids, "source": [name] * count} | columns
    images = np.broadcast_to(
        np.arange(count, dtype=dtype)[:, None, None, None], (count, len(channels), 4, 4)
    )
    with ImageSetWriter(path, channels=channels, size=4, dtype=dtype) as out:
        out.append(images, table)
    return path


class Surveys:
    """Two surveys on disk, and the stage run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "labels"

    def labelled(self, **columns: Any) -> None:
        """Write survey A."""
        write_survey(self.folder / "a.h5", "A", **columns)

    def target(self, **columns: Any) -> None:
        """Write survey B."""
        write_survey(self.folder / "b.h5", "B", **columns)

    def run(self, settings: dict[str, Any]) -> int:
        """Run the stage; its exit status."""
        given = {
            "labelled": self.folder / "a.h5",
            "target": self.folder / "b.h5",
            "output": self.output,
            "settings": json.dumps(settings),
        }
        return main([word for name, value in given.items() for word in (f"--{name}", str(value))])

    def table(self, name: str) -> dict[str, np.ndarray]:
        """The table of labelled.h5 or target.h5."""
        with ImageSet(self.output / f"{name}.h5") as images:
            return images.table()

    def lines(self, name: str) -> list[dict[str, str]]:
        """Lines of matches.csv or rejects.csv."""
        with open(self.output / f"{name}.csv", newline="") as handle:
            return list(csv.DictReader(handle))

    def report(self) -> dict[str, Any]:
        """The contents of report.json."""
        return json.loads((self.output / "report.json").read_text())


@pytest.fixture
def surveys(tmp_path: Path) -> Surveys:
    return Surveys(tmp_path)


@pytest.fixture
def by_type() -> dict[str, Any]:
    """Two classes by a column T, and no match."""
    return {
        "classes": {"early": {"where": "T <= -4"}, "late": {"where": "1 <= T <= 7"}},
        "overlap": False,
    }
