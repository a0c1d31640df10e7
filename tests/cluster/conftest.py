"""A two-node Slurm, started once, and projects that run on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from cluster.runs import LONGER
from cluster.slurm import Cluster, SlurmError
from conftest import ROOT, skip_or_fail
from workflow.conftest import Project, copy_project

ATTENTIVE = Path(__file__).with_name("attentive.py")
RANKS = "'srun --mpi=pmi2 --ntasks=$RANKS --kill-on-bad-exit=1'"


def test_profile(**changes: object) -> dict:
    """The profile as a user would fill it in, for nodes without GPUs and without waiting."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert profile["default-resources"]["slurm_account"] == "'ACCOUNT'"
    assert profile["default-resources"]["slurm_partition"] == "'PARTITION'"
    assert profile.pop("conda-prefix") == "CONDA_PREFIX"
    del profile["software-deployment-method"]
    profile["default-resources"] |= {
        "slurm_account": "'test'",
        "slurm_partition": "'main'",
    }
    profile["config"] = ["compute={nodes: 2, gpus: 0, processes: 1, cores: 1}"]
    for given in profile["set-resources"].values():
        if "mpi" in given:
            given |= {"tasks": 2, "nodes": 2}
    profile |= {"slurm-init-seconds-before-status-checks": 1, "latency-wait": 10}
    # Snakemake ends no sooner than one such time after its last look for jobs to send.
    profile["max-jobs-per-timespan"] = "10/1s"
    return profile | changes


test_profile.__test__ = False


@dataclass(frozen=True)
class ClusterProject:
    """A copy of the project on the cluster."""

    project: Project
    cluster: Cluster
    #: State and comment of its jobs, once it has run undisturbed.
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    _started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the copy is."""
        return self.project.folder

    def start(self, config: dict, *words: str, profile: dict | None = None) -> subprocess.Popen:
        """Start Snakemake; its output goes to ``snakemake.log``."""
        (self.folder / "my.yaml").write_text(yaml.safe_dump(config))
        folder = self.folder / "profiles" / "test"
        folder.mkdir(exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(profile or test_profile()))
        command = [sys.executable, "-P", str(ATTENTIVE), "--profile", "profiles/test"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        environment.pop("PYTHONPATH", None)
        with (self.folder / "snakemake.log").open("w") as log:
            process = subprocess.Popen(
                [*command, "--configfile", "my.yaml", *words],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what a failed test left running, so that the next one finds the cluster free."""
        left = [process for process in self._started if process.poll() is None]
        for process in left:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if left:
            self.cluster.run("scancel", "--user=root", "--signal=KILL", "--full")
            self.cluster.run("scancel", "--user=root")

    def run(
        self, config: dict, *words: str, profile: dict | None = None, seconds: float = 600
    ) -> tuple[int, str]:
        """Run Snakemake to its end; its exit status and what it said."""
        status = self.start(config, *words, profile=profile).wait(seconds)
        return status, self.said()

    def take_images(self, other: ClusterProject) -> None:
        """Take another run's results up to the images, so that training is what comes next."""
        for name in (".snakemake/metadata", "results"):
            shutil.copytree(other.folder / name, self.folder / name, symlinks=True)
        results = self.folder / "results" / "tiny"
        for name in ("model", "training", "hips", "site", "figures"):
            shutil.rmtree(results / name, ignore_errors=True)
        for stage in ("learn", "predict", "evaluate", "page"):
            (results / "provenance" / f"{stage}.json").unlink(missing_ok=True)
            (results / "logs" / f"{stage}.log").unlink(missing_ok=True)

    def said(self) -> str:
        """What Snakemake has said so far."""
        return (self.folder / "snakemake.log").read_text()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, for all tests of one worker."""
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
    except SlurmError as error:
        cluster.stop()
        skip_or_fail(f"Slurm does not start: {error}")
    yield cluster
    cluster.stop()


@pytest.fixture
def on_cluster(cluster: Cluster, tmp_path: Path) -> Iterator[ClusterProject]:
    """A fresh copy of the project."""
    cluster.wait_until_idle()
    fresh = ClusterProject(copy_project(tmp_path), cluster)
    yield fresh
    fresh.end()


@pytest.fixture
def with_images(on_cluster: ClusterProject, undisturbed: ClusterProject) -> ClusterProject:
    """A copy of the project that has images and no model."""
    on_cluster.take_images(undisturbed)
    return on_cluster


@pytest.fixture(scope="session")
def undisturbed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> ClusterProject:
    """The whole graph, run on the cluster without any trouble."""
    run = ClusterProject(copy_project(tmp_path_factory.mktemp("undisturbed")), cluster)
    before = set(cluster.jobs())
    status, said = run.run(LONGER)
    assert status == 0, said[-5000:]
    run.jobs.update({k: v for k, v in cluster.jobs().items() if k not in before})
    return run
