"""What a map of real pictures is worth, against the goals set for it.

Reads ``results/survey_images/metrics.json``, which the example for survey pictures makes; without
that run there is nothing to measure, and it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from morphosphere.files import read_json
from morphosphere.progress import log

METRICS = Path("results/survey_images/metrics.json")


def run() -> Iterator[Result]:
    """Held-out galaxies: rotation scatter, evenness, reconstruction, Hubble type of neighbours."""
    if not METRICS.exists():
        log(f"benchmark quality: no {METRICS}; run config/examples/survey_images.yaml first")
        return
    metrics = read_json(METRICS)
    scatter = metrics["rotation_scatter_deg"]
    loss = metrics["reconstruction"]
    yield Result("quality-rotation-median", scatter["median"], 1.0, 1.0, False, "deg", "goal 1 deg")
    yield Result("quality-rotation-p90", scatter["p90"], 2.5, 1.0, False, "deg", "goal 2.5 deg")
    yield Result("quality-entropy", metrics["sphere_entropy"], 0.9, 1.0, True, "", "goal 0.90")
    yield Result("quality-l1", loss["l1"], loss["pca8_l1"], 1.0, False, "", "PCA with 8 numbers")
    hubble_type = metrics["knn_r2"]["sphere"].get("T")
    if hubble_type is not None:
        yield Result("quality-hubble-type", hubble_type, 0.6, 1.0, True, "", "k-NN R2, goal 0.6")
