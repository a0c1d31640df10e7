"""The section of structural parameters: what must agree, and what follows from what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from morphosphere.config import Config
from morphosphere.config.base import check
from morphosphere.config.sersic import SersicSettings
from morphosphere.errors import ConfigError
from morphosphere.files import expand_ranges
from morphosphere.sersic.graph import Structure


def _settings(**given: Any) -> SersicSettings:
    return check(SersicSettings, given, source="sersic")


def test_simulations_decide_for_the_network() -> None:
    given = _settings(simulate={"components": 2, "size": 64})
    learn = given.learning()
    assert (learn.components, learn.transform.size) == (2, 64)
    assert learn.fill.magnitudes == "uniform"
    assert _settings(simulate={"table": "some.csv"}).learning().fill.magnitudes == "kept"


def test_real_images_are_as_wide_as_simulated_ones() -> None:
    given = _settings(simulate={"size": 64}, real={"few": {"path": "x.fits"}})
    assert given.real_of("few").size == 64


def test_without_all_parameters_no_model_is_adapted() -> None:
    given = {"kind": "stamps", "path": "x", "psf": "p.fits", "gain": 1.0, "zero_point": 25.0}
    some = given | {"table": "t.csv", "columns": {"magnitude": "MAG", "radius": "RE"}}
    real = {"fit": some, "some": some | {"labels": "catalogue"}, "none": given | {"labels": "none"}}
    structure = Structure.of(
        check(Config, {"sersic": {"real": real}}, source="config"), "results/x"
    )
    assert structure.adapted() == ["fit"]


def test_adaptation_takes_under_a_hundredth_of_the_training() -> None:
    adapted = _settings(simulate={"number": 5000}).adapting("results/x/sersic/model")
    assert adapted.limit == 39
    assert adapted.encoder.start == "results/x/sersic/model"
    assert not adapted.fill.noise
    assert adapted.shares.test == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learn": {"components": 2}}, "simulate.components holds for all"),
        ({"learn": {"transform": {"size": 64, "scale": "fixed", "value": 1, "stretch": "none"}}},
         "simulate.size holds for all"),
        ({"learn": {"split": {"test": 0.3}}}, "8:1:1"),
        ({"learn": {"encoder": {"harmonics": [1, 2]}}}, "must hold 0 and 2"),
        ({"real": {"a b": {"path": "x.fits"}}}, "real.a b"),
        ({"simulate": {"stretch": 1}}, "simulate.stretch"),
        ({"real": {"a": {"path": "x.fits", "size": 96}}}, "real.a.size: leave it out"),
        ({"simulate": {"components": 2}, "real": {"a": {"path": "x.fits"}}}, "one component"),
        ({"simulate": {"components": 2}, "fit": {"tools": ["statmorph"]}}, "add galsim"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told_by_its_key(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        _settings(**given)


def test_files_that_are_named_must_be_there(tmp_path: Path) -> None:
    catalogue = tmp_path / "real.fits"
    config = {"sersic": {"real": {"cosmos": {"path": str(catalogue)}}}}
    structure = Structure.of(check(Config, config, source="config"), "results/x")
    with pytest.raises(ConfigError, match=r"sersic\.real\.cosmos\.path: .*real\.fits does not"):
        structure.check()
    catalogue.touch()
    structure.check()
    assert structure.adapted() == ["cosmos"]
    assert structure.real_arguments() == [
        "cosmos=results/x/sersic/real/cosmos/images.h5=results/x/sersic/real/cosmos/before.parquet"
        "=results/x/sersic/real/cosmos/after.parquet=results/x/sersic/real/cosmos/fits.parquet"
    ]
    names = [name for pattern in structure.jobs() for name in expand_ranges(pattern)]
    assert {"sersic_simulate-3", "sersic_adapt-cosmos", "sersic_evaluate"} <= set(names)


def test_without_adaptation_nothing_comes_after() -> None:
    config = {"sersic": {"adapt": None, "real": {"mine": {"path": "x.fits"}}}}
    structure = Structure.of(check(Config, config, source="config"), "results/x")
    assert structure.adapted() == []
    assert "before.parquet==results" in structure.real_arguments()[0]
