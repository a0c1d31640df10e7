"""The stage as a whole: keys of metrics.json, figures, input that does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from factories_images import make_imageset
from factories_maps import SmallMap, make_map
from factories_models import write_small_bundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.evaluate import FIGURES
from morphosphere.evaluate.__main__ import main

QUICK = {"max_rotated": 6, "copies": 2, "dpi": 50}


def evaluate(small: SmallMap, folder: Path, **settings: object) -> int:
    folder.mkdir(exist_ok=True)
    return main(
        ["--images", str(small.images), "--model", str(small.model), "--catalogue",
         str(small.catalogue), "--training", str(folder / "training"), "--metrics",
         str(folder / "metrics.json"), "--figures", str(folder / "figures"), "--settings",
         json.dumps({**QUICK, **settings}), "--provenance", str(folder / "evaluate.json")]
    )  # fmt: skip


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module")
def evaluated(small_map, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "training").mkdir()
    (folder / "training" / "metrics.csv").write_text(
        "epoch,train_loss,validation_loss\n0,2.0,2.1\n1,1.0,1.5\n"
    )
    assert evaluate(small_map, folder) == 0
    return folder


def test_metrics_have_the_promised_keys(evaluated):
    found = metrics_of(evaluated)
    assert set(found) == {
        "rotation_scatter_deg", "sphere_entropy", "reconstruction", "reconstruction_by_source",
        "knn_r2", "view_angle_deg", "notes",
    }  # fmt: skip
    assert set(found["rotation_scatter_deg"]) == {"median", "p90"}
    assert {"l1", "ssim", "pca8_l1", "pca32_l1"} <= set(found["reconstruction"])
    assert set(found["view_angle_deg"]) == {"same", "other"}
    assert set(found["knn_r2"]) == {"sphere", "features", "random"}
    names = [set(scores) for scores in found["knn_r2"].values()]
    assert names[0] == names[1] == names[2]
    assert {"stellar_mass", "bulge_to_total", "axis_ratio"} <= names[0]
    assert not names[0] & {"camera", "lon", "redshift", "angle", "reconstruction_error"}
    assert 0 <= found["rotation_scatter_deg"]["median"] <= found["rotation_scatter_deg"]["p90"]
    assert 0 <= found["sphere_entropy"] <= 1
    assert found["reconstruction"]["pca32_l1"] < found["reconstruction"]["pca8_l1"]
    assert "log10 of stellar_mass" in found["notes"]["knn_r2"]


def test_reconstruction_is_that_of_the_held_out_images(small_map, evaluated):
    rows = Catalogue(small_map.catalogue).read(["reconstruction_error", "split"])
    expected = rows["reconstruction_error"][rows["split"] == "test"].mean()
    assert metrics_of(evaluated)["reconstruction"]["l1"] == pytest.approx(expected, rel=1e-5)


def test_figures_are_drawn(evaluated):
    assert {path.name for path in (evaluated / "figures").iterdir()} == set(FIGURES)
    for name in FIGURES:
        pixels = np.asarray(Image.open(evaluated / "figures" / name).convert("L"))
        assert pixels.shape[1] >= 150
        assert pixels.std() > 5


def test_run_record(evaluated):
    record = json.loads((evaluated / "evaluate.json").read_text())
    assert record["notes"]["metrics"] == metrics_of(evaluated)
    assert any(name.endswith("metrics.csv") for name in record["inputs"])


def test_the_same_again_whatever_is_held_in_memory(small_map, evaluated, tmp_path):
    def values(metrics: dict, names: tuple[str, ...]) -> list[float]:
        return [value for name in names for value in metrics[name].values()]

    assert evaluate(small_map, tmp_path, chunk=5) == 0
    ours, theirs = metrics_of(tmp_path), metrics_of(evaluated)
    for part in ("sphere_entropy", "knn_r2", "view_angle_deg", "notes"):
        assert ours[part] == theirs[part]
    names = ("rotation_scatter_deg", "reconstruction")
    # Batches of other sizes add numbers in another order.
    assert values(ours, names) == pytest.approx(values(theirs, names), rel=1e-2)


def test_large_maps_are_measured_on_a_part(small_map, tmp_path):
    few = {"max_held_out": 3, "max_train": 10, "max_scored": 12, "max_reference": 40, "chunk": 2}
    assert evaluate(small_map, tmp_path, **few) == 0
    found = metrics_of(tmp_path)
    assert found["notes"]["reconstruction"].startswith("3 held-out images; PCA fitted on 10")
    assert found["reconstruction"]["pca8_l1"] is not None
    assert found["reconstruction"]["pca32_l1"] is None
    assert "among 40 images" in found["notes"]["knn_r2"]


@pytest.mark.parametrize(("count", "views"), [(1, 1), (3, 1), (1, 4)])
def test_few_galaxies_give_what_can_be_given_and_say_why(tmp_path, count, views):
    small = make_map(tmp_path, count, views=views, size=24)
    split = Catalogue(small.catalogue).read(["split"])["split"]
    assert "test" not in split
    assert evaluate(small, tmp_path) == 0
    found = metrics_of(tmp_path)
    assert found["rotation_scatter_deg"] == {"median": None, "p90": None}
    assert set(found["reconstruction"].values()) == {None}
    assert "no held-out galaxies" in found["notes"]["reconstruction"]
    assert (found["view_angle_deg"]["same"] is None) == (views == 1)
    assert (found["view_angle_deg"]["other"] is None) == (count == 1)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == set(FIGURES)


def test_one_view_of_each_galaxy(tmp_path):
    small = make_map(tmp_path, 40, views=1, size=24)
    assert evaluate(small, tmp_path) == 0
    found = metrics_of(tmp_path)
    assert found["view_angle_deg"]["same"] is None
    assert found["view_angle_deg"]["other"] > 0
    assert "every galaxy has one image" in found["notes"]["view_angle_deg"]


def altered(small: SmallMap, path: Path, change) -> SmallMap:
    pq.write_table(change(pq.read_table(small.catalogue)), path)
    return replace(small, catalogue=path)


@pytest.mark.parametrize(
    "kind", ["count", "order", "column", "channels", "property", "settings", "catalogue", "images"]
)
def test_bad_input_is_one_clear_line_and_keeps_the_earlier_result(small_map, tmp_path, capfd, kind):
    (tmp_path / "metrics.json").write_text('"earlier"')
    given, settings = small_map, {}
    if kind == "count":
        given = altered(small_map, tmp_path / "c.parquet", lambda t: t.slice(0, 100))
        said = "100 rows, but"
    elif kind == "order":
        given = altered(small_map, tmp_path / "c.parquet", lambda t: t.take([1, 0, *range(2, 120)]))
        said = "row 0 is image synthetic_000000_c1, but"
    elif kind == "column":
        given = altered(small_map, tmp_path / "c.parquet", lambda t: t.drop_columns(["features"]))
        said = "no column features; run the predict stage again"
    elif kind == "channels":
        write_small_bundle(tmp_path / "grey", channels=("r",))
        given, said = replace(small_map, model=tmp_path / "grey"), "was trained on r"
    elif kind == "property":
        settings, said = {"properties": ["stellar_mass", "colour"]}, "evaluate.properties: colour"
    elif kind == "settings":
        settings, said = {"copies": 0, "neighbors": 3}, "2 mistakes"
    elif kind == "catalogue":
        (tmp_path / "c.parquet").write_bytes(b"PAR1")
        given, said = replace(small_map, catalogue=tmp_path / "c.parquet"), "c.parquet"
    else:
        other = make_imageset(tmp_path / "other.h5", 5)
        given, said = replace(small_map, images=other), "has 5 images"
    assert evaluate(given, tmp_path, **settings) == 1
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert (tmp_path / "metrics.json").read_text() == '"earlier"'
    assert not (tmp_path / "figures").exists()


def test_chosen_properties(small_map, tmp_path):
    assert evaluate(small_map, tmp_path, properties=["redshift", "radius"]) == 0
    # A property that is the same everywhere cannot be told apart from any placement.
    assert list(metrics_of(tmp_path)["knn_r2"]["sphere"]) == ["radius"]
