"""A full disk, and a folder that cannot be written to: one clear error; the next run is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

import disks

from .faults import Undisturbed

pytestmark = [pytest.mark.timeout(900), pytest.mark.mounts]

#: Jobs that fill a disk, with the start of the name of the file that they are told to have no room.
WRITERS = {
    "mock": "snapshots/mock/",
    "extract-mock-99": "galaxies/mock/99/",
    "render-mock-99-0": "images/mock/99/0.h5",
    "collect-sky": "images/sky/images.h5",
    "join": "images.h5",
    "learn": "training/checkpoints/last.ckpt",
    "predict": "catalogue.parquet",
    "hips-real": "hips/real/",
    "hips-catalogue": "hips/catalogue/",
    "page_data": "site/data/",
}
IMAGES = "results/tiny/images.h5"


@pytest.mark.parametrize("job", WRITERS)
def test_a_disk_that_is_full_half_way(undisturbed: Undisturbed, tmp_path: Path, job: str) -> None:
    with undisturbed.copied(tmp_path) as project:
        size = project.forget(job)
        done = project.run(job, on=disks.with_free(project.results, size // 2))
        assert done.code == 1, str(done)
        errors = [line for line in done.said.splitlines() if "error: " in line]
        assert len(errors) == 1, str(done)
        assert f"error: results/tiny/{WRITERS[job]}" in errors[0]
        assert "cannot be written, its disk is full" in errors[0]
        assert "Traceback" not in done.said
        assert not (project.results / "provenance" / f"{job}.json").exists()
        undisturbed.assert_whole(project)
        done = project.run(job)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


def test_a_disk_with_nothing_left(undisturbed: Undisturbed, tmp_path: Path) -> None:
    with undisturbed.copied(tmp_path) as project:
        project.forget("render-mock-99-0", "join")
        done = project.snakemake(IMAGES, on=disks.with_free(project.results, 0))
        assert done.code == 1, str(done)
        assert f"results cannot be written: {project.results}: cannot be" in done.said, str(done)
        assert "its disk is full" in done.said
        undisturbed.assert_whole(project)
        done = project.snakemake(IMAGES)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


def test_a_read_only_folder(undisturbed: Undisturbed, tmp_path: Path) -> None:
    with undisturbed.copied(tmp_path) as project:
        project.forget("join")
        before = project.digests()
        done = project.snakemake(IMAGES, on=disks.read_only(project.results))
        assert done.code == 1, str(done)
        assert f"results cannot be written: {project.results}: Read-only" in done.said, str(done)
        assert "Traceback" not in done.said
        assert project.digests() == before
        done = project.run("join", on=disks.read_only(project.results))
        assert done.code != 0
        done = project.snakemake(IMAGES)
        assert done.code == 0, str(done)
        undisturbed.assert_same(project)


def test_looking_at_a_read_only_folder_is_no_mistake(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    with undisturbed.copied(tmp_path) as project:
        done = project.snakemake("--dry-run", on=disks.read_only(project.results))
        assert done.code == 0, str(done)
        assert "results/tiny cannot be written to" in done.said
