"""Stamps of galaxies of the whole prior, and a model that measures moments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from factories_sersic_stamps import (
    galaxy_values,
    light_of,
    observed,
    write_sersic_stub,
    write_stamps,
)

COUNT = 40


@dataclass(frozen=True)
class Scene:
    """Where the inputs are, and what was drawn."""

    root: Path
    truth: list[dict[str, float]]

    @property
    def images(self) -> Path:
        """The ImageSet."""
        return self.root / "images.h5"

    @property
    def model(self) -> Path:
        """The ModelBundle."""
        return self.root / "model"


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Galaxies in stamps of 96 to 190 pixels; the last five have a fault each."""
    root = tmp_path_factory.mktemp("sersic_predict")
    random = np.random.default_rng(1)
    truth = [galaxy_values(random, magnitude=random.uniform(18, 22)) for _ in range(COUNT)]
    truth[-5:] = [{**values, "magnitude": 20.0, "radius": 0.4} for values in truth[-5:]]
    images = [observed(light_of(v, int(2 * random.integers(48, 96))), random) for v in truth]
    images[-5] = np.zeros_like(images[-5])
    images[-4][:, : len(images[-4]) // 2] = np.nan
    images[-3] = np.minimum(images[-3], np.sort(images[-3].ravel())[-20])
    other = {**truth[-2], "x_offset": 25.0, "y_offset": -30.0}
    images[-2] += light_of(other, len(images[-2]))
    truth[-1] = {**truth[-1], "x_offset": 40.0}
    images[-1] = observed(light_of(truth[-1], 128), random)
    write_stamps(root / "images.h5", images, truth)
    write_sersic_stub(root / "model")
    return Scene(root, truth)
