"""What the rules of surveys ask, without running them."""

from __future__ import annotations

from typing import Any

import pytest

from factories_configs import small_mock
from morphosphere.config import Config
from morphosphere.errors import ConfigError
from morphosphere.surveys.graph import Transfer


def _surveys(*, size: int = 64, overlap: bool = False, rounds: int = 2) -> Transfer:
    target: dict[str, Any] = {"render": {"size": size, "channels": ["i", "r", "g"]}}
    labelled = {"render": {"size": 64, "channels": ["i", "r", "g"]}}
    config = {
        **small_mock("t"),
        "transfer": {
            "labelled": labelled,
            "target": target,
            "label": {"overlap": overlap},
            "recursion": {"rounds": rounds},
        },
    }
    return Transfer(Config.model_validate(config), "results/t")


def test_surveys_that_are_joined_have_images_of_one_size() -> None:
    with pytest.raises(ConfigError, match=r"64 px and transfer\.target of 80 px"):
        _surveys(size=80).check()
    for sound in (_surveys(), _surveys(size=80, overlap=True), _surveys(size=80, rounds=0)):
        sound.check()


def test_the_last_round_chooses_nothing_and_has_no_record_of_it() -> None:
    jobs = _surveys().jobs([0, 1, 2])
    assert "survey_predict-1-target" in jobs
    assert "survey_predict-2-target" not in jobs
    assert "survey_predict-2-labelled" in jobs
    assert "survey_join_round-2" in jobs


def test_the_choice_that_ended_the_rounds_has_a_record() -> None:
    jobs = _surveys(overlap=True).jobs([0, 1])
    assert "survey_choose-2" in jobs
    assert "survey_choose-3" not in jobs
    assert not [name for name in jobs if "join_round" in name]


def test_from_scratch_is_without_the_weights_of_a_backbone() -> None:
    encoder = {"name": "resnet18", "weights": "hub"}
    given = Config.model_validate({"transfer": {"learn": {"encoder": encoder}}})
    surveys = Transfer(given, "results/t")
    assert surveys.learning("learn").encoder.weights == "hub"
    assert surveys.learning("learn", start=None).encoder.weights is None
    adapted = surveys.learning("adapt", start="results/t/survey/labelled/model").encoder
    assert (adapted.name, adapted.weights) == ("resnet18", None)
