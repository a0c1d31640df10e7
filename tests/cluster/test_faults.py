"""What goes wrong on clusters, done to a real one: the run ends whole, and as if undisturbed."""

from __future__ import annotations

import signal
import time

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


def _training(run, process) -> None:
    """Wait until the training has written some epochs."""

    def written() -> bool:
        assert process.poll() is None, run.said()[-5000:]
        return len(epochs(run.folder / "results" / "tiny")) >= 3

    until(written, "training")


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


def test_a_process_of_training_is_killed(undisturbed, with_images, cluster) -> None:
    before = set(cluster.jobs())
    run = with_images.start(LONGER, "--until", "learn")
    _training(with_images, run)
    until(lambda: ranks_of_training("n2"), "a rank")[0].send_signal(signal.SIGKILL)
    until(lambda: "FAILED" in _states(cluster, "learn", before), "the job's end", seconds=60)
    assert not (with_images.folder / "results/tiny/model/model.json").exists()
    _finishes(with_images, run)
    assert epochs(with_images.folder / "results" / "tiny") == list(range(60))
    assert "going on from" in (with_images.folder / "results/tiny/logs/learn.log").read_text()
    _same(with_images, undisturbed)


def test_a_node_dies_in_training(undisturbed, with_images, cluster) -> None:
    run = with_images.start(LONGER, "--until", "learn")
    _training(with_images, run)
    survivor = until(lambda: ranks_of_training("n1"), "a rank")[0]
    try:
        cluster.kill_node("n2")
        until(lambda: not survivor.is_running(), "the other node's end", seconds=60)
    finally:
        cluster.revive_node("n2")
    assert not (with_images.folder / "results/tiny/model/model.json").exists()
    _finishes(with_images, run)
    assert "going on from" in (with_images.folder / "results/tiny/logs/learn.log").read_text()
    _same(with_images, undisturbed)


@pytest.mark.parametrize("grace", [0, 20])
def test_training_is_preempted_by_an_urgent_job(undisturbed, with_images, cluster, grace) -> None:
    """Slurm takes the job back into its queue; if it ended in a time of grace, Snakemake does."""
    before = set(cluster.jobs())
    cluster.run("scontrol", "update", "partitionname=main", f"gracetime={grace}")
    run = with_images.start(LONGER, "--until", "learn")
    _training(with_images, run)
    urgent = ["sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null"]
    sent = cluster.run(*urgent, "--parsable", "--wrap=sleep 3")
    assert sent.returncode == 0, sent.stderr
    until(lambda: not ranks_of_training("n1"), "the end of the preempted job", seconds=60)
    assert (with_images.folder / "results/tiny/training/checkpoints/last.ckpt").exists()
    _finishes(with_images, run)
    assert cluster.jobs()[sent.stdout.strip()][0] == "COMPLETED"
    states = ["FAILED", "COMPLETED"] if grace else ["COMPLETED"]
    assert sorted(_states(cluster, "learn", before)) == sorted(states)
    assert "going on from" in (with_images.folder / "results/tiny/logs/learn.log").read_text()
    _same(with_images, undisturbed)


def test_a_job_over_its_time_is_ended_and_tried_again(undisturbed, with_images, cluster) -> None:
    before = set(cluster.jobs())
    profile = test_profile()
    profile["set-resources"]["learn"] = {"runtime": "1 if attempt == 1 else 10"}
    run = with_images.start(LONGER, "--until", "learn", profile=profile)
    _training(with_images, run)
    for node in ("n1", "n2"):  # it hangs, as on a file system that does not answer
        for rank in ranks_of_training(node):
            rank.suspend()
    until(lambda: "TIMEOUT" in _states(cluster, "learn", before), "the end", seconds=200)
    assert not (with_images.folder / "results/tiny/model/model.json").exists()
    _finishes(with_images, run)
    _same(with_images, undisturbed)


def test_a_job_over_its_memory_is_ended_and_tried_again_with_more(
    undisturbed, with_images, cluster
) -> None:
    before = set(cluster.jobs())
    profile = test_profile()
    profile["set-resources"]["learn"] = {"mem_mb": "900 if attempt == 1 else 6000"}
    _finishes(with_images, with_images.start(LONGER, "--until", "learn", profile=profile))
    states = _states(cluster, "learn", before)
    assert len(states) == 2
    assert states.count("COMPLETED") == 1, states
    assert "xceeded job memory limit" in with_images.said()
    _same(with_images, undisturbed)


def test_snakemake_is_killed_and_its_jobs_go_on(undisturbed, with_images, cluster) -> None:
    run = with_images.start(LONGER, "--until", "learn")
    _training(with_images, run)
    run.send_signal(signal.SIGKILL)
    run.wait()
    status, said = with_images.run(LONGER, "--until", "learn")
    assert status != 0
    assert "--unlock" in said
    assert with_images.run(LONGER, "--unlock")[0] == 0
    status, said = with_images.run(LONGER, "--until", "learn")
    assert status == 0, said[-5000:]
    _same(with_images, undisturbed)


def test_slurmd_is_killed_under_a_job(undisturbed, with_images, cluster) -> None:
    """The daemon alone dies; what it started goes on, and the job ends as if nothing was."""
    run = with_images.start(LONGER, "--until", "learn")
    _training(with_images, run)
    try:
        cluster.kill_daemon("n2")
        time.sleep(3)
    finally:
        cluster.start_node("n2")
    _finishes(with_images, run)
    _same(with_images, undisturbed)
