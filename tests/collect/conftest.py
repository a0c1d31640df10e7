"""Survey folders made in a moment."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories_images import draw_galaxies, galaxy_parameters
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.collect.survey import collect
from morphosphere.config.base import check
from morphosphere.config.collect import SurveySettings


@dataclass(frozen=True)
class Result:
    """What collect wrote, read back."""

    images: np.ndarray
    table: dict[str, np.ndarray]
    channels: tuple[str, ...]
    attributes: dict[str, Any]
    rejects: list[dict[str, str]]

    @property
    def ids(self) -> list[str]:
        """The ids without the survey's name."""
        return [name.removeprefix("test_") for name in self.table["image_id"]]

    @property
    def reasons(self) -> dict[str, str]:
        """Reason of each reject, by id."""
        return {row["id"]: row["reason"] for row in self.rejects}


def rejects_of(folder: Path) -> list[dict[str, str]]:
    """Rows of rejects.csv."""
    with open(folder / "rejects.csv", newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Collect a survey with some settings and read what was written."""

    def run(path: Path, *, workers: int = 1, **settings: Any) -> Result:
        output = tmp_path / "collected"
        value = {"path": str(path), "size": 16, **settings}
        collect("test", check(SurveySettings, value, source="test"), output, workers=workers)
        with ImageSet(output / "images.h5") as images:
            return Result(
                images.read(0, len(images)),
                images.table(),
                images.channels,
                images.attributes,
                rejects_of(output),
            )

    return run


@pytest.fixture(scope="session")
def galaxies() -> np.ndarray:
    """Pictures of twelve galaxies, shape (12, 40, 40, 3), uint8."""
    fluxes = draw_galaxies(galaxy_parameters(12, seed=3), size=40, channels=3)
    return np.clip(60 * np.arcsinh(3 * fluxes) + 10, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
