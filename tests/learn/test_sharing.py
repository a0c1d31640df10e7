"""Several processes train the model that one would."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch


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
def test_processes_share_images_and_find_what_one_finds(start, tmp_path, processes, memory):
    # 80 training images in six steps of 13 or 14: parts differ by one in nearly all of them.
    settings = {"memory_mib": memory, "buffer": 1}
    (tmp_path / "seen").mkdir()
    several = start("several", processes, settings, seen=str(tmp_path / "seen"))
    alone = start("alone", 1, settings)
    ours, theirs = several.wait().model(), alone.wait().model()
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
    large = start("large", 1, {"batch_size": 16}).wait().model()
    halves = {"batch_size": 8, "accumulate": 2}
    for processes in (1, 2):
        ours = start(f"halves{processes}", processes, halves).wait().model()
        _close(ours, large, 1e-5)
        assert ours["training"]["effective_batch"] == 16
        assert ours["training"]["accumulate"] == 2


def test_half_precision_finds_nearly_the_same(start):
    exact = start("exact", 1).wait().model()
    for processes in (1, 2):
        ours = start(f"half{processes}", processes, {"precision": "bf16-mixed"}).wait().model()
        _close(ours, exact, 0.02)
        assert any(
            not torch.equal(value, exact["weights"][name])
            for name, value in ours["weights"].items()
        )
        loss = exact["metrics"]["validation_loss"]
        assert ours["metrics"]["validation_loss"] == pytest.approx(loss, rel=0.2)


def test_compiled_networks_find_the_same(start):
    _close(
        start("compiled", 1, {"compile": True}).wait().model(), start("plain").wait().model(), 1e-4
    )
