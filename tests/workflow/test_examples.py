"""Every example of configuration makes a complete plan."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def places(project) -> Path:
    """Stand-ins for the data that the examples name: a dry run only asks whether they are there."""
    for example in EXAMPLES:
        config = yaml.safe_load(example.read_text())
        for simulation in config.get("simulations", {}).values():
            if "tng_api" in simulation:
                continue
            folder = project.folder / simulation["path"]
            for number in simulation.get("snapshots", [99]):
                part = folder / f"snapdir_{number:03d}"
                part.mkdir(parents=True, exist_ok=True)
                (part / f"snap_{number:03d}.0.hdf5").touch()
        for survey in config.get("surveys", {}).values():
            if "path" in survey:
                (project.folder / survey["path"]).mkdir(parents=True, exist_ok=True)
            for table in (survey.get("table"), survey.get("hips2fits", {}).get("positions")):
                if table:
                    (project.folder / table).parent.mkdir(parents=True, exist_ok=True)
                    (project.folder / table).touch()
        for source in config.get("transfer", {}).values():
            given = source.get("images") if isinstance(source, dict) else None
            if given:
                (project.folder / given["path"]).mkdir(parents=True, exist_ok=True)
                if "table" in given:
                    (project.folder / given["table"]).touch()
        mergers = config.get("mergers", {})
        for kind in ("runs", "deepgalaxy", "real"):
            for source in mergers.get(kind, {}).values():
                place = project.folder / source["path"]
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch() if place.suffix else place.mkdir(exist_ok=True)
        for source in config.get("sersic", {}).get("real", {}).values():
            (project.folder / source["path"]).parent.mkdir(parents=True, exist_ok=True)
            (project.folder / source["path"]).touch()
    return project.folder


NO_MAP = ("mergers", "survey_sdss", "sersic")
MAPS = [example for example in EXAMPLES if not example.stem.startswith(NO_MAP)]
MERGERS = [example for example in EXAMPLES if example.stem.startswith("mergers")]


@pytest.mark.parametrize("example", MAPS, ids=lambda path: path.stem)
def test_example_makes_a_plan(project, places: Path, example: Path) -> None:
    shutil.copy(example, places / "example.yaml")
    config = yaml.safe_load(example.read_text())
    rules = project.planned("--configfile", "example.yaml")
    assert {"join", "learn", "predict", "evaluate", "hips", "page_data", "page"} <= rules
    assert ("render" in rules) == bool(config.get("simulations"))
    assert ("collect" in rules) == bool(config.get("surveys"))
    sources = [*config.get("simulations", {}).values(), *config.get("surveys", {}).values()]
    assert ("download_cutouts" in rules) == any("tng_api" in source for source in sources)
    assert ("download_images" in rules) == any("hips2fits" in source for source in sources)
    assert "mock" not in rules


@pytest.mark.parametrize("example", MERGERS, ids=lambda path: path.stem)
def test_example_of_mergers_makes_a_plan(project, places: Path, example: Path) -> None:
    shutil.copy(example, places / "example.yaml")
    mergers = yaml.safe_load(example.read_text())["mergers"]
    rules = project.planned("mergers", "--configfile", "example.yaml")
    assert {"learn_mergers", "learn_leaky", "evaluate_mergers", "merger_page"} <= rules
    assert ("encounters" in rules) == (mergers.get("encounters", {}) is not None)
    assert ("merger_run" in rules) == ("render_run" in rules) == ("runs" in mergers)
    assert ("merger_images" in rules) == ("real" in mergers)
    assert ("deepgalaxy" in rules) == ("deepgalaxy" in mergers)
    assert not rules & {"learn", "hips", "mock", "extract"}
    # There is nothing for a map: the same without a target.
    assert project.planned("--configfile", "example.yaml") >= rules - {"mergers"}


def test_example_of_surveys_makes_a_plan(project, places: Path) -> None:
    shutil.copy(ROOT / "config" / "examples" / "survey_sdss.yaml", places / "example.yaml")
    rules = project.planned("--configfile", "example.yaml")
    assert {"collect_survey", "survey_label", "learn_labelled", "settle_survey"} <= rules
    assert not {"mock", "extract", "learn", "hips"} & rules


@pytest.mark.parametrize("name", ["sersic_50k", "sersic_cosmos"])
def test_example_of_structural_parameters_makes_a_plan(project, places: Path, name: str) -> None:
    shutil.copy(ROOT / "config" / "examples" / f"{name}.yaml", places / "example.yaml")
    rules = project.planned("--configfile", "example.yaml")
    assert {"sersic_simulate", "learn_sersic", "bound_sersic", "fit_sersic"} < rules
    real = {"sersic_real", "adapt_sersic", "predict_real", "predict_adapted", "fit_real"}
    assert real & rules == (real if name == "sersic_cosmos" else set())
