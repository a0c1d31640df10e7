"""The labels that a model gives to galaxies without one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet


def test_the_surest_get_labels_and_nobody_else(survey):
    said = survey.predict("p", 1.0)
    assert survey.choose(said, per_class=40) == 0
    choice, table = survey.choice(), survey.new_table()
    pseudo = table["label_origin"] == "pseudo"
    assert choice["counts"] == {"smooth": 40, "featured": 40}
    assert pseudo.sum() == 80
    assert (survey.split[pseudo] == "train").all()
    assert not survey.human[pseudo].any()
    assert not survey.outlier[pseudo].any()
    assert (table["label"][pseudo] == survey.truth[pseudo]).mean() > 0.93
    assert np.unique(table["label_weight"][pseudo]).tolist() == [0.5]
    assert (table["confident_label"][pseudo] == 0).all()
    # Labels of people are as they were, and the others have none.
    np.testing.assert_array_equal(table["label"][survey.human], survey.truth[survey.human])
    assert (table["label_weight"][~pseudo] == 1).all()
    assert np.isnan(table["label"][~pseudo & ~survey.human]).all()
    assert sorted(i for ids in choice["chosen"].values() for i in ids) == sorted(survey.ids[pseudo])
    assert choice["round"] == 1
    assert (choice["new"], choice["changed"], choice["stop"]) == (80, 1.0, None)
    with ImageSet(survey.folder / "new.h5") as images:
        assert images.images.is_virtual
        assert images.attributes["recursion_round"] == 1


def test_thresholds_are_of_the_labelled_galaxies_of_validation_alone(survey):
    """Whatever the others are, the thresholds stay; with other labels of validation they move."""
    survey.choose(survey.predict("p", 1.0))
    first = survey.choice()["thresholds"]
    assert all(0.5 < at < 1 for at in first.values())
    label = survey.columns()["label"]
    elsewhere = survey.human & (survey.split != "validation")
    survey.choose(survey.predict("q", 1.0, label=np.where(elsewhere, 1 - label, label)))
    assert survey.choice()["thresholds"] == first
    wrong = survey.human & (survey.split == "validation") & (np.arange(len(label)) % 3 == 0)
    survey.choose(survey.predict("q", 1.0, label=np.where(wrong, 1 - label, label)))
    assert survey.choice()["thresholds"] != first


def test_the_purity_that_is_asked_for_is_reached(survey):
    survey.choose(survey.predict("p", 1.0), purity=0.9, per_class=1000, imbalance=100)
    pseudo = survey.new_table()["label_origin"] == "pseudo"
    found = survey.new_table()["label"][pseudo] == survey.truth[pseudo]
    assert pseudo.sum() > 100
    assert found.mean() > 0.87
    for facts in survey.choice()["validation"].values():
        assert facts["purity"] >= 0.9
        assert facts["above"] >= 5


def test_labels_of_another_survey_can_set_the_thresholds(survey):
    """Where the surveys share no labels, those of the labelled survey calibrate."""
    from morphosphere.surveys.choose.__main__ import main

    calibration = survey.predict("labelled", 1.0, slice(0, 900))
    survey.human[:] = False
    survey.write_target()
    said = survey.predict("p", 1.0)
    words = ["--target", survey.folder / "target.h5", "--predictions", said]
    words += ["--calibration", calibration, "--output", survey.folder / "new.h5"]
    words += ["--choice", survey.folder / "choice.json"]
    assert main([str(word) for word in words]) == 0
    assert survey.choice()["stop"] is None
    assert min(survey.choice()["counts"].values()) > 10


def test_the_second_choice_is_compared_with_the_first(survey):
    assert survey.choose(survey.predict("p", 1.0), per_class=60) == 0
    first = survey.folder / "first.json"
    (survey.folder / "choice.json").rename(first)
    assert survey.choose(survey.predict("q", 1.3), previous=first, per_class=80) == 0
    found = survey.choice()
    then, now = (
        {i: name for name, ids in one["chosen"].items() for i in ids}
        for one in (json.loads(first.read_text()), found)
    )
    same = sum(then.get(i) == name for i, name in now.items())
    assert found["round"] == 2
    assert found["new"] == len(now) - same
    assert found["changed"] == pytest.approx(1 - same / len(set(then) | set(now)))
    assert found["stop"] is None


def test_it_ends_when_nothing_changes(survey):
    said = survey.predict("p", 1.0)
    assert survey.choose(said) == 0
    first = survey.folder / "first.json"
    (survey.folder / "choice.json").rename(first)
    assert survey.choose(said, previous=first) == 0
    found = survey.choice()
    assert (found["new"], found["changed"]) == (0, 0.0)
    assert found["stop"] == "0 new labels, fewer than 10"
    # Nobody takes it up again.
    second = survey.folder / "second.json"
    (survey.folder / "choice.json").rename(second)
    assert survey.choose(survey.predict("q", 2.0), previous=second) == 0
    assert survey.choice()["stop"] == "0 new labels, fewer than 10"
    assert survey.choice()["counts"] == {"smooth": 0, "featured": 0}
    assert not (survey.new_table()["label_origin"] == "pseudo").any()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rounds": 0}, "0 rounds are done"),
        ({"least_new": 5000}, "new labels, fewer than 5000"),
        ({"least_validation": 400}, "no threshold for smooth: of"),
    ],
)
def test_why_it_ends_is_said(survey, capsys, given, said):
    assert survey.choose(survey.predict("p", 1.0), **given) == 0
    assert said in survey.choice()["stop"]
    assert "the recursion ends before round 1" in capsys.readouterr().err


def test_a_class_that_nobody_surely_is_ends_it(survey):
    known = survey.human & (survey.split == "validation")
    first = survey.predict("p", 1.0)
    from morphosphere.artefacts.catalogue import Catalogue

    predicted = Catalogue(first).read(["predicted"])["predicted"]
    only = np.where(known, predicted, "featured").astype(object)
    assert survey.choose(survey.predict("q", 1.0, predicted=only)) == 0
    assert survey.choice()["stop"] == "no galaxy without a label is surely smooth"
    assert survey.choice()["counts"] == {"smooth": 0, "featured": 0}


def test_labels_of_an_earlier_round_are_taken_away(survey):
    assert survey.choose(survey.predict("p", 1.0), per_class=60) == 0
    former = survey.folder / "former.h5"
    (survey.folder / "new.h5").rename(former)
    said = survey.predict("q", 1.0)
    assert survey.choose(said, target=former, per_class=10) == 0
    table = survey.new_table()
    pseudo = table["label_origin"] == "pseudo"
    assert pseudo.sum() == 20
    assert np.isnan(table["label"][~pseudo & ~survey.human]).all()
    assert (table["label_weight"][~pseudo] == 1).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"p_smooth": None}, "no column 'p_smooth'"),
        ({"label_origin": None}, "no column 'label_origin'"),
        (
            {"image_id": np.array([f"C_{k}" for k in range(1200)], dtype=object)},
            "not of the images",
        ),
        ({"predicted": np.full(1200, "spiral", dtype=object)}, "'spiral' is none of smooth"),
        ({"label": np.full(1200, 2.0)}, "a label is no number of a class"),
    ],
)
def test_predictions_that_do_not_belong_are_refused(survey, capsys, changes, said):
    assert survey.choose(survey.predict("p", 1.0, **changes)) == 1
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text
    assert not (survey.folder / "new.h5").exists()


def test_images_without_labels_are_refused(survey, capsys):
    from morphosphere.artefacts.imageset import ImageSetWriter

    with ImageSetWriter(survey.folder / "target.h5", channels=["r"], size=2) as out:
        row = {"image_id": ["a"], "galaxy_id": ["a"], "source": ["B"]}
        out.append(np.zeros((1, 1, 2, 2), np.float32), row)
    assert survey.choose(survey.predict("p", 1.0)) == 1
    assert "holds no labels; give the target.h5" in capsys.readouterr().err
