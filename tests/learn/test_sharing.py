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
