"""Several processes train the model that one would."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from .conftest import starter


@pytest.fixture(scope="module")
def alone(pictures, tmp_path_factory) -> dict:
    """What one process found."""
    with starter(pictures, tmp_path_factory.mktemp("alone")) as begin:
        return begin("alone").wait().model()


def _seen(folder: Path, processes: int) -> tuple[dict[int, Counter], set[int]]:
    """How often each row was seen by epoch, over all processes; and their numbers of steps."""
    rows: dict[int, Counter] = {}
    steps = set()
    for rank in range(processes):
        lines = [list(map(int, x.split())) for x in (folder / str(rank)).read_text().splitlines()]
        steps.add(len(lines))
        for epoch, *seen in lines:
            rows.setdefault(epoch, Counter()).update(seen)
    return rows, steps


def _close(ours: dict, theirs: dict, tolerance: float) -> None:
    for name, value in theirs["weights"].items():
        assert torch.allclose(ours["weights"][name], value, atol=tolerance), name


@pytest.mark.parametrize(("processes", "memory"), [(2, 0), (2, 1024), (3, 1024)])
def test_processes_share_images_and_find_what_one_finds(start, alone, tmp_path, processes, memory):
    # 80 training images in six steps of 13 or 14: parts differ by one in nearly all of them.
    settings = {"memory_mib": memory, "buffer": 1}
    (tmp_path / "seen").mkdir()
    several = start("several", processes, settings, seen=str(tmp_path / "seen"))
    ours, theirs = several.wait().model(), alone
    rows, steps = _seen(tmp_path / "seen", processes)
    assert len(steps) == 1
    assert rows[0] == rows[1]
    assert set(rows[0].values()) == {1}
    assert sum(rows[0].values()) == theirs["training"]["train_images"]
    if memory:  # streamed images are mixed within the part of each process
        _close(ours, theirs, 1e-5)
        for name, value in theirs["metrics"].items():
            assert ours["metrics"][name] == pytest.approx(value, rel=1e-4), name
    assert ours["metrics"]["validation_brightness"] == pytest.approx(
        theirs["metrics"]["validation_brightness"], rel=1e-6
    )
    assert ours["training"]["processes"] == processes


def test_accumulated_batches_are_one_large_batch(start):
    # 80 images: five steps of the weights of 16, whole or in two halves, on one process or two.
    halves = {"batch_size": 8, "accumulate": 2}
    runs = [start("large", 1, {"batch_size": 16})]
    runs += [start(f"halves{processes}", processes, halves) for processes in (1, 2)]
    large, *others = (run.wait().model() for run in runs)
    for ours in others:
        _close(ours, large, 1e-5)
        assert ours["training"]["effective_batch"] == 16
        assert ours["training"]["accumulate"] == 2


def test_half_precision_finds_nearly_the_same(start, alone):
    runs = [start(f"half{n}", n, {"precision": "bf16-mixed"}) for n in (1, 2)]
    for run in runs:
        ours = run.wait().model()
        _close(ours, alone, 0.02)
        assert any(
            not torch.equal(value, alone["weights"][name])
            for name, value in ours["weights"].items()
        )
        loss = alone["metrics"]["validation_loss"]
        assert ours["metrics"]["validation_loss"] == pytest.approx(loss, rel=0.2)


@pytest.mark.compiler
def test_compiled_networks_find_the_same(start, alone):
    _close(start("compiled", 1, {"compile": True}).wait().model(), alone, 1e-4)


def test_without_a_compiler_one_line_says_so(start, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    run = start("run", 1, {"compile": True}).wait(1)
    assert "error: learn.compile: torch.compile does not work here" in run.log
    assert "install a C++ compiler" in run.log
    assert "Traceback" not in run.log
