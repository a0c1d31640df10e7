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
    return project.folder


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
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
