"""Rules run inside their conda environments: those are created, and nothing else leaks in.

Not created are the gigabytes of the environment for learning: its jobs run here with the Python
that runs Snakemake, and its pins are checked in test_pins.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from download.conftest import FAST
from download.server import Server
from download.test_images import image_of
from workflow.conftest import Project, copy_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("environments"),
    pytest.mark.usefixtures("package_index"),
]

TINY = {
    "run": "tiny",
    "simulations": {"mock": {}},
    "mock": {"galaxies": 8, "files": 1, "stars_range": [300, 600]},
    "render": {"size": 32, "cameras": {"isotropic": 2}},
    "surveys": {
        "sky": {
            "hips2fits": {
                "hips": ["CDS/P/X/infra", "CDS/P/X/red", "CDS/P/X/green"],
                "positions": "positions.csv",
                "size": 32,
                **FAST,
            },
            "bands": ["i", "r", "g"],
            "size": 32,
        }
    },
    "learn": {
        "epochs": 1,
        "batch_size": 8,
        "transform": {"size": 32},
        "encoder": {"width": 4},
        "decoder": {"width": 8},
        "features": 8,
    },
    "predict": {"neighbours": 3},
    "hips": {"order": 1, "tile_width": 64, "cells": 2},
}
IMAGES, PAGE = "results/tiny/images.h5", "results/tiny/site/index.html"
AFTER_MODEL = ("hips", "page_data", "page")
# Records, and the environment that their jobs ran in.
RECORDS = {
    "download-sky": "download",
    "mock": "simulations",
    "extract-mock-*": "simulations",
    "render-mock-*": "simulations",
    "collect-sky": "surveys",
    "join": "surveys",
    "hips-*": "map",
    "page_data": "map",
    "page": "map",
}
CREATED = sorted(set(RECORDS.values()))


@dataclass(frozen=True)
class Made:
    """A run whose jobs before and after learning ran in conda environments."""

    project: Project
    conda_prefix: Path
    options: tuple[str, ...]
    said: str

    def prefix(self, environment: str) -> Path:
        """Where an environment is; Snakemake keeps its YAML beside it."""
        text = (ROOT / "envs" / f"{environment}.yaml").read_text()
        (file,) = (f for f in self.conda_prefix.glob("*.yaml") if f.read_text() == text)
        return file.with_suffix("")


def _pins(environment: str) -> dict[str, str]:
    text = yaml.safe_load((ROOT / "envs" / f"{environment}.yaml").read_text())
    lines = text["dependencies"][-1]["pip"]
    return dict(line.split(" ;")[0].split("==") for line in lines)


@pytest.fixture(scope="module")
def config(conda: Path) -> Iterator[dict]:
    """The configuration, with its server of images started and conda on the PATH."""
    with Server(images=image_of) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(conda), prepend=os.pathsep)
        patch.setenv("NO_PROXY", "127.0.0.1")
        config = copy.deepcopy(TINY)
        config["surveys"]["sky"]["hips2fits"]["url"] = f"{server.hips_url}/hips2fits"
        yield config


@pytest.fixture(scope="module")
def made(config: dict, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The run: images and map in conda environments, the model between them without."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project.folder / "positions.csv").write_text("name,ra,dec\na,10,20\nb,5,-45\nc,7,3\n")
    conda_prefix = tmp_path_factory.mktemp("environments")
    options = ("--sdm", "conda", "--conda-prefix", str(conda_prefix))
    said = ""
    for words in (
        (*options, IMAGES),
        ("results/tiny/catalogue.parquet", "--rerun-triggers", "mtime"),
        # Environments are created for the whole graph at once: it is left without learning.
        (*options, PAGE, "--rerun-triggers", "mtime", "--allowed-rules", *AFTER_MODEL),
    ):
        done = project.snakemake(*words, config=config)
        said += done.stdout + done.stderr
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    yield Made(project, conda_prefix, options, said)
    shutil.rmtree(conda_prefix)


def test_only_environments_of_jobs_that_run_are_created(made: Made) -> None:
    assert len(list(made.conda_prefix.glob("*.yaml"))) == len(CREATED)
    assert all((made.prefix(name) / "conda-meta" / "history").is_file() for name in CREATED)
    assert "channel priorities" not in made.said


@pytest.mark.parametrize("environment", CREATED)
def test_an_environment_is_what_was_pinned_and_no_more(made: Made, environment: str) -> None:
    python = made.prefix(environment) / "bin" / "python"
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True
    )
    found = {entry["name"].lower(): entry["version"] for entry in json.loads(listed.stdout)}
    found.pop("pip")
    assert {name.replace("_", "-"): version for name, version in found.items()} == _pins(
        environment
    )
    checked = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("records", "environment"), RECORDS.items())
def test_jobs_run_in_their_environment(made: Made, records: str, environment: str) -> None:
    files = list((made.project.folder / "results/tiny/provenance").glob(f"{records}.json"))
    assert files
    for file in files:
        record = json.loads(file.read_text())
        assert record["environment"] == str(made.prefix(environment))
        assert record["packages"]
        assert record["packages"].items() <= _pins(environment).items()


def test_ranks_are_started_by_the_mpi_of_the_environment(made: Made, conda: Path) -> None:
    prefix = made.prefix("simulations")
    asked = "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"
    command = (
        f"source {conda}/activate '{prefix}'; command -v mpiexec; mpiexec -n 2 python -c '{asked}'"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(prefix / "bin" / "mpiexec"), "2", "2"], done.stderr


def test_a_second_run_has_nothing_to_do(made: Made, config: dict) -> None:
    assert made.project.planned(*made.options, IMAGES, config=config) == set()


def test_a_changed_environment_reruns_what_it_serves(made: Made, config: dict) -> None:
    file = made.project.folder / "envs" / "surveys.yaml"
    text = file.read_text()
    file.write_text(text + "      - six==1.17.0\n")
    try:
        planned = made.project.planned(*made.options, IMAGES, config=config)
    finally:
        file.write_text(text)
    assert planned == {"collect", "join"}
