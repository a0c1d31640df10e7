"""The graph of structural parameters on few galaxies: what it leaves, and what runs again."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.sersic.graph import FIGURES

# One worker runs all of these, on one copy of the project.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("workflow"),
]

TINY: dict[str, Any] = {
    "run": "shapes",
    "sersic": {
        "simulate": {"number": 200, "shards": 2, "size": 64, "stamp_size": [48, 80],
                     "radius": [0.2, 0.8], "psf": {"number": 2}},
        "learn": {"encoder": {"rings": 10, "harmonics": [0, 2]}, "hidden": 32, "blocks": 1,
                  "epochs": 3, "first_epochs": 1},
        "bound": {"limit": 6},
        "fit": {"tools": ["galsim"], "limit": 2, "evaluations": 8},
        "evaluate": {"bootstrap": 20, "dpi": 50},
    },
}  # fmt: skip
RESULTS = {"psf.h5", "images.h5", "noiseless.h5", "predictions.parquet", "bound.parquet",
           "fits.parquet", "metrics.json", "metrics.html", "provenance.html"}  # fmt: skip


def _changed(**sections: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(TINY)
    for name, values in sections.items():
        config["sersic"].setdefault(name, {}).update(values)
    return config


@pytest.fixture(scope="module")
def finished(project):
    """A project in which the tiny run has been made."""
    done = project.snakemake("sersic", config=TINY)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return project


def test_results_are_whole(finished) -> None:
    folder = finished.folder / "results" / "shapes" / "sersic"
    assert {path.name for path in folder.iterdir()} >= RESULTS
    for kind in ("images", "noiseless"):
        with ImageSet(folder / f"{kind}.h5") as images:
            assert (len(images), images.size) == (200, 64)
    predictions = Catalogue(folder / "predictions.parquet")
    assert len(predictions) == 200
    assert {"radius_median", "axis_ratio_low68", "flags", "sound"} <= set(predictions.columns)
    assert sorted(path.stem for path in (folder / "figures").glob("*.png")) == sorted(FIGURES)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["r2"]) == {"magnitude", "log_radius", "axis_ratio", "log_index"}
    assert metrics["fitter"]["name"] == "galsim"
    catalogue = {path.name for path in (folder / "catalogue").iterdir()}
    assert catalogue >= {"catalogue.parquet", "catalogue.fits", "catalogue.vot"}


def test_nothing_runs_again_without_a_change(finished) -> None:
    assert finished.planned("sersic", config=TINY) == set()


def test_a_change_runs_again_what_it_touches(finished) -> None:
    last = {"evaluate_sersic", "sersic_summary", "sersic"}
    evaluated = finished.planned("sersic", config=_changed(evaluate={"dpi": 60}))
    assert evaluated == last
    fitted = finished.planned("sersic", config=_changed(fit={"limit": 3}))
    assert fitted == last | {"fit_sersic"}
    learned = finished.planned("sersic", config=_changed(learn={"learning_rate": 0.002}))
    assert learned == last | {"learn_sersic", "predict_sersic", "catalogue_sersic"}
    drawn = finished.planned("sersic", config=_changed(simulate={"magnitude": [19, 22]}))
    assert {"sersic_simulate", "join_sersic", "bound_sersic", "fit_sersic"} < drawn


def test_what_is_not_there_is_told_before_anything_runs(finished) -> None:
    config = _changed(simulate={"table": "nowhere.csv"})
    done = finished.snakemake("sersic", "--dry-run", config=config)
    assert done.returncode != 0
    assert "sersic.simulate.table: nowhere.csv does not exist" in done.stdout + done.stderr
