"""A copy of the project to run the real graph in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

from .faults import Faulty, Undisturbed, locked, make_undisturbed, read_undisturbed

PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "src")


@dataclass(frozen=True)
class Project:
    """A copy of the source tree, with room for results."""

    folder: Path

    def snakemake(
        self, *words: str, config: dict | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user would; the configuration goes through a file."""
        command = [sys.executable, "-m", "snakemake", "--profile", "profiles/local", *words]
        if config is not None:
            path = self.folder / "my.yaml"
            path.write_text(yaml.safe_dump(config))
            command += ["--configfile", "my.yaml"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, env=environment, timeout=900
        )

    def kill_when(self, path: str, config: dict) -> None:
        """Start a run and kill all of it with SIGKILL as soon as `path` is there."""
        (self.folder / "my.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "--profile", "profiles/local"]
        process = subprocess.Popen(
            [*command, "--configfile", "my.yaml"],
            cwd=self.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not (self.folder / path).exists():
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    def planned(self, *words: str, config: dict | None = None) -> set[str]:
        """Names of the rules that a dry run would run."""
        done = self.snakemake("--dry-run", *words, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        rules = {
            line.split()[1].rstrip(":")
            for line in (done.stdout + done.stderr).splitlines()
            if line.startswith(("rule ", "localrule "))
        }
        return rules - {"all"}


def copy_project(folder: Path) -> Project:
    """Copy what the graph needs; node_modules is linked, as it is only read."""
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    _share_compiled(folder)
    return Project(folder)


def _share_compiled(folder: Path) -> None:
    """Let a copy use what Python and Numba compile of the project, and all other copies with it.

    Both look at the size and time of a source, so that a module which a test changes is compiled
    again; compiling all loops takes a minute of a core, for every copy and rank.
    """
    root = ROOT / "src" / "morphosphere"
    for package in sorted({path.parent for path in root.rglob("*.py")}):
        (package / "__pycache__").mkdir(exist_ok=True)
        copy = folder / package.relative_to(ROOT)
        (copy / "__pycache__").symlink_to(package / "__pycache__")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A fresh copy of the project, shared by the tests of one worker."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A finished run that nothing disturbed; the first worker that asks for it makes it for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "undisturbed"
    with locked(folder.with_suffix(".lock")):
        if (folder / "digests.json").exists():
            return read_undisturbed(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return make_undisturbed(Faulty(copy_project(folder).folder))
