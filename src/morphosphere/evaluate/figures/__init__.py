"""The figures of the report, one file each, drawn with matplotlib and nothing interactive."""

from __future__ import annotations

from pathlib import Path

from morphosphere.config.evaluate import EvaluateSettings
from morphosphere.evaluate import FIGURES
from morphosphere.evaluate.figures import curves, maps, pictures
from morphosphere.evaluate.figures.style import save
from morphosphere.evaluate.inputs import Inputs
from morphosphere.evaluate.metrics import Results
from morphosphere.progress import progress


def draw_all(
    inputs: Inputs,
    results: Results,
    settings: EvaluateSettings,
    *,
    training: Path,
    folder: Path,
    seed: int,
) -> None:
    """Write every figure of `FIGURES` into `folder`; what cannot be shown says so on the figure."""
    draw = {
        "losses.png": lambda: curves.losses(training),
        "reconstructions.png": lambda: pictures.reconstructions(inputs, results.held_out, seed),
        "sphere.png": lambda: maps.sphere(inputs),
        "density.png": lambda: maps.density(inputs, results.metrics["sphere_entropy"]),
        "properties.png": lambda: maps.properties(inputs, results),
        "knn.png": lambda: curves.knn(results.metrics["knn_r2"]),
        "rotation.png": lambda: curves.rotation(results.angles),
        "neighbours.png": lambda: pictures.neighbours(inputs, results.held_out, seed),
        "outliers.png": lambda: pictures.outliers(inputs),
    }
    with progress("draw figures", len(FIGURES)) as advance:
        for name in FIGURES:
            save(draw[name](), folder / name, settings.dpi)
            advance(1)
