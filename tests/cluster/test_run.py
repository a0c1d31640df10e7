"""The same graph on two nodes of Slurm: every job, MPI and DDP across nodes, chunks in groups."""

from __future__ import annotations

import json

import pytest

from cluster.conftest import RANKS, test_profile
from cluster.runs import BITWISE, LONGER, digests
from morphosphere.artefacts.bundle import ModelBundle
from workflow.conftest import copy_project
from workflow.test_mergers import TINY as MERGERS

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("slurm"),
]


def test_the_whole_graph_runs_on_two_nodes(undisturbed) -> None:
    results = undisturbed.folder / "results" / "tiny"
    assert (results / "site" / "index.html").is_file()
    jobs = undisturbed.jobs
    for rule in ("mock", "extract", "join", "learn", "predict", "hips", "evaluate", "page"):
        found = [state for state, comment in jobs.values() if comment.startswith(f"rule_{rule}")]
        assert found, f"{rule} did not run as a job of Slurm: {jobs}"
        assert set(found) == {"COMPLETED"}
    records = results / "provenance"
    for stage in ("extract-mock-99", "predict"):
        assert json.loads((records / f"{stage}.json").read_text())["notes"]["ranks"] == 2
    assert ModelBundle.load(results / "model").info["training"]["processes"] == 2
    for stage in ("extract-mock-99", "learn"):
        record = json.loads((records / f"{stage}.json").read_text())
        assert record["processes"]["ranks"] == 2
        assert record["processes"]["memory_mib_of_all"] > record["peak_memory_mib"]
        assert record["slurm"]["nodes"] == "n[1-2]"
        assert int(record["slurm"]["job"]) in map(int, jobs)


def test_chunks_are_rendered_in_one_job(undisturbed) -> None:
    groups = [comment for _, comment in undisturbed.jobs.values() if "chunks_render" in comment]
    assert len(groups) == 1, undisturbed.jobs


def test_mergers_run_on_two_nodes(on_cluster) -> None:
    config = {**MERGERS, "mergers": {**MERGERS["mergers"], "leaky_split": False}}
    before = set(on_cluster.cluster.jobs())
    status, said = on_cluster.run(config, "--until", "predict_mergers", "--", "mergers")
    assert status == 0, said[-3000:]
    jobs = {name: job for name, job in on_cluster.cluster.jobs().items() if name not in before}
    assert any("moments_render_encounters" in comment for _, comment in jobs.values()), jobs
    results = on_cluster.folder / "results" / "collisions"
    predicted = json.loads((results / "provenance/mergers_predict.json").read_text())
    assert predicted["notes"]["ranks"] == 2
    assert ModelBundle.load(results / "mergers/model").info["training"]["processes"] == 2


def test_a_laptop_makes_the_same_files(undisturbed, tmp_path) -> None:
    project = copy_project(tmp_path)
    done = project.snakemake("--until", "join", config=LONGER)
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = digests(undisturbed.folder / "results" / "tiny", BITWISE)
    assert digests(tmp_path / "results" / "tiny", BITWISE) == theirs


def test_render_shares_chunks_over_ranks_of_two_nodes(undisturbed, on_cluster) -> None:
    profile = test_profile()
    profile["set-resources"]["render"] = {
        "mpi": "srun",
        "tasks": 3,
        "nodes": 2,
        "cpus_per_task": 1,
        "launch": RANKS,
    }
    del profile["groups"], profile["group-components"]
    status, said = on_cluster.run(LONGER, "--until", "render", profile=profile)
    assert status == 0, said[-3000:]
    results = on_cluster.folder / "results" / "tiny"
    found = digests(results, ("images/**/*.h5",))
    theirs = digests(undisturbed.folder / "results" / "tiny", ("images/**/*.h5",))
    assert found == theirs
    assert (
        json.loads((results / "provenance/render-mock-99-0.json").read_text())["notes"]["ranks"]
        == 3
    )


def test_a_trainer_with_fewer_processes_than_promised_does_not_start(with_images) -> None:
    """A launcher that starts one process where two were promised is found out at once."""
    profile = test_profile(retries=0)
    profile["set-resources"]["learn"] = {"launch": "python"}
    status, said = with_images.run(LONGER, "--until", "learn", profile=profile)
    assert status != 0
    log = (with_images.folder / "results/tiny/logs/learn.log").read_text()
    assert "--world-size 2" in log
    assert not (with_images.folder / "results/tiny/model/model.json").exists()
    assert "--world-size 2" in said, "the message is not shown where the user looks"


def test_another_setting_runs_one_stage_and_what_follows_it(undisturbed) -> None:
    config = {**LONGER, "explore": {"title": "Another title"}}
    status, said = undisturbed.run(config, "--dry-run")
    assert status == 0
    rules = {line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith("rule ")}
    assert rules - {"all"} == {"page", "summary"}
