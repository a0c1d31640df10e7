import pytest
from pydantic import BaseModel

from morphosphere.config import Config
from morphosphere.config.base import Settings, check
from morphosphere.errors import ConfigError

SMALL = {"surveys": {"sdss": {"path": "data"}}}


def sections(model: type[BaseModel]):
    """A settings model and all those below it."""
    yield model
    for field in model.model_fields.values():
        for part in [field.annotation, *getattr(field.annotation, "__args__", ())]:
            if isinstance(part, type) and issubclass(part, Settings):
                yield from sections(part)


def test_a_source_is_all_that_is_needed():
    config = check(Config, SMALL, source="test")
    assert config.surveys["sdss"].path == "data"
    assert config.run == "demo"


def test_all_mistakes_are_reported_at_once_with_their_path():
    value = {
        "run": "a/b",
        "seed": -1,
        "colour": "red",
        "surveys": {"sdss": {"path": "data", "size": 3, "fit": "stretch", "sise": 64}},
        "learn": {"epochs": "many"},
    }
    with pytest.raises(ConfigError) as caught:
        check(Config, value, source="my.yaml")
    text = str(caught.value)
    assert text.startswith("my.yaml: 7 mistakes")
    for line in (
        "run: must be letters",
        "seed: input should be greater than or equal to 0; got -1",
        "colour: unknown key",
        "surveys.sdss.size: input should be greater than or equal to 8; got 3",
        "surveys.sdss.fit: input should be 'resample'",
        "surveys.sdss.sise: unknown key",
        "learn.epochs: input should be a valid integer",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "at least one entry under simulations or surveys"),
        ({"surveys": {"a b": {"path": "x"}}}, "'a b' must be letters"),
        ({"simulations": {"x": {}}, "surveys": {"x": {"path": "y"}}}, "both a simulation and a"),
        ({"surveys": {"x": {}}}, "surveys.x.path: required"),
        ({"surveys": {"x": 3}}, "surveys.x: "),
        ([], "expected a mapping"),
        (None, "expected a mapping"),
    ],
)
def test_values_that_do_not_go_together(value, message):
    with pytest.raises(ConfigError, match=message):
        check(Config, value, source="test")


def test_settings_do_not_change():
    config = check(Config, SMALL, source="test")
    with pytest.raises(Exception, match="frozen"):
        config.seed = 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value):
    with pytest.raises(ConfigError, match=r"surveys\.x\.object_scale"):
        check(Config, {"surveys": {"x": {"path": "y", "object_scale": value}}}, source="test")


def test_every_key_says_what_it_is():
    silent = [
        f"{model.__name__}.{name}"
        for model in sections(Config)
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []
    assert len(list(sections(Config))) > 9


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        ({"pattern": "{id}_{band}.fits"}, "name the bands"),
        ({"pattern": "{band}.fits", "bands": ["g"]}, "needs {id}"),
        ({"hdu": [1, 2], "bands": ["g", "r", "i"]}, "as many as `bands`"),
        ({"hdu": ["each", 2]}, "'each' stands alone"),
        ({"pattern": "{id}_{band}", "bands": ["g"], "hdu": "each"}, "one index or name"),
        ({"name_columns": "ra(?P<ra>["}, "must be a regular expression"),
        ({"name_columns": "ra(.*)"}, "must have named groups"),
        ({"crop": 0}, "greater than 0"),
        ({"crop": 1.1}, "less than or equal to 1"),
        ({"bands": []}, "at least 1"),
        ({"limit": 0}, "greater than or equal to 1"),
    ],
)
def test_survey_settings_that_cannot_be(survey, message):
    with pytest.raises(ConfigError, match=message):
        check(Config, {"surveys": {"x": {"path": "y", **survey}}}, source="test")
