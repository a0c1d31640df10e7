"""The graph of mergers on few and small encounters: what it leaves, and what runs again."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.mergers.evaluate import FIGURES

# One worker runs all of these, on one copy of the project.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("workflow"),
]

TINY: dict[str, Any] = {
    "run": "collisions",
    "mergers": {
        "encounters": {"number": 60, "shards": 2, "moments": 2, "stars": 300, "singles": 0.2},
        "render": {
            "size": 32,
            "channels": ["stellar_mass"],
            "cameras": {"isotropic": 0, "random": 1},
            "field_of_view": 120,
            "field_of_view_unit": "kpc",
        },
        "learn": {
            "transform": {"size": 32, "scale": "image", "stretch": "asinh", "softening": 0.02},
            "encoder": {"width": 4},
            "decoder": {"width": 4},
            "latent": 4,
            "bins": 16,
            "epochs": 1,
            "batch_size": 16,
            "augment": {"observed": 0.5},
        },
        "evaluate": {"nbody_particles": 400, "nbody_steps": 1, "bootstrap": 10, "dpi": 50},
    },
}
AFTER_MODEL = {"predict_mergers", "evaluate_mergers", "merger_page", "merger_summary", "mergers"}


def _changed(**sections: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(TINY)
    for name, values in sections.items():
        config["mergers"].setdefault(name, {}).update(values)
    return config


@pytest.fixture(scope="module")
def finished(project):
    """A project in which the tiny run has been made."""
    done = project.snakemake("mergers", config=TINY)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    said = done.stdout + done.stderr
    assert "The page of mergers is ready: results/collisions/mergers/site/index.html" in said
    return project


def test_results_are_whole(finished) -> None:
    folder = finished.folder / "results/collisions/mergers"
    with ImageSet(folder / "images.h5") as images:
        assert len(images) == (60 + 12) * 2
        assert images.attributes["channels"][0] == "stellar_mass"
        assert len(Catalogue(folder / "predictions.parquet")) == len(images)
    assert {path.stem for path in (folder / "figures").iterdir()} == set(FIGURES)
    for name in ("site/index.html", "metrics.html", "provenance.html", "model/encoder.onnx"):
        assert (folder / name).is_file(), name


def test_metrics_have_the_keys_that_others_look_for(finished) -> None:
    metrics = json.loads((finished.folder / "results/collisions/mergers/metrics.json").read_text())
    for place in (metrics, metrics["leaky_split"]):
        assert place["time_error_myr"]["median"] > 0
        assert place["mass_ratio_error_dex"]["median"] > 0
        assert {"68", "95"} <= set(place["coverage"])
    assert metrics["speedup_over_nbody"] > 0
    assert metrics["real"] == {}
    assert metrics["leaky_split"]["split_by"] == "galaxy_id"


def test_the_two_networks_are_split_in_two_ways(finished) -> None:
    folder = finished.folder / "results/collisions/mergers"
    settings = [
        json.loads((folder / name / "model.json").read_text())["settings"]
        for name in ("model", "leaky/model")
    ]
    assert [one.pop("split_by") for one in settings] == ["encounter_id", "galaxy_id"]
    assert settings[0] == settings[1]


def test_nothing_runs_again_without_a_change(finished) -> None:
    assert finished.planned("mergers", config=TINY) == set()


def test_a_change_runs_again_what_it_touches(finished) -> None:
    page = finished.planned("mergers", config=_changed(page={"title": "Collisions"}))
    assert page == {"merger_page", "merger_summary", "mergers"}
    evaluated = finished.planned("mergers", config=_changed(evaluate={"bootstrap": 20}))
    assert evaluated == AFTER_MODEL - {"predict_mergers"}
    learned = finished.planned("mergers", config=_changed(learn={"learning_rate": 0.001}))
    assert learned == AFTER_MODEL | {"learn_mergers", "learn_leaky"}
    everything = finished.planned("mergers", config=_changed(encounters={"friction": 0.5}))
    assert {"encounters", "render_encounters", "join_encounters"} < everything


def test_a_source_that_is_not_there_is_one_clear_error(finished) -> None:
    config = _changed(runs={"lost": {"path": "nowhere", "table": "encounter.csv"}})
    done = finished.snakemake("mergers", "--dry-run", config=config)
    assert done.returncode != 0
    assert "mergers.runs.lost.path: nowhere does not exist" in done.stdout + done.stderr
