"""The stage: what it finds on drawn galaxies, what it writes, and inputs that cannot be."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from factories_survey_page import (
    CLASSES,
    SurveyRun,
    cluster_arguments,
    kinds,
    make_survey_run,
)
from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.surveys.clusters import FIGURES
from morphosphere.surveys.clusters.__main__ import main

SMALL = {"points": 240, "labelled_points": 60, "thumbnails": 80}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SurveyRun:
    made = make_survey_run(tmp_path_factory.mktemp("clusters") / "a run", 320)
    record = made.folder / "record.json"
    given = cluster_arguments(made, SMALL, also=made.labelled, provenance=record)
    assert main(given) == 0
    return made


@pytest.fixture
def copied(run: SurveyRun, tmp_path) -> SurveyRun:
    shutil.copytree(run.folder, tmp_path / "a run")
    return SurveyRun(tmp_path / "a run")


def rewrite(run: SurveyRun, change) -> None:
    """Write the predictions again with other columns."""
    old = Catalogue(run.predictions)
    columns = change(old.read(old.columns))
    with CatalogueWriter(run.predictions) as out:
        out.append(columns)


def test_classes_that_are_groups_of_the_features_are_found_without_labels(run):
    found = json.loads(run.clusters.read_text())
    assert found["n"] == 320
    assert found["used"] == 240
    assert found["clusters"]["number"] == 3
    for key in ("labels", "test_labels"):
        assert found["without_labels"][key]["accuracy"] > 0.97
        assert found["agreement"][key]["purity"] > 0.97
    assert found["without_labels"]["named_by"] == "labels"
    # Predictions of the drawn network are right nine times of ten.
    assert 0.8 < found["without_labels"]["predicted"]["accuracy"] < 0.97
    for item in found["clusters"]["items"]:
        assert sum(item["predicted"].values()) == pytest.approx(1)
    assert 0.3 < found["mixing"]["ratio"] < 1.3
    assert "found without labels, agrees with" in found["said"]


def test_labels_of_recursion_are_not_labels_by_people(run):
    table = Catalogue(run.predictions).read(["label", "label_origin"])
    rows = json.loads(run.clusters.read_text())["without_labels"]["labels"]["n"]
    matched = (table["label_origin"] == "match").sum()
    assert rows <= matched < np.isfinite(table["label"]).sum()


def test_every_galaxy_has_a_place_and_those_not_embedded_lie_in_their_group(run):
    table = Catalogue(run.embedding)
    found = table.read(table.columns)
    assert (
        found["image_id"].tolist()
        == Catalogue(run.predictions).read(["image_id"])["image_id"].tolist()
    )
    assert found["fitted"].sum() == 240
    rest = ~found["fitted"]
    kind = kinds(320)
    middle = np.stack(
        [
            [np.median(found[axis][(kind == k) & found["fitted"]]) for axis in ("x", "y")]
            for k in range(3)
        ]
    )
    places = np.stack([found["x"], found["y"]], axis=1)
    nearest = np.linalg.norm(places[:, None] - middle, axis=2).argmin(axis=1)
    assert (nearest == kind)[rest].mean() > 0.9
    assert (found["component"] == kind)[rest].mean() > 0.95


def test_the_figures_are_pictures_and_the_record_names_them(run):
    for name in FIGURES:
        with Image.open(run.folder / "figures" / f"{name}.png") as picture:
            assert min(picture.size) > 200
            assert np.asarray(picture.convert("RGB")).std() > 10
    record = json.loads((run.folder / "record.json").read_text())
    assert sum(item.endswith(".png") for item in map(str, record["outputs"])) == len(FIGURES)


def test_the_same_seed_gives_the_same_files(run, copied):
    before = run.clusters.read_text(), run.embedding.read_bytes()
    assert main(cluster_arguments(copied, SMALL, also=copied.labelled)) == 0
    assert (copied.clusters.read_text(), copied.embedding.read_bytes()) == before


def test_surveys_without_labels_and_galaxies_without_features_are_no_error(copied):
    def change(columns):
        features = columns["features"].copy()
        features[[3, 200]] = np.nan
        kept = {k: v for k, v in columns.items() if not k.startswith("label")}
        return kept | {"features": features}

    rewrite(copied, change)
    settings = SMALL | {"clusters": "mixture", "cluster_on": "features", "most_clusters": 4}
    assert main(cluster_arguments(copied, settings)) == 0
    found = json.loads(copied.clusters.read_text())
    assert found["agreement"]["labels"] is None
    assert found["mixing"] is None
    assert found["without_labels"]["named_by"] == "predicted"
    assert "predicted classes" in found["said"]
    assert found["not_finite"] == 2
    placed = Catalogue(copied.embedding).read(["x", "cluster"])
    assert np.flatnonzero(np.isnan(placed["x"])).tolist() == [3, 200]
    assert placed["cluster"][[3, 200]].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: {k: v[:9] for k, v in c.items()}, "9 rows for 320 images"),
        (lambda c: {k: v for k, v in c.items() if k != "features"}, "no column 'features'"),
        (lambda c: c | {"predicted": np.full(320, "barred")}, "predicts 'barred'"),
        (lambda c: c | {"features": np.ones((320, 4), np.float32)}, "the same features"),
        (lambda c: c | {"features": c["features"] * np.nan}, "0 galaxies with finite features"),
        (lambda c: c | {"image_id": c["image_id"][::-1]}, "do not belong to"),
    ],
)
def test_bad_predictions_are_one_line(copied, capsys, change, said):
    before = copied.embedding.read_bytes()
    rewrite(copied, change)
    assert main(cluster_arguments(copied, SMALL)) == 1
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text
    assert copied.embedding.read_bytes() == before


def test_images_that_name_no_classes_are_refused(copied, capsys):
    with h5py.File(copied.images, "a") as file:
        assert list(file.attrs["classes"]) == CLASSES
        del file.attrs["classes"]
    assert main(cluster_arguments(copied, SMALL)) == 1
    assert "names no classes" in capsys.readouterr().err


def test_a_perplexity_that_the_galaxies_cannot_have_is_refused(copied, capsys):
    assert main(cluster_arguments(copied, {"points": 60, "perplexity": 30})) == 1
    assert "perplexity must be below a third of points" in capsys.readouterr().err
