"""The catalogue of a small survey, in all its forms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories_classes import write_class_bundle, write_survey
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.surveys.catalogue.__main__ import main
from morphosphere.surveys.predict.__main__ import main as predict

COUNT = 150
#: Rows that a partition of HATS may have in the tests.
LIMIT = 40


@dataclass(frozen=True)
class Scene:
    """Where the inputs of a catalogue are, and the catalogue."""

    root: Path

    @property
    def output(self) -> Path:
        """Folder of the catalogue."""
        return self.root / "catalogue"

    def run(self, output: str | Path, *words: object, **settings: Any) -> int:
        """Make the catalogue; `words` come last, so that they may name other inputs."""
        given = ["--images", self.root / "images.h5", "--model", self.root / "model"]
        given += ["--predictions", self.root / "predictions.parquet"]
        given += ["--output", self.root / output, "--settings", json.dumps(settings)]
        return main([str(word) for word in (*given, *words)])


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A field of 150 galaxies, three without a position, placed on the sphere in another order."""
    root = tmp_path_factory.mktemp("survey_catalogue")
    random = np.random.default_rng(3)
    ra, dec = random.uniform(-2, 2, COUNT), random.uniform(-3, 3, COUNT)
    ra[[5, 70]], dec[[9, 70]] = np.nan, np.nan
    names = [f"b{n:05d}" + (" é" if n == 7 else "") for n in range(COUNT)]
    write_survey(
        root / "images.h5",
        COUNT,
        ra=ra,
        dec=dec,
        image_id=names,
        tile=np.arange(COUNT, dtype=np.uint16),
        note=["äö" if n % 2 else "plain" for n in range(COUNT)],
    )
    write_class_bundle(root / "model", bins=24)
    words = ["--images", root / "images.h5", "--model", root / "model"]
    assert predict([*map(str, words), "--output", str(root / "predictions.parquet")]) == 0
    order = random.permutation(COUNT)[: COUNT - 10]
    lat = np.degrees(np.arcsin(random.uniform(-1, 1, COUNT)))
    with CatalogueWriter(root / "placed.parquet") as out:
        place = {"lon": order.astype(np.float64), "lat": lat[order]}
        out.append({"image_id": np.array(names, dtype=object)[order], **place})
    scene = Scene(root)
    columns = ["magnitude", "tile", "note"]
    given = {"hats_rows": LIMIT, "hips_rows": 10, "columns": columns}
    assert scene.run("catalogue", "--placed", root / "placed.parquet", **given) == 0
    return scene
