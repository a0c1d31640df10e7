"""Several processes on one folder, one of several ranks killed, and jobs that run out of memory."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from .faults import Faulty, Undisturbed

pytestmark = pytest.mark.timeout(900)

IMAGES = "results/tiny/images.h5"
MODEL = "results/tiny/model/model.json"
WAITS = "render-mock-99-0 0 wait 1"


def _wait_for(path: Path, *, there: bool = True) -> None:
    deadline = time.monotonic() + 120
    while path.exists() != there:
        assert time.monotonic() < deadline, f"{path}: {'not ' if there else 'still '}there"
        time.sleep(0.05)


def test_a_second_snakemake_is_refused_and_a_killed_one_leaves_no_jobs(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    with undisturbed.copied(tmp_path) as project:
        project.forget("render-mock-99-0", "join")
        with project.started(IMAGES, FAULT=WAITS, FAULT_FLAG=str(flag)) as first:
            _wait_for(flag)
            second = project.snakemake(IMAGES)
            assert second.code == 1, str(second)
            assert "no other Snakemake process" in second.said
            assert str(project.folder) in second.said
            undisturbed.assert_whole(project)
            first.kill()
        _wait_for(Path("/proc", flag.read_text()), there=False)
        undisturbed.assert_whole(project)
        assert "--unlock" in project.snakemake(IMAGES).said
        assert project.snakemake("--unlock").code == 0
        done = project.snakemake(IMAGES)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


def test_two_snakemakes_without_their_lock_make_each_result_one_after_the_other(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    flag, log = tmp_path / "flag", "logs/render-mock-99-0.log"
    with undisturbed.copied(tmp_path) as project:
        project.forget("render-mock-99-0", "join")
        with (
            project.started(IMAGES, FAULT=WAITS, FAULT_FLAG=str(flag)) as first,
            project.started(IMAGES, "--nolock") as second,
        ):
            _wait_for(flag)
            (project.results / log).write_text("")
            flag.unlink()
            said = [process.communicate(timeout=300)[0] for process in (first, second)]
        # One of them may find a result gone that the other is about to make again; never half.
        assert 0 in (first.returncode, second.returncode), said
        undisturbed.assert_whole(project)
        done = project.snakemake(IMAGES)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


@pytest.mark.parametrize(
    ("job", "moment"),
    [("extract-mock-99", "1"), ("predict", "w5")],
)
def test_a_killed_mpi_rank(undisturbed: Undisturbed, tmp_path: Path, job: str, moment: str) -> None:
    with undisturbed.copied(tmp_path) as project:
        project.forget(job)
        done = project.run(job, timeout=90, FAULT=f"{job} 1 kill {moment}")
        assert done.code not in (0, 1), f"it was not killed: {done}"
        assert "KILLED BY SIGNAL: 9" in done.said or "signal 9" in done.said, str(done)
        undisturbed.assert_whole(project)
        done = project.run(job)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


def test_a_killed_process_of_training(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """In the second epoch; two processes train another model than one, but always the same."""
    with undisturbed.copied(tmp_path) as project:
        _train_with_two_processes(project)
        project.forget("learn")
        assert project.snakemake(MODEL).code == 0
        undisturbed_by_two = project.digests()
        project.forget("learn")
        done = project.snakemake(MODEL, FAULT="learn 0 kill-others 5")
        assert done.code == 1, str(done)
        assert "process 1 of 2 ended early" in done.said, str(done)
        assert not (project.folder / MODEL).exists()
        done = project.snakemake(MODEL)
        assert done.code == 0, str(done)
        log = (project.results / "logs" / "learn.log").read_text()
        assert "going on from" in log
        assert project.digests() == undisturbed_by_two


def _train_with_two_processes(project: Faulty) -> None:
    path = project.folder / "my.yaml"
    config = json.loads(path.read_text())
    config["compute"] = {"processes": 2}
    config["learn"]["epochs"] = 2
    path.write_text(json.dumps(config))


def test_a_job_that_the_kernel_kills_for_its_memory(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    with undisturbed.copied(tmp_path) as project:
        project.forget("render-mock-99-0", "join")
        done = project.snakemake(IMAGES, FAULT="render-mock-99-0 0 kill 1")
        assert done.code == 1, str(done)
        assert "Killed" in done.said
        assert "killed, most often because memory\nran out" in done.said, str(done)
        undisturbed.assert_whole(project)
        done = project.snakemake(IMAGES)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


@pytest.mark.parametrize(
    ("job", "moment"),
    [("extract-mock-99", "w1"), ("render-mock-99-0", "w1"), ("join", "w1"), ("page", "w1")],
)
def test_a_job_that_is_given_no_more_memory(
    undisturbed: Undisturbed, tmp_path: Path, job: str, moment: str
) -> None:
    with undisturbed.copied(tmp_path) as project:
        project.forget(job)
        done = project.run(job, timeout=90, FAULT=f"{job} 0 memory {moment}")
        assert done.code == 1, str(done)
        assert "error: out of memory" in done.said, str(done)
        assert "Traceback" not in done.said
        undisturbed.assert_whole(project)
        done = project.run(job)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)
