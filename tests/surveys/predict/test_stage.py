"""Predictions of a survey: the Catalogue, its split, ranks, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from factories_classes import CLASSES, write_class_bundle, write_survey
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.surveys.facts import model_version
from morphosphere.surveys.predict.__main__ import main
from morphosphere.surveys.reading import ClassModel
from ranks import run_ranks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of 40 galaxies, a model, and its predictions."""
    folder = tmp_path_factory.mktemp("predict")
    write_survey(folder / "images.h5", 40, p_smooth=np.full(40, 0.25), split=["old"] * 40)
    write_class_bundle(folder / "model", bins=24)
    assert _predict(folder, "predictions.parquet") == 0
    return folder


def _words(folder, output: str, images: str = "images.h5") -> list[str]:
    return [
        *("--images", str(folder / images), "--model", str(folder / "model")),
        *("--output", str(folder / output)),
    ]


def _predict(folder, output: str, images: str = "images.h5", **settings) -> int:
    return main(["--settings", json.dumps(settings), *_words(folder, output, images)])


def test_every_image_has_a_row_with_what_the_model_says_of_it(folder) -> None:
    rows = Catalogue(folder / "predictions.parquet")
    model = ClassModel.load(folder / "model")
    with ImageSet(folder / "images.h5") as source:
        assert list(rows.read(["image_id"])["image_id"]) == list(source.column("image_id"))
        reading = model.read(model.bundle.transform(source.read(0, 40)))
    names = ["p_smooth", "p_featured", "p_smooth_std", "confidence", "spread", "domain_distance"]
    found = rows.read([*names, "predicted", "domain_outlier", "features", "type_median"])
    for number, name in enumerate(CLASSES):
        chances = found[f"p_{name}"]
        assert chances.dtype == np.float32
        np.testing.assert_allclose(chances, reading.probability[:, number], rtol=1e-5)
    assert np.ptp(found["p_smooth"]) > 0.05
    np.testing.assert_allclose(found["p_smooth_std"], reading.std[:, 0], rtol=1e-4)
    np.testing.assert_allclose(found["spread"], reading.std.max(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["domain_distance"], reading.distance, rtol=1e-5)
    np.testing.assert_array_equal(found["domain_outlier"], reading.outlier)
    np.testing.assert_allclose(found["features"], reading.features, atol=1e-5)
    said = [CLASSES[k] for k in reading.predicted]
    assert found["predicted"].tolist() == said
    assert len(set(said)) == 2
    np.testing.assert_array_equal(
        found["type_median"], model.type_quantiles(reading)["type_median"]
    )


def test_the_split_is_by_object_with_the_fractions_of_the_model(folder) -> None:
    rows = Catalogue(folder / "predictions.parquet")
    found = rows.read(["object", "galaxy_id", "split", "model_version"])
    index = split_of(found["object"], validation=0.1, test=0.33)
    assert found["split"].tolist() == [SPLITS[k] for k in index]
    assert set(index) == {0, 1, 2}
    other = split_of(found["galaxy_id"], validation=0.1, test=0.33)
    assert (index != other).any()
    assert set(found["model_version"]) == {model_version(folder / "model")}


def test_columns_of_the_table_that_have_our_names_stay_under_another(folder) -> None:
    rows = Catalogue(folder / "predictions.parquet")
    found = rows.read(["input_p_smooth", "input_split", "label"])
    assert set(found["input_p_smooth"]) == {0.25}
    assert set(found["input_split"]) == {"old"}
    assert np.isnan(found["label"]).any()
    assert rows.about("magnitude")["unit"] == "mag"
    assert rows.about("p_smooth")["ucd"] == "stat.probability"


def test_ranks_and_a_second_run_write_the_same(folder) -> None:
    words = ["--settings", '{"chunk": 8}', "--ranks", "2", *_words(folder, "two.parquet")]
    done = run_ranks(2, ["-m", "morphosphere.surveys.predict", *words])
    assert done.returncode == 0, done.stderr
    assert _predict(folder, "one.parquet", chunk=8) == 0
    one, two = (Catalogue(folder / f"{name}.parquet") for name in ("one", "two"))
    assert one.columns == two.columns
    for name in one.columns:
        np.testing.assert_array_equal(one.read([name])[name], two.read([name])[name])


def test_images_that_show_nothing_are_read_and_said_to_be_outliers(folder) -> None:
    path = write_survey(folder / "odd.h5", 4)
    import h5py

    with h5py.File(path, "r+") as file:
        file["images"][1] = 0
        file["images"][2] = np.nan
    assert _predict(folder, "odd.parquet", "odd.h5") == 0
    found = Catalogue(folder / "odd.parquet").read(["domain_outlier", "p_smooth"])
    assert found["domain_outlier"][1:3].all()
    assert np.isfinite(found["p_smooth"]).all()


def test_images_in_other_bands_are_one_clear_error(folder, capsys) -> None:
    write_survey(folder / "grz.h5", 4, channels=("z", "r", "g"))
    assert _predict(folder, "no.parquet", "grz.h5") == 1
    said = capsys.readouterr().err
    assert "grz.h5: channels z, r, g" in said
    assert "trained on i, r, g" in said
    assert not (folder / "no.parquet").exists()


def test_a_network_without_finite_numbers_is_one_clear_error(folder, tmp_path, capsys) -> None:
    """Of a training that has gone wrong: the image is named, earlier results stay."""
    calibration = {"temperature": 1.0, "bias": [0.0, float("inf")]}
    broken = write_class_bundle(
        tmp_path / "model", calibration={"temperature": 1.0, "bias": [0, 0]}
    )
    text = (broken / "model.json").read_text()
    info = {**json.loads(text), "calibration": calibration}
    (broken / "model.json").write_text(json.dumps(info))
    words = _words(folder, "predictions.parquet")
    words[3] = str(broken)
    before = (folder / "predictions.parquet").read_bytes()
    assert main(words) == 1
    assert "no finite numbers for image b00000 (row 0)" in capsys.readouterr().err
    assert (folder / "predictions.parquet").read_bytes() == before
