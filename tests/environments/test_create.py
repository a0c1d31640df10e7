"""Rules run inside their conda environments: those are created, and nothing else leaks in.

All that leads to the images is run so. The environments after that hold gigabytes; they are not
created, but pip solves them from their pins.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
}
IMAGES = "results/tiny/images.h5"
# Records, and the environment that their jobs ran in.
RECORDS = {
    "download_images-sky": "download",
    "mock": "simulations",
    "extract-mock-*": "simulations",
    "render-mock-*": "simulations",
    "collect-sky": "surveys",
    "join": "surveys",
}
CREATED = sorted(set(RECORDS.values()))
SOLVED = sorted({file.stem for file in (ROOT / "envs").glob("*.yaml")} - set(CREATED))


@dataclass(frozen=True)
class Made:
    """A run whose jobs ran in conda environments."""

    project: Project
    conda_prefix: Path
    options: tuple[str, ...]
    said: str

    def prefix(self, environment: str) -> Path:
        """Where an environment is; Snakemake keeps its YAML beside it."""
        text = (ROOT / "envs" / f"{environment}.yaml").read_text()
        (file,) = (f for f in self.conda_prefix.glob("*.yaml") if f.read_text() == text)
        return file.with_suffix("")


def _lines(environment: str) -> list[str]:
    text = yaml.safe_load((ROOT / "envs" / f"{environment}.yaml").read_text())
    return text["dependencies"][-1]["pip"]


def _pins(environment: str) -> dict[str, str]:
    """Version of each package that this machine needs."""
    pins = map(Requirement, _lines(environment))
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


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
    """The run: from a mock box and from a server of images to one ImageSet."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project.folder / "positions.csv").write_text("name,ra,dec\na,10,20\nb,5,-45\nc,7,3\n")
    conda_prefix = tmp_path_factory.mktemp("environments")
    options = ("--sdm", "conda", "--conda-prefix", str(conda_prefix))
    done = project.snakemake(*options, IMAGES, config=config)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    yield Made(project, conda_prefix, options, said)
    shutil.rmtree(conda_prefix)


def test_only_environments_of_jobs_that_run_are_created(made: Made) -> None:
    assert len(list(made.conda_prefix.glob("*.yaml"))) == len(CREATED)
    assert all((made.prefix(name) / "conda-meta" / "history").is_file() for name in CREATED)
    assert "channel priorities" not in made.said


@pytest.mark.parametrize("environment", CREATED)
def test_an_environment_is_what_was_pinned_and_no_more(made: Made, environment: str) -> None:
    python = made.prefix(environment) / "bin" / "python"
    asked = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"
    listed = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    found = dict(line.split() for line in listed.stdout.splitlines())
    found.pop("pip")
    assert {canonicalize_name(name): found[name] for name in found} == _pins(environment)
    checked = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.usefixtures("conda")  # skips where Python is not that of the environments
@pytest.mark.parametrize("environment", SOLVED)
def test_an_environment_that_is_not_created_can_be_solved(environment: str, tmp_path: Path) -> None:
    """pip, which knows nothing that is installed, finds all pins and needs nothing else."""
    lines, report = tmp_path / "pins.txt", tmp_path / "report.json"
    lines.write_text("\n".join(_lines(environment)))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--only-binary", ":all:", "--report", report, "--requirement", lines]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    metadata = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    found = {canonicalize_name(entry["name"]): entry["version"] for entry in metadata}
    assert found == _pins(environment)


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
    # one write for a line: those of two ranks can meet
    asked = 'import os; from mpi4py import MPI; os.write(1, b"%d\\n" % MPI.COMM_WORLD.size)'
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
