"""Jobs, ranks and Snakemake itself killed with SIGKILL: nothing half, and the next run is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from .faults import CONFIG, Undisturbed

pytestmark = pytest.mark.timeout(900)

JOBS = (
    "mock",
    "extract-mock-99",
    "render-mock-99-0",
    "collect-sky",
    "join",
    "learn",
    "predict",
    "evaluate",
    "hips-real",
    "hips-generated",
    "hips-density",
    "hips-catalogue",
    "page_data",
    "page",
    "summary",
)
#: Made once more in some seconds, so that they are killed at one moment only.
LONG = ("learn", "evaluate")


def test_every_job_is_killed_here(undisturbed: Undisturbed) -> None:
    twins = {"render-mock-99-1": "render-mock-99-0", "join_training": "join"}
    assert {twins.get(job, job) for job in undisturbed.project.jobs} == set(JOBS)


def test_nothing_is_opened_for_writing_in_its_place(undisturbed: Undisturbed) -> None:
    """What C libraries open is not seen here; a full disk shows it."""
    hidden = (".", "training/")
    opened = [Path(path) for _, _, kind, path in undisturbed.record if kind == "write"]
    in_place = [p for p in opened if not any(part.startswith(".") for part in p.parts)]
    run = CONFIG["run"]
    assert opened
    assert not [p for p in in_place if not p.as_posix().startswith(f"{run}/training/")], hidden


@pytest.mark.parametrize(
    ("job", "moment"),
    [
        *((job, moment) for job in JOBS if job not in LONG for moment in ("first", "last")),
        *((job, "middle") for job in LONG),
    ],
)
def test_a_killed_job(undisturbed: Undisturbed, tmp_path: Path, job: str, moment: str) -> None:
    """It is killed before it brings its first or last file, which is its record, to its place."""
    count = undisturbed.renames[job, "0"]
    number = {"first": 1, "middle": (count + 1) // 2, "last": count}[moment]
    with undisturbed.copied(tmp_path) as project:
        project.forget(job)
        done = project.run(job, timeout=90, FAULT=f"{job} 0 kill {number}")
        assert done.code not in (0, 1), f"it was not killed: {done}"
        assert not (project.results / "provenance" / f"{job}.json").exists()
        undisturbed.assert_whole(project)
        done = project.run(job)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)
