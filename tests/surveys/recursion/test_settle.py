"""Which round is kept, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest


def kept(survey):
    return (survey.folder / "survey" / "model" / "encoder.onnx").read_text()


def test_a_better_round_is_kept(survey):
    predictions = [survey.predict("p0", 0.7), survey.predict("p1", 1.6)]
    assert survey.settle(predictions, [survey.write_choice(1)]) == 0
    found = survey.recursion()
    assert (found["kept"], found["worse"]) == (1, False)
    assert kept(survey) == "model_1"
    assert found["after"]["balanced_accuracy"] > found["before"]["balanced_accuracy"]
    assert found["rounds"][1]["labels_added"] == {"smooth": 41, "featured": 41}
    assert found["rounds"][0]["labels_added"] == {}
    assert found["rounds"][1]["compared"]["with_round"] == 0
    low, high = found["gain"]["interval"]
    assert low < found["gain"]["balanced_accuracy"] < high
    assert "the last round is kept" in found["said"]


def test_a_worse_round_is_not_kept_and_it_is_said(survey, capsys):
    predictions = [survey.predict("p0", 1.6), survey.predict("p1", 0.7)]
    assert survey.settle(predictions, [survey.write_choice(1)]) == 0
    found = survey.recursion()
    assert (found["kept"], found["worse"]) == (0, True)
    assert kept(survey) == "model_0"
    assert found["after"] == found["rounds"][1]["test"]  # what recursion led to, not what is kept
    assert "recursion made the model worse" in capsys.readouterr().err


def test_a_round_in_the_middle_can_be_the_best(survey):
    predictions = [survey.predict(f"p{k}", skill) for k, skill in enumerate([0.7, 1.6, 0.9])]
    choices = [survey.write_choice(1), survey.write_choice(2)]
    assert survey.settle(predictions, choices) == 0
    found = survey.recursion()
    assert (found["kept"], found["worse"]) == (1, False)
    assert [one["round"] for one in found["rounds"]] == [0, 1, 2]
    assert "the model of round 1 is kept" in found["said"]


def test_a_round_that_is_no_clear_gain_is_not_kept(survey):
    predictions = [survey.predict("p0", 1.0), survey.predict("p1", 1.0)]
    assert survey.settle(predictions, [survey.write_choice(1)]) == 0
    assert survey.recursion()["kept"] == 0
    assert survey.recursion()["worse"] is False


def test_the_test_set_decides_nothing(survey):
    """The round that is better on validation is kept, however bad it is on the test set."""
    good, bad = (survey.predict(n, s) for n, s in (("good", 1.6), ("bad", 0.7)))
    from morphosphere.artefacts.catalogue import Catalogue

    names = ["p_smooth", "p_featured", "predicted", "confidence"]
    of_good, of_bad = Catalogue(good).read(names), Catalogue(bad).read(names)
    test = survey.split == "test"
    mixed = {n: np.where(test, of_bad[n], of_good[n]) for n in names}
    last = survey.predict("mixed", 1.0, **mixed)
    assert survey.settle([bad, last], [survey.write_choice(1)]) == 0
    assert survey.recursion()["kept"] == 1
    assert survey.recursion()["gain"]["balanced_accuracy"] == 0


def test_labels_of_models_are_never_scored(survey):
    plain = survey.predict("p0", 1.0)
    assert survey.settle([plain], []) == 0
    before = survey.recursion()["before"]
    columns = survey.columns()
    pseudo = {
        "label": np.where(survey.human, columns["label"], 0.0),
        "label_origin": np.where(survey.human, "match", "pseudo").astype(object),
    }
    assert survey.settle([survey.predict("p1", 1.0, **pseudo)], []) == 0
    assert survey.recursion()["before"] == before
    assert before["n"] == int((survey.human & (survey.split == "test")).sum())


def test_no_round_at_all(survey):
    choice = survey.write_choice(1, stop="3 new labels, fewer than 10")
    assert survey.settle([survey.predict("p0", 1.0)], [choice]) == 0
    found = survey.recursion()
    assert (found["kept"], found["worse"], found["stop"]) == (
        0,
        False,
        "3 new labels, fewer than 10",
    )
    assert found["said"].startswith("no round was trained: 3 new labels")
    assert found["after"] == found["before"]


def test_without_labels_of_validation_the_first_is_kept(survey):
    survey.human &= survey.split != "validation"
    predictions = [survey.predict("p0", 0.7), survey.predict("p1", 1.6)]
    assert survey.settle(predictions, [survey.write_choice(1)]) == 0
    found = survey.recursion()
    assert found["kept"] == 0
    assert found["rounds"][1]["validation"]["balanced_log_loss"] is None
    assert "no labelled galaxies of two classes" in found["said"]


def test_without_labels_of_the_test_set_it_is_said(survey, capsys):
    survey.human &= survey.split != "test"
    predictions = [survey.predict("p0", 0.7), survey.predict("p1", 1.6)]
    assert survey.settle(predictions, [survey.write_choice(1)]) == 0
    assert "no labelled galaxy is in the test set" in capsys.readouterr().err
    assert survey.recursion()["gain"] == {"balanced_accuracy": None, "interval": None}


@pytest.mark.parametrize("what", ["images", "labels", "splits"])
def test_rounds_of_other_galaxies_are_refused(survey, capsys, what):
    first = survey.predict("p0", 1.0)
    if what == "images":
        survey.ids = survey.ids[::-1].copy()
    elif what == "labels":
        survey.human[np.flatnonzero(survey.human)[0]] = False
    else:
        survey.split = np.where(survey.split == "test", "train", survey.split)
    assert survey.settle([first, survey.predict("p1", 1.0)], [survey.write_choice(1)]) == 1
    assert f"other {what} than" in capsys.readouterr().err
    assert not (survey.folder / "survey").exists()


def test_numbers_of_files_must_agree(survey, capsys):
    predictions = [survey.predict("p0", 1.0), survey.predict("p1", 1.0)]
    assert survey.settle(predictions, []) == 1
    assert "2 predictions, 2 models and 0 choices" in capsys.readouterr().err


def test_models_of_other_classes_are_refused(survey, capsys):
    from morphosphere.surveys.settle.__main__ import main

    models = [survey.model("m0"), survey.model("m1", ("a", "b"))]
    words = [
        "--predictions",
        survey.predict("p", 1.0),
        survey.predict("q", 1.0),
        "--models",
        *models,
    ]
    words += ["--choices", survey.write_choice(1), "--output", survey.folder / "survey"]
    assert main([str(word) for word in words]) == 1
    assert "a model of the classes a, b, but" in capsys.readouterr().err


def test_a_second_run_replaces_the_first(survey):
    good, bad = survey.predict("p0", 1.6), survey.predict("p1", 0.7)
    assert survey.settle([bad, good], [survey.write_choice(1)]) == 0
    assert kept(survey) == "model_1"
    assert survey.settle([good, bad], [survey.write_choice(1)]) == 0
    assert kept(survey) == "model_0"


def test_records_name_what_was_read_and_written(survey):
    said = survey.predict("p0", 1.0)
    records = [survey.folder / name for name in ("choose.json", "settle.json")]
    assert survey.choose(said, record=records[0]) == 0
    assert survey.settle([said], [], record=records[1]) == 0
    chosen, settled = (json.loads(path.read_text()) for path in records)
    assert {Path(name).name for name in chosen["inputs"]} == {"target.h5", "p0.parquet"}
    assert {Path(name).name for name in chosen["outputs"]} == {"new.h5", "choice.json"}
    assert chosen["seed"] is None
    assert chosen["notes"]["counts"] == survey.choice()["counts"]
    assert "chosen" not in chosen["notes"]
    assert {Path(name).name for name in settled["outputs"]} == {"model", "recursion.json"}
    assert settled["notes"]["kept"] == 0
