"""Peak memory of the catalogue of a survey with a million rows, against that with a tenth of them.

Each form is made alone, since the one that takes most would hide the others.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.peak import peak_of
from benchmarks.result import Result
from benchmarks.survey_predict import CHANNELS, CLASSES, write_untrained
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.progress import log
from morphosphere.surveys.facts import model_version

ROWS, MORE = 100_000, 10
#: HATS keeps a few numbers of each row.
GOALS = {"fits": 1.1, "votable": 1.1, "hats": 1.4, "hips": 1.1}
_BATCH = 10_000


def run() -> Iterator[Result]:
    """Parquet is part of each."""
    peaks: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_untrained(folder / "model")
        for count in (ROWS, ROWS * MORE):
            _inputs(folder, count)
            for form in GOALS:
                peaks.setdefault(form, []).append(_peak(folder, form, count))
    for form, (small, large) in peaks.items():
        each = max(0.0, large - small) * 2**20 / (ROWS * (MORE - 1))
        note = f"{MORE} times {ROWS} rows; {each:.0f} bytes for each"
        yield Result(f"survey_catalogue-{form}", large, small, GOALS[form], False, "MiB", note)


def _peak(folder: Path, form: str, count: int) -> float:
    settings = {"formats": [form] if form != "hips" else [], "hips": form == "hips"}
    words = ["--settings", json.dumps(settings), "--images", folder / "images.h5"]
    words += ["--predictions", folder / "predictions.parquet", "--model", folder / "model"]
    words += ["--output", folder / f"catalogue_{form}_{count}"]
    start = time.perf_counter()
    peak = peak_of([sys.executable, "-m", "morphosphere.surveys.catalogue", *words])
    taken = time.perf_counter() - start
    log(f"benchmark survey_catalogue: {form}, {count} rows: {peak:.0f} MiB, {taken:.1f} s")
    return peak


def _inputs(folder: Path, count: int) -> None:
    """Predictions of `count` galaxies all over the sky, and an ImageSet of tiny images of them."""
    random = np.random.default_rng(0)
    version = model_version(folder / "model")
    names = np.array(CLASSES, dtype=object)
    with (
        ImageSetWriter(folder / "images.h5", channels=CHANNELS, size=1) as images,
        CatalogueWriter(folder / "predictions.parquet") as predictions,
    ):
        for start in range(0, count, _BATCH):
            ids = [f"target-{number:09d}" for number in range(start, start + _BATCH)]
            table = {
                "image_id": ids,
                "galaxy_id": ids,
                "source": ["target"] * _BATCH,
                "ra": random.uniform(0, 360, _BATCH),
                "dec": np.degrees(np.arcsin(random.uniform(-1, 1, _BATCH))),
                "label": np.where(random.uniform(size=_BATCH) < 0.1, 1.0, np.nan),
                "label_origin": [""] * _BATCH,
            }
            images.append(np.zeros((_BATCH, len(CHANNELS), 1, 1), np.uint8), table)
            chance = random.uniform(size=_BATCH).astype(np.float32)
            columns = {
                "image_id": np.array(ids, dtype=object),
                f"p_{CLASSES[0]}": chance,
                f"p_{CLASSES[1]}": 1 - chance,
                f"p_{CLASSES[0]}_std": chance / 10,
                f"p_{CLASSES[1]}_std": chance / 10,
                "predicted": names[(chance < 0.5).astype(int)],
                "confidence": np.maximum(chance, 1 - chance),
                "spread": chance / 10,
                "domain_distance": 1 + chance,
                "domain_outlier": chance > 0.99,
                "split": np.full(_BATCH, "train", dtype=object),
                "model_version": np.full(_BATCH, version, dtype=object),
            }
            predictions.append(columns)
