"""Labelled images and what models say of them, drawn without any model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.files import write_json
from morphosphere.surveys.choose.__main__ import main as choose
from morphosphere.surveys.settle.__main__ import main as settle

CLASSES = ("smooth", "featured")


class Survey:
    """A survey of which some galaxies have labels, and models of any quality.

    Attributes
    ----------
    truth : ndarray of int, shape (N,)
    split : ndarray of str, shape (N,)
    human : ndarray of bool, shape (N,)
        Whether people gave a label, which is the truth.
    """

    def __init__(self, folder: Path, count: int = 1200, labelled: float = 0.3) -> None:
        random = np.random.default_rng(5)
        self.folder = folder
        self.ids = np.array([f"B_{k}" for k in range(count)], dtype=object)
        self.truth = (random.random(count) < 0.7).astype(int)
        shares = random.random(count)
        self.split = np.select([shares < 0.3, shares < 0.5], ["test", "validation"], "train")
        self.human = random.random(count) < labelled
        self.outlier = random.random(count) < 0.05
        self.noise = random.normal(size=count)
        self.write_target()

    def columns(self) -> dict[str, np.ndarray]:
        """Columns of labels as surveys.label writes them."""
        return {
            "image_id": self.ids,
            "galaxy_id": self.ids,
            "source": np.full(len(self.ids), "B", dtype=object),
            "object": self.ids,
            "label": np.where(self.human, self.truth, np.nan),
            "label_weight": np.ones(len(self.ids), np.float32),
            "confident_label": np.where(self.human, 1, np.nan).astype(np.float32),
            "label_origin": np.where(self.human, "match", "").astype(object),
        }

    def write_target(self) -> None:
        """Write target.h5."""
        with ImageSetWriter(
            self.folder / "target.h5",
            channels=["r"],
            size=2,
            attributes={"classes": list(CLASSES)},
        ) as out:
            out.append(np.zeros((len(self.ids), 1, 2, 2), np.float32), self.columns())

    def predict(self, name: str, skill: float, rows: slice = slice(None), **changes: Any) -> Path:
        """Calibrated probabilities of a model of some skill: the greater, the surer and better."""
        sign = 2 * self.truth - 1
        logit = skill * (sign * skill + self.noise) * 2
        chance = 1 / (1 + np.exp(-logit))
        probability = np.stack([1 - chance, chance], axis=1)
        predicted = probability.argmax(axis=1)
        columns = self.columns() | {
            "p_smooth": probability[:, 0].astype(np.float32),
            "p_featured": probability[:, 1].astype(np.float32),
            "predicted": np.array(CLASSES, dtype=object)[predicted],
            "confidence": probability.max(axis=1).astype(np.float32),
            "domain_outlier": self.outlier,
            "split": self.split.astype(object),
        }
        columns |= changes
        path = self.folder / f"{name}.parquet"
        with CatalogueWriter(path) as out:
            out.append({k: v[rows] for k, v in columns.items() if v is not None})
        return path

    def model(self, name: str, classes: tuple[str, ...] = CLASSES) -> Path:
        """A folder in place of a model."""
        folder = self.folder / name
        write_json(folder / "model.json", {"task": "classes", "classes": list(classes)})
        (folder / "encoder.onnx").write_text(name)
        return folder

    def choose(
        self,
        predictions: Path,
        previous: Path | None = None,
        target: Path | None = None,
        record: Path | None = None,
        **given: Any,
    ) -> int:
        """Run surveys.choose; its exit status."""
        target = target or self.folder / "target.h5"
        words = ["--target", target, "--predictions", predictions]
        words += ["--previous", previous or "none", "--settings", json.dumps(given)]
        words += ["--output", self.folder / "new.h5", "--choice", self.folder / "choice.json"]
        words += ["--provenance", record] if record else []
        return choose([str(word) for word in words])

    def settle(
        self,
        predictions: list[Path],
        choices: list[Path],
        record: Path | None = None,
        **given: Any,
    ) -> int:
        """Run surveys.settle with a model for each of the predictions; its exit status."""
        models = [self.model(f"model_{k}") for k in range(len(predictions))]
        words = ["--predictions", *predictions, "--models", *models, "--choices", *choices]
        words += ["--settings", json.dumps(given), "--output", self.folder / "survey"]
        words += ["--provenance", record] if record else []
        return settle([str(word) for word in words])

    def choice(self) -> dict[str, Any]:
        """The choice that was made."""
        return json.loads((self.folder / "choice.json").read_text())

    def new_table(self) -> dict[str, np.ndarray]:
        """The table that was written."""
        with ImageSet(self.folder / "new.h5") as images:
            return images.table()

    def recursion(self) -> dict[str, Any]:
        """The contents of recursion.json."""
        return json.loads((self.folder / "survey" / "recursion.json").read_text())

    def write_choice(self, number: int, **facts: Any) -> Path:
        """A choice that surveys.choose could have written."""
        path = self.folder / f"choice_{number}.json"
        counts = dict.fromkeys(CLASSES, 40 + number)
        found = {"round": number, "counts": counts, "new": 80, "changed": 1.0, "stop": None}
        write_json(path, found | {"chosen": {name: [] for name in CLASSES}} | facts)
        return path


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return Survey(tmp_path)
