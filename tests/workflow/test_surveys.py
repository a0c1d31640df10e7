"""The graph of surveys on a tiny box: what it leaves, what runs again, and when it stops."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from factories_configs import small_mock
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.surveys.graph import CLUSTER_FIGURES, FIGURES

# One worker runs all of these, on one copy of the project.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("workflow"),
]

_RENDER = {
    "size": 32,
    "channels": ["r", "g"],
    "cameras": {"isotropic": 0, "random": 5},
    "field_of_view": 6,
    "field_of_view_unit": "half_light_radius",
}
_LEARN = {
    "transform": {"size": 32},
    "encoder": {"name": "polar", "width": 4},
    "hidden": 16,
    "features": 8,
    "members": 1,
    "masks": 2,
    "epochs": 2,
}
TINY: dict[str, Any] = {
    **small_mock("votes"),
    "mock": {"galaxies": 40, "files": 2, "stars_range": [300, 600]},
    "transfer": {
        "labelled": {"render": {**_RENDER, "observation": {"survey": "SDSS", "redshift": 0.05}}},
        "target": {"render": {**_RENDER, "observation": {"survey": "DES", "redshift": 0.1}}},
        "mock": {"labelled": {"ra": [0, 30]}, "target": {"ra": [10, 50]}},
        "label": {"least_members": 2, "confident": 0.7},
        "split": {"validation": 0.2, "test": 0.3},
        "learn": _LEARN,
        "adapt": {"epochs": 1},
        "curve": [8],
        "recursion": {"rounds": 2, "purity": 0.55, "least_validation": 1, "least_new": 1,
                      "bootstrap": 20},
        "evaluate": {"bootstrap": 20, "dpi": 50},
        "clusters": {"dpi": 50, "perplexity": 5, "iterations": 250, "thumbnails": 9},
    },
}  # fmt: skip
AFTER_MODELS = {"predict_survey", "cluster_survey", "evaluate_survey", "catalogue_survey",
                "survey_page", "survey_summary", "survey"}  # fmt: skip


def _changed(**sections: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(TINY)
    for name, values in sections.items():
        config["transfer"].setdefault(name, {}).update(values)
    return config


@pytest.fixture(scope="module")
def finished(project):
    """A project in which the tiny run has been made."""
    done = project.snakemake("survey", config=TINY)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    said = done.stdout + done.stderr
    assert "The page of the survey is ready: results/votes/survey/site/index.html" in said
    return project


def test_results_are_whole(finished) -> None:
    folder = finished.folder / "results/votes/survey"
    with ImageSet(folder / "labels/target.h5") as images:
        count = len(images)
        assert len(Catalogue(folder / "target.parquet")) == count
    assert len(Catalogue(folder / "catalogue/catalogue.parquet")) == count
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == set(FIGURES) | set(CLUSTER_FIGURES)
    for name in ("site/index.html", "metrics.html", "provenance.html", "model/encoder.onnx"):
        assert (folder / name).is_file(), name


def test_metrics_have_the_keys_that_others_look_for(finished) -> None:
    metrics = json.loads((finished.folder / "results/votes/survey/metrics.json").read_text())
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "ece"):
        assert 0 <= metrics[name] <= 1
        assert name in metrics["confident_half"]
    assert {"before", "after", "kept"} <= set(metrics["recursion"])
    assert set(metrics["learning_curve"]) == {"transferred", "scratch"}
    assert metrics["train_seconds"] > 0


def test_no_object_of_training_is_scored(finished) -> None:
    folder = finished.folder / "results/votes/survey"
    wanted = ["object", "split"]
    labelled = Catalogue(folder / "labelled.parquet").read(wanted)
    target = Catalogue(folder / "target.parquet").read(wanted)
    pairs = [pair for rows in (labelled, target) for pair in zip(*(rows[k] for k in wanted))]
    part = {
        name: {galaxy for galaxy, split in pairs if split == name}
        for name in ("train", "validation", "test")
    }
    assert not part["train"] & part["test"]
    assert not part["validation"] & part["test"]
    assert set(labelled["object"]) & set(target["object"]), "the surveys share galaxies"


def test_rounds_end_with_a_reason(finished) -> None:
    folder = finished.folder / "results/votes/survey"
    rounds = json.loads((folder / "recursion.json").read_text())["rounds"]
    made = [path.parent.name for path in folder.glob("rounds/*/target.parquet")]
    assert sorted(made) == [str(k) for k in range(len(rounds))]
    for path in folder.glob("rounds/*/choice.json"):
        choice = json.loads(path.read_text())
        assert bool(choice["stop"]) == (str(choice["round"]) not in made)


def test_nothing_runs_again_without_a_change(finished) -> None:
    assert finished.planned("survey", config=TINY) == set()


def test_a_change_runs_again_what_it_touches(finished) -> None:
    page = finished.planned("survey", config=_changed(page={"title": "Votes"}))
    assert page == {"survey_page", "survey_summary", "survey"}
    evaluated = finished.planned("survey", config=_changed(evaluate={"bootstrap": 30}))
    assert evaluated == {"evaluate_survey", "survey_page", "survey_summary", "survey"}
    learned = finished.planned("survey", config=_changed(adapt={"learning_rate": 0.001}))
    assert {"learn_round", "learn_curve"} < learned
    assert not learned & {"learn_labelled", "survey_label", "render_survey"}


def test_a_source_that_is_not_there_is_one_clear_error(finished) -> None:
    config = _changed(target={"render": None, "images": {"path": "nowhere"}})
    done = finished.snakemake("survey", "--dry-run", config=config)
    assert done.returncode != 0
    assert "transfer.target.images.path: nowhere does not exist" in done.stdout + done.stderr
