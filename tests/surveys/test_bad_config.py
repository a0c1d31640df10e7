"""Mistakes in the section of surveys: one line each, naming the key, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from morphosphere.config import Config
from morphosphere.errors import ConfigError
from morphosphere.graph import load
from morphosphere.surveys.graph import Transfer

_SOUND = {"where": "T <= 0"}


def refused(transfer: Any, *, files: bool = False) -> str:
    """What is said of a configuration: the line on its only mistake."""
    if files:  # the settings are sound
        survey = Transfer(load({"transfer": transfer}), "results/t")
        with pytest.raises(ConfigError) as caught:
            survey.check()
        lines = str(caught.value).splitlines()
    else:
        with pytest.raises(ConfigError) as caught:
            load({"transfer": transfer})
        first, *lines = str(caught.value).splitlines()
        assert first == "configuration: 1 mistake in the configuration:"
    assert len(lines) == 1
    return lines[0].strip()


def classes(**rules: Any) -> dict[str, Any]:
    """Classes as they stand below `transfer`."""
    return {"label": {"classes": rules}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lable": {}}, "transfer.lable: unknown key"),
        ({"learn": {"epoch": 3}}, "transfer.learn.epoch: unknown key"),
        (
            classes(a=_SOUND, b={"wher": "T > 0", "where": "T > 0"}),
            "transfer.label.classes.b.wher: unknown key",
        ),
        (None, "transfer: expected keys below it; got None"),
    ],
)
def test_unknown_keys(given: Any, said: str) -> None:
    assert refused(given).startswith(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (classes(a=_SOUND, b={}), "classes.b: give `where` or `votes`"),
        (classes(a=_SOUND, b=None), "classes.b: expected keys below it; got None"),
        (classes(a=_SOUND, b="T > 0"), "classes.b: expected keys below it; got 'T > 0'"),
        (classes(a=_SOUND, b={"votes": "p"}), "classes: 'a' has no `votes`, but others have"),
        (classes(a=_SOUND), "classes: give at least 2 keys, not 1"),
        ({"label": {"classes": ["a", "b"]}}, "classes: expected keys below it; got ['a', 'b']"),
        (classes(a=_SOUND, **{"S 0": _SOUND}), "classes: 'S 0' cannot be the name of a class"),
        ({"label": {"confident": 80}}, "confident must be a share from 0 to 1"),
        (
            {"label": {"classes": {"a": _SOUND, "b": _SOUND}, "confident": 0.8}},
            "confident is a share of votes, but the classes have none; give an expression",
        ),
        ({"label": {"table": {"by": "position"}}}, "table.path: required, but not given"),
        ({"label": {"ambiguous": "keep"}}, "ambiguous: input should be 'drop' or 'nearest'"),
    ],
)
def test_labels(given: Any, said: str) -> None:
    line = refused(given)
    assert line.startswith("transfer.label")
    assert said in line


@pytest.mark.parametrize("stage", ["learn", "adapt"])
def test_a_type_that_no_column_tells(stage: str) -> None:
    line = refused({stage: {"type": {"low": -5}}})
    assert f"{stage}.type is given, but label.type is not: name the column" in line
    load({"transfer": {stage: {"type": {"low": -5}}, "label": {"type": "T"}}})


@pytest.mark.parametrize("curve", [[20, 20], [1, 20]])
def test_a_learning_curve_with_repeated_or_too_few_labels(curve: list[int]) -> None:
    assert f"curve: give different numbers, each at least 2 (a class each); got {curve}" in refused(
        {"curve": curve}
    )


@pytest.mark.parametrize("survey", ["labelled", "target"])
def test_a_source_of_no_kind_or_of_both(survey: str) -> None:
    said = f"transfer.{survey}: give either images (a folder) or render (a mock survey)"
    assert refused({survey: {}}) == said
    assert refused({survey: {"images": {"path": "x"}, "render": {}}}) == said
    line = refused({survey: {"images": {}}})
    assert line == f"transfer.{survey}.images.path: required, but not given"


def test_weights_of_a_network_that_has_none() -> None:
    line = refused({"learn": {"encoder": {"weights": "hub"}}})
    assert line.startswith("transfer.learn.encoder: weights are those of a backbone of timm")


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"transfer": {"lable": {}, "recursion": {"rounds": -1}}})
    lines = str(caught.value).splitlines()
    assert lines[0] == "configuration: 2 mistakes in the configuration:"
    assert {line.split(":")[0].strip() for line in lines[1:]} == {
        "transfer.lable",
        "transfer.recursion.rounds",
    }


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Any]:
    """Two surveys whose folders are there."""
    (tmp_path / "a").mkdir()
    source = {"images": {"path": str(tmp_path / "a")}}
    return {"labelled": source, "target": source}


def test_sources_that_are_there_are_accepted(sources: dict[str, Any]) -> None:
    config = load({"transfer": sources})
    assert isinstance(config, Config)
    Transfer(config, "results/t").check()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"labelled": {"images": {"path": "/none/here"}}},
            "labelled.images.path: /none/here does not exist",
        ),
        (
            {"target": {"images": {"path": "/", "table": "/none/t.csv"}}},
            "target.images.table: /none/t.csv does not exist",
        ),
        (
            {"label": {"table": {"path": "/none/l.csv"}}},
            "label.table.path: /none/l.csv does not exist",
        ),
        (
            {"target": {"render": {}}},
            "target: a mock survey observes the run's simulations, and there are none; give "
            "images (a folder), or an entry under simulations",
        ),
        (
            {"learn": {"encoder": {"start": "/none/model"}}},
            "learn.encoder.start: /none/model is no finished model; give a folder with",
        ),
        ({"sphere": "/none/model"}, "sphere: /none/model is no finished model"),
        (
            {"learn": {"encoder": {"name": "resnet18", "weights": "/none/w.pt"}}},
            "learn.encoder.weights: /none/w.pt does not exist; give a file, or hub",
        ),
        (
            classes(a=_SOUND, b={"where": "T >"}),
            "label.classes.b.where: 'T >' is no expression of columns",
        ),
        (
            {"label": {"confident": "votes[0] > 1"}},
            "label.confident: 'votes[0] > 1' is no expression of columns",
        ),
        ({"label": {"type": "T T"}}, "label.type: 'T T' is no expression of columns"),
    ],
)
def test_what_is_not_there_or_cannot_be_read(
    sources: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    line = refused(sources | given, files=True)
    assert line.startswith(f"transfer.{said}")


def test_a_wrong_expression_for_the_mock_surveys(sources: dict[str, Any]) -> None:
    given = {"labelled": {"render": {}}, "mock": {"featured": "sfr >"}}
    assert refused(sources | given, files=True).startswith("transfer.mock.featured: 'sfr >'")
