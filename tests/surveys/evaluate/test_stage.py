"""The stage as a whole: what it writes, and what it says of inputs that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factories_scored import Files, draw_survey, rounds, write_model
from morphosphere.files import write_json
from morphosphere.learn.table import EpochTable
from morphosphere.surveys.evaluate import FIGURES
from morphosphere.surveys.evaluate.__main__ import main
from morphosphere.surveys.evaluate.figures import common
from morphosphere.surveys.evaluate.notes import notes
from morphosphere.surveys.evaluate.ordinal import Typed
from morphosphere.surveys.evaluate.scored import open_predictions, read_scored
from morphosphere.surveys.evaluate.scores import NAMES

QUICK = {"bootstrap": 20, "views": 1, "shown": 3, "dpi": 50}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two surveys, a model and the rounds of recursion."""
    path = tmp_path_factory.mktemp("evaluate")
    draw_survey(path, "labelled", 80, seed=1)
    draw_survey(path, "target", 150, labelled=0.5, origin="match", shift=0.4, seed=2)
    write_model(path / "model")
    write_model(path / "first", training={"images": 80})
    for place, seconds in (("labelled", 30.0), ("rounds/0", 7.0), ("rounds/1", 12.5)):
        (path / place / "training").mkdir(parents=True)
        EpochTable(path / place / "training").write({"epoch": 0, "seconds": seconds})
    write_json(path / "recursion.json", rounds())
    return path


def _touch(figure: object, path: Path, dpi: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, but not drawn, where a test looks at the metrics alone."""
    monkeypatch.setattr(common, "save", _touch)


def _run(folder: Path, output: Path, *more: Any, **settings: Any) -> int:
    words = {
        "--model": folder / "model",
        "--predictions": folder / "target.parquet",
        "--images": folder / "target.h5",
        "--metrics": output / "metrics.json",
        "--figures": output / "figures",
        "--settings": json.dumps(QUICK | settings),
    }
    words |= dict(zip(more[::2], more[1::2]))
    return main([str(word) for pair in words.items() for word in pair])


def _metrics(output: Path) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in JSON")

    return json.loads((output / "metrics.json").read_text(), parse_constant=refuse)


@pytest.fixture(scope="module")
def plain(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Metrics of the target, without anything that can be left out."""
    output = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "save", _touch)
        assert _run(folder, output) == 0
    return _metrics(output)


def test_the_stage_measures_all_that_is_promised_and_draws_every_figure(
    folder: Path, tmp_path: Path
) -> None:
    more = [
        *("--labelled-predictions", folder / "labelled.parquet"),
        *("--recursion", folder / "recursion.json"),
        *("--curve", f"transferred:8={folder / 'model'}"),
        *("--first-model", folder / "first"),
        *("--run", folder),
        *("--provenance", tmp_path / "record.json"),
    ]
    assert _run(folder, tmp_path, *more) == 0
    found = _metrics(tmp_path)
    for part in (found, found["confident_half"], found["high_confidence"]):
        assert all(part[name] is not None for name in NAMES)
        assert set(part["per_class"]) == {"smooth", "featured"}
    intervals = found["intervals"]
    for part in (intervals, intervals["confident_half"], intervals["high_confidence"]):
        assert {*NAMES, "per_class"} <= set(part)
    low, high = found["intervals"]["balanced_accuracy"]
    assert low <= found["balanced_accuracy"] <= high
    assert found["confident_half"]["accuracy"] > found["accuracy"]
    assert found["ece_before_temperature"] > 0
    assert 0 < found["type_mae"] < 1 < found["type_mae_median_of_training"]
    assert found["recursion"]["kept"] == 1
    assert found["recursion"]["after"]["balanced_accuracy"] == pytest.approx(0.915)
    assert found["learning_curve"]["transferred"]["8"]["n"] == found["n"]
    assert found["learning_curve"]["scratch"] == {}
    assert found["domain"]["target"]["outliers"] > found["domain"]["training"]["outliers"]
    assert found["train_seconds"] == 12.5 + 30
    assert found["first_model"]["n"] == found["n"]
    assert found["first_model"]["accuracy"] != found["accuracy"]
    assert found["catalogue"]["rows"] == 300
    assert sum(found["catalogue"]["predicted"].values()) == 300
    assert sum(one["n"] for one in found["by_brightness"].values()) == found["n"]
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)
    for path in (tmp_path / "figures").iterdir():
        with Image.open(path) as figure:
            assert figure.height > 108, path  # two inches and a margin: a message
    record = json.loads((tmp_path / "record.json").read_text())
    assert len(record["outputs"]) == len(FIGURES) + 1


@pytest.mark.usefixtures("undrawn")
def test_the_same_inputs_give_the_same_metrics(
    folder: Path, plain: dict[str, Any], tmp_path: Path
) -> None:
    assert _run(folder, tmp_path) == 0
    assert _metrics(tmp_path) == plain


@pytest.mark.usefixtures("undrawn")
def test_only_test_images_that_people_labelled_count(
    folder: Path, plain: dict[str, Any], tmp_path: Path
) -> None:
    """Labels of recursion and of training images have no say, however wrong they are."""

    def spoil(columns: dict[str, Any]) -> None:
        train = columns["split"] != "test"
        columns["label"] = np.where(train, 1 - columns["label"], columns["label"])
        free = np.isnan(columns["label"])
        columns["label"][free] = (columns["predicted"] == "smooth")[free]  # all of them wrong
        columns["label_origin"][free] = "pseudo"

    draw_survey(
        tmp_path, "target", 150, labelled=0.5, origin="match", shift=0.4, seed=2, change=spoil
    )
    assert _run(tmp_path, tmp_path, "--model", folder / "model") == 0
    found = _metrics(tmp_path)
    assert {name: found[name] for name in NAMES} == {name: plain[name] for name in NAMES}


def test_a_model_that_labels_of_the_target_made_worse_is_told(
    folder: Path, plain: dict[str, Any]
) -> None:
    catalogue = open_predictions(folder / "target.parquet", ("smooth", "featured"))
    scored = read_scored(catalogue, ("smooth", "featured"))
    for better, said in ((0.001, True), (-0.001, False)):
        first = {"n": 90, "balanced_accuracy": plain["balanced_accuracy"] + better}
        facts = plain | {"first_model": first}
        found = notes(facts, scored, Typed(), curve=False, first=True)
        assert ("have not made it better" in found.get("first_model", "")) is said


@pytest.mark.usefixtures("undrawn")
def test_a_labelled_survey_is_scored_beside_a_target_without_labels(
    folder: Path, tmp_path: Path
) -> None:
    other = draw_survey(tmp_path, "free", 40, labelled=0.0, types=False, seed=5)
    more = [
        *("--predictions", folder / "labelled.parquet", "--images", folder / "labelled.h5"),
        *("--labelled-predictions", folder / "labelled.parquet"),
        *("--target-predictions", other.predictions, "--target-images", other.images),
    ]
    assert _run(folder, tmp_path, *more) == 0
    found = _metrics(tmp_path)
    assert found["n"] > 30
    assert found["catalogue"]["rows"] == 80
    assert found["domain"]["target"]["n"] == 80
    assert found["recursion"]["kept"] is None
    assert found["notes"]["recursion"] == "recursive training was not run"
    assert found["notes"]["learning_curve"] == "no models were trained on fewer labels"


@pytest.mark.usefixtures("undrawn")
def test_four_classes_are_scored_as_two_are(tmp_path: Path) -> None:
    names = ("elliptical", "lenticular", "spiral", "irregular")
    draw_survey(tmp_path, "target", 120, classes=names, seed=3, types=False)
    write_model(tmp_path / "model", names, decision="balanced")
    assert _run(tmp_path, tmp_path) == 0
    found = _metrics(tmp_path)
    assert set(found["per_class"]) == set(names)
    assert found["balanced_accuracy"] > 0.4
    assert found["roc_auc"] > 0.7
    assert found["type_mae"] is None
    assert "tells no type" in found["notes"]["type_mae"]


def test_a_survey_without_test_labels_says_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_survey(tmp_path, "target", 30, labelled=0.0, seed=4)
    model = folder / "model"
    assert _run(tmp_path, tmp_path, "--model", model, "--curve", f"scratch:8={model}") == 0
    found = _metrics(tmp_path)
    assert found["n"] == 0
    assert all(found[name] is None for name in NAMES)
    assert found["notes"]["accuracy"] == "there are no test images with a label"
    assert found["ece_before_temperature"] is None
    assert found["catalogue"]["rows"] == 60
    assert "there are no test images with a label" in capsys.readouterr().err
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)


@pytest.mark.usefixtures("undrawn")
def test_test_images_of_one_class_say_so(folder: Path, tmp_path: Path) -> None:
    def one(columns: dict[str, Any]) -> None:
        columns["label"][:] = 1.0

    draw_survey(tmp_path, "target", 30, seed=4, change=one)
    assert _run(tmp_path, tmp_path, "--model", folder / "model") == 0
    found = _metrics(tmp_path)
    assert found["accuracy"] is not None
    assert found["balanced_accuracy"] is None
    assert "are of the class featured" in found["notes"]["balanced_accuracy"]
    assert "are of the class featured" in found["notes"]["confident_half.roc_auc"]


def _drop(name: str) -> Any:
    return lambda columns: columns.pop(name)


def _set(name: str, value: Any) -> Any:
    def change(columns: dict[str, Any]) -> None:
        rows = (columns["split"] == "test") & np.isfinite(columns["label"])
        columns[name][np.flatnonzero(rows)[0]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop("label_origin"), "no column 'label_origin'; predict the images that surveys.label"),
        (_drop("p_smooth"), "no column 'p_smooth': not what surveys.predict writes"),
        (_set("label", 2.0), "label 2 in row"),
        (_set("label", 0.5), "label 0.5 in row"),
        (_set("predicted", "round"), "the predicted class 'round' is none of smooth, featured"),
        (_set("p_smooth", np.nan), "the probabilities of row"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    bad: Files = draw_survey(tmp_path, "bad", 20, change=change)
    assert _run(folder, tmp_path, "--predictions", bad.predictions, "--images", bad.images) == 1
    line = capsys.readouterr().err
    assert said in line
    assert "bad.parquet" in line
    assert not (tmp_path / "metrics.json").exists()


def test_predictions_of_other_images_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, tmp_path, "--images", folder / "labelled.h5") == 1
    assert "not of the images of" in capsys.readouterr().err
    same_length = draw_survey(tmp_path, "strange", 150)
    assert _run(folder, tmp_path, "--images", same_length.images) == 1
    assert "not of the images of" in capsys.readouterr().err
    assert _run(folder, tmp_path, "--target-images", folder / "labelled.h5") == 1
    assert "belong together" in capsys.readouterr().err
