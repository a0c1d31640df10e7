"""Inputs that do not belong together: one clear error, earlier results whole."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest

from factories_classes import write_class_bundle, write_survey
from morphosphere.artefacts.catalogue import CatalogueWriter

from .conftest import COUNT, Scene


def _changed(scene: Scene, tmp_path, change) -> str:
    """A copy of the ImageSet after a change."""
    path = tmp_path / "images.h5"
    shutil.copy(scene.root / "images.h5", path)
    with h5py.File(path, "r+") as file:
        change(file)
    return str(path)


def _fails(scene: Scene, tmp_path, capsys, said: str, *words: object, **settings) -> None:
    capsys.readouterr()
    out = tmp_path / "out"
    assert scene.run(out, *words, **settings) == 1
    text = capsys.readouterr().err
    assert said in " ".join(text.split()), text
    assert "unexpected" not in text
    assert not list(out.glob("*")) if out.exists() else True


def test_predictions_of_another_model(scene: Scene, tmp_path, capsys) -> None:
    other = write_class_bundle(tmp_path / "model", seed=5)
    _fails(scene, tmp_path, capsys, "predictions of model", "--model", other)


def test_predictions_of_other_classes(scene: Scene, tmp_path, capsys) -> None:
    other = write_class_bundle(tmp_path / "model", classes=("a", "b"))
    _fails(scene, tmp_path, capsys, "no column 'p_a'", "--model", other)


def test_predictions_of_other_images(scene: Scene, tmp_path, capsys) -> None:
    fewer = write_survey(tmp_path / "fewer.h5", 10)
    _fails(scene, tmp_path, capsys, "but", "--images", fewer)
    swapped = _changed(scene, tmp_path, lambda f: f["table/image_id"].__setitem__(3, "another"))
    _fails(scene, tmp_path, capsys, "row 3 is of another image", "--images", swapped)


def test_labels_of_other_classes(scene: Scene, tmp_path, capsys) -> None:
    named = _changed(scene, tmp_path, lambda f: f.attrs.__setitem__("classes", ["a", "b"]))
    _fails(scene, tmp_path, capsys, "labels of the classes a, b", "--images", named)
    beyond = _changed(scene, tmp_path, lambda f: f["table/label"].__setitem__(4, 2.0))
    _fails(scene, tmp_path, capsys, "label 2 in row 4 is none of the 2 classes", "--images", beyond)


def test_positions_that_are_not_there(scene: Scene, tmp_path, capsys) -> None:
    _fails(scene, tmp_path, capsys, "no column 'RA' (transfer.catalogue.ra)", ra="RA")
    _fails(scene, tmp_path, capsys, "(transfer.catalogue.dec)", dec="DE", hips=False)


def test_positions_that_cannot_be(scene: Scene, tmp_path, capsys) -> None:
    beyond = _changed(scene, tmp_path, lambda f: f["table/dec"].__setitem__(2, 91.0))
    _fails(scene, tmp_path, capsys, "dec in row 2 is 91, beyond 90 degrees", "--images", beyond)


def test_columns_that_cannot_be_had(scene: Scene, tmp_path, capsys) -> None:
    said = "no column 'magnitud'; did you mean magnitude"
    _fails(scene, tmp_path, capsys, said, columns=["magnitud"])
    said = "'label_origin' is in the catalogue anyway"
    _fails(scene, tmp_path, capsys, said, columns=["label_origin"])
    _fails(scene, tmp_path, capsys, "'-brightness' is no number", hips_rank="-brightness")
    _fails(scene, tmp_path, capsys, "'predicted' is no number", hips_rank="predicted")


def test_columns_that_differ_by_case_alone(scene: Scene, tmp_path, capsys) -> None:
    twice = _changed(
        scene, tmp_path, lambda f: f["table"].create_dataset("RA", data=np.zeros(COUNT))
    )
    _fails(scene, tmp_path, capsys, "differ by case alone", "--images", twice, columns=["RA"])


def test_places_of_other_images(scene: Scene, tmp_path, capsys) -> None:
    with CatalogueWriter(tmp_path / "placed.parquet") as out:
        out.append({"image_id": np.array(["x"], dtype=object), "lon": [1.0], "lat": [2.0]})
    _fails(
        scene, tmp_path, capsys, "a place for none of the images",
        "--placed", tmp_path / "placed.parquet",
    )  # fmt: skip


@pytest.mark.parametrize("settings", [{"formats": []}, {"formats": ["hats"], "hips": False}])
def test_a_survey_without_any_position(scene: Scene, tmp_path, capsys, settings) -> None:
    nowhere = _changed(scene, tmp_path, lambda f: f["table/ra"].__setitem__(slice(None), np.nan))
    assert scene.run(tmp_path / "out", "--images", nowhere, **settings) == 1
    assert "no galaxy has a position on the sky (ra, dec)" in capsys.readouterr().err


def test_a_failure_leaves_the_earlier_catalogue(scene: Scene, tmp_path, capsys) -> None:
    before = {path: path.read_bytes() for path in scene.output.rglob("*") if path.is_file()}
    swapped = _changed(scene, tmp_path, lambda f: f["table/image_id"].__setitem__(3, "another"))
    assert scene.run("catalogue", "--images", swapped) == 1
    assert "row 3" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in scene.output.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("formats", ["fits", "fits"], "name each format once"),
        ("formats", ["csv"], "formats"),
        ("title", "a=b", "without an equals sign"),
        ("authority", "x", "at least three letters"),
        ("hats_rows", 0, "hats_rows"),
    ],
)
def test_settings_that_cannot_be(scene: Scene, tmp_path, capsys, key, value, said) -> None:
    _fails(scene, tmp_path, capsys, said, **{key: value})
