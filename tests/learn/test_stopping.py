"""Training that is asked to stop, or loses a process, and goes on as if nothing had been."""

from __future__ import annotations

import shutil
import signal
import time
from functools import cache
from pathlib import Path

import psutil
import pytest
import torch

from .conftest import starter

#: With six steps in each epoch.
LONG = {"epochs": 3}
HARD = {"norm": True, "noise": True}


def _same(ours: dict, theirs: dict) -> None:
    for name, value in theirs["weights"].items():
        assert torch.equal(ours["weights"][name], value), name


def _progress(run) -> dict:
    return torch.load(run.last, weights_only=True)["progress"]


def _steps_seen(folder: Path) -> int:
    return sum(len(file.read_text().splitlines()) for file in folder.iterdir())


@pytest.fixture(scope="module")
def uninterrupted(pictures, tmp_path_factory):
    """What a number of processes find that nothing stops."""
    with starter(pictures, tmp_path_factory.mktemp("whole")) as start:
        yield cache(lambda processes: start(str(processes), processes, LONG, **HARD).wait().model())


@pytest.mark.parametrize(
    ("processes", "whom", "number"),
    [
        (1, "process", signal.SIGTERM),
        (1, "process", signal.SIGUSR1),
        (2, "torchrun", signal.SIGTERM),
        (2, "one worker", signal.SIGTERM),
        (2, "everyone", signal.SIGTERM),
    ],
)
def test_a_signal_leads_to_a_checkpoint_from_which_it_goes_on(
    start, uninterrupted, tmp_path, processes, whom, number
):
    settings = {**LONG, "workers": 1 if whom == "everyone" else 0}
    seen = tmp_path / "seen"
    seen.mkdir()
    run = start("run", processes, settings, **HARD, seconds=0.3, seen=str(seen))
    run.until(lambda: _steps_seen(seen) >= 2 * processes)
    if whom == "one worker":
        run.workers()[1].send_signal(number)
    elif whom == "everyone":
        family = psutil.Process(run.process.pid).children(recursive=True)
        for process in [*family, run.process]:
            process.send_signal(number)
    else:
        run.process.send_signal(number)
    run.wait(143 if processes == 1 else 1)
    assert "a checkpoint was written" in run.log
    assert not (run.folder / "model").exists()
    stopped = _progress(run)
    assert (stopped["epoch"], 0 < stopped["step"] < 6) == (0, True)
    assert _steps_seen(seen) == processes * stopped["step"]

    resumed = start("run", processes, settings, **HARD, seen=str(seen)).wait()
    assert f"epoch 1, batch {stopped['step'] + 1} of 6 next" in resumed.log
    assert _steps_seen(seen) == processes * 18
    _same(resumed.model(), uninterrupted(processes))


def test_a_signal_in_validation_does_not_repeat_steps(start, tmp_path):
    seen = tmp_path / "seen"
    seen.mkdir()
    run = start("run", 1, {"batch_size": 4}, validation_seconds=0.5, seen=str(seen))
    steps = 20
    run.until(lambda: _steps_seen(seen) == steps)
    run.process.send_signal(signal.SIGTERM)
    run.wait(143)
    assert _progress(run) | {"seconds": 0, "data_seconds": 0} == {
        "epoch": 0, "step": steps, "updates": steps, "seconds": 0, "data_seconds": 0,
        "best": float("inf"), "best_epoch": -1, "waited": 0,
    }  # fmt: skip
    resumed = start("run", 1, {"batch_size": 4}, seen=str(seen)).wait()
    assert _steps_seen(seen) == 2 * steps
    _same(resumed.model(), start("whole", 1, {"batch_size": 4}).wait().model())


def test_a_killed_process_ends_all_and_the_next_run_goes_on(start):
    settings = {**LONG, "accumulate": 4, "checkpoint_minutes": 1e-9}
    run = start("run", 2, settings, **HARD, seconds=0.2)
    run.until(lambda: run.last.exists() and _progress(run)["epoch"] == 1)
    workers = run.workers()
    workers[1].kill()
    began = time.monotonic()
    run.wait(None)
    assert time.monotonic() - began < 60
    assert not workers[0].is_running()
    assert "process 1 of 2 ended early" in run.log
    assert not (run.folder / "model").exists()
    where = _progress(run)
    assert where["epoch"] >= 1
    assert where["step"] in (0, 4)  # between steps of the weights, of which an epoch has two
    resumed = start("run", 2, settings, **HARD).wait()
    assert "epoch 1/3" not in resumed.log
    whole = start("whole", 2, settings | {"checkpoint_minutes": 60}, **HARD).wait()
    _same(resumed.model(), whole.model())


def test_processes_end_with_a_launcher_that_is_killed(start):
    run = start("run", 2, LONG, seconds=0.5)
    run.until(lambda: "images a step" in run.log)
    workers = run.workers()
    run.process.kill()
    gone, alive = psutil.wait_procs([*workers.values()], timeout=30)
    assert (len(gone), alive) == (2, [])


def test_what_killed_writes_left_is_cleared(start):
    run = start("run", 1, {"epochs": 1}).wait()
    rest = run.last.with_name(".last.99.partial.ckpt")
    rest.write_bytes(run.last.read_bytes()[:100])
    shutil.rmtree(run.folder / "model")
    again = start("run", 1, {"epochs": 1}).wait()
    assert not rest.exists()
    assert again.model()["training"]["epochs"] == 1
