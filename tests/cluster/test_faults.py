"""What goes wrong on clusters, done to a real one: the run ends whole, and as if undisturbed."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from cluster.conftest import test_profile
from cluster.runs import (
    BITWISE,
    LONGER,
    MODEL,
    digests,
    epochs,
    processes,
    ranks_of_training,
    until,
)

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("slurm"),
]


def _same(run, undisturbed, patterns=(*BITWISE, *MODEL)) -> None:
    theirs = digests(undisturbed.folder / "results" / "tiny", patterns)
    assert digests(run.folder / "results" / "tiny", patterns) == theirs


def _finishes(run, process, seconds: float = 400) -> None:
    assert process.wait(seconds) == 0, run.said()[-5000:]


def _training(run) -> None:
    """Wait until the training has written some epochs."""
    until(lambda: len(epochs(run.folder / "results" / "tiny")) >= 3, "training")


def _states(cluster, rule: str, since: set[str]) -> list[str]:
    rows = {job: row for job, row in cluster.jobs().items() if job not in since}
    return [state for state, comment in rows.values() if comment.startswith(f"rule_{rule}")]


def test_a_rank_of_extract_is_killed(undisturbed, on_cluster, cluster) -> None:
    before = set(cluster.jobs())
    run = on_cluster.start(LONGER, "--until", "extract")
    rank = until(lambda: processes("morphosphere.extract", SLURMD_NODENAME="n2"), "a rank")[0]
    rank.send_signal(signal.SIGKILL)
    until(lambda: "FAILED" in _states(cluster, "extract", before), "the job's end", seconds=60)
    _finishes(on_cluster, run)
    assert sorted(_states(cluster, "extract", before)) == ["COMPLETED", "FAILED"]
    _same(on_cluster, undisturbed, ("galaxies/**/*.h5",))


def test_a_process_of_training_is_killed(undisturbed, on_cluster, cluster) -> None:
    before = set(cluster.jobs())
    run = on_cluster.start(LONGER, "--until", "learn")
    _training(on_cluster)
    until(lambda: ranks_of_training("n2"), "a rank")[0].send_signal(signal.SIGKILL)
    until(lambda: "FAILED" in _states(cluster, "learn", before), "the job's end", seconds=60)
    assert not (on_cluster.folder / "results/tiny/model/model.json").exists()
    _finishes(on_cluster, run)
    assert epochs(on_cluster.folder / "results" / "tiny") == list(range(60))
    assert "going on from" in (on_cluster.folder / "results/tiny/logs/learn.log").read_text()
    _same(on_cluster, undisturbed)


def test_a_node_dies_in_training(undisturbed, on_cluster, cluster) -> None:
    run = on_cluster.start(LONGER, "--until", "learn")
    _training(on_cluster)
    survivor = until(lambda: ranks_of_training("n1"), "a rank")[0]
    try:
        cluster.kill_node("n2")
        until(lambda: not survivor.is_running(), "the other node's end", seconds=60)
    finally:
        cluster.revive_node("n2")
    assert not (on_cluster.folder / "results/tiny/model/model.json").exists()
    _finishes(on_cluster, run)
    assert "going on from" in (on_cluster.folder / "results/tiny/logs/learn.log").read_text()
    _same(on_cluster, undisturbed)


def test_training_is_preempted_by_an_urgent_job(undisturbed, on_cluster, cluster) -> None:
    run = on_cluster.start(LONGER, "--until", "learn")
    _training(on_cluster)
    urgent = ["sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null"]
    sent = cluster.run(*urgent, "--parsable", "--wrap=sleep 3")
    assert sent.returncode == 0, sent.stderr
    until(lambda: not ranks_of_training("n1"), "the end of the preempted job", seconds=60)
    assert (on_cluster.folder / "results/tiny/training/checkpoints/last.ckpt").exists()
    _finishes(on_cluster, run)
    assert cluster.jobs()[sent.stdout.strip()][0] == "COMPLETED"
    assert "going on from" in (on_cluster.folder / "results/tiny/logs/learn.log").read_text()
    _same(on_cluster, undisturbed)


def test_a_job_over_its_time_is_ended_and_tried_again(undisturbed, on_cluster, cluster) -> None:
    before = set(cluster.jobs())
    profile = test_profile()
    profile["set-resources"]["learn"] = {"runtime": "1 if attempt == 1 else 10"}
    run = on_cluster.start(LONGER, "--until", "learn", profile=profile)
    _training(on_cluster)
    for node in ("n1", "n2"):  # it hangs, as on a file system that does not answer
        for rank in ranks_of_training(node):
            rank.suspend()
    until(lambda: "TIMEOUT" in _states(cluster, "learn", before), "the end", seconds=200)
    assert not (on_cluster.folder / "results/tiny/model/model.json").exists()
    _finishes(on_cluster, run)
    _same(on_cluster, undisturbed)


def test_a_job_over_its_memory_is_ended_and_tried_again_with_more(
    undisturbed, on_cluster, cluster
) -> None:
    before = set(cluster.jobs())
    profile = test_profile()
    profile["set-resources"]["join"] = {"mem_mb": "40 if attempt == 1 else 2500"}
    run = on_cluster.start(LONGER, "--until", "join", profile=profile)
    _finishes(on_cluster, run)
    states = _states(cluster, "join", before)
    assert len(states) == 2
    assert states.count("COMPLETED") == 1, states
    _same(on_cluster, undisturbed, BITWISE)


def test_snakemake_is_killed_and_its_jobs_go_on(undisturbed, on_cluster, cluster) -> None:
    run = on_cluster.start(LONGER, "--until", "learn")
    _training(on_cluster)
    before = set(psutil.pids())
    assert run.pid in before
    run.send_signal(signal.SIGKILL)
    run.wait()
    status, said = on_cluster.run(LONGER, "--until", "learn")
    assert status != 0
    assert "--unlock" in said
    assert on_cluster.run(LONGER, "--unlock")[0] == 0
    status, said = on_cluster.run(LONGER, "--until", "learn")
    assert status == 0, said[-5000:]
    _same(on_cluster, undisturbed)


def test_slurmd_is_killed_under_a_job(undisturbed, on_cluster, cluster) -> None:
    """The daemon alone dies; what it started goes on, and the job ends as if nothing was."""
    run = on_cluster.start(LONGER, "--until", "learn")
    _training(on_cluster)
    try:
        cluster.kill_daemon("n2")
        time.sleep(3)
    finally:
        cluster.start_node("n2")
    _finishes(on_cluster, run)
    _same(on_cluster, undisturbed)
