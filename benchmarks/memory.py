"""Peak memory of every stage with ten times the galaxies, against that with one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from benchmarks.whole import Work, all_stages
from morphosphere.progress import log

WORK, MORE = Work(box=250, pictures=1000, images=10_000, joined=60_000), 10
GOAL = 1.1


def run() -> Iterator[Result]:
    """All processes of a stage together; extract, render and predict on two ranks."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for factor in (1, MORE):
            log(f"benchmark memory: {factor} x {WORK}")
            folder = Path(name) / str(factor)
            for cost in all_stages(folder, WORK.times(factor), Path(name) / "1" / "model"):
                found.setdefault(cost.stage, []).append(cost.mib)
    for stage, (small, large) in found.items():
        unit = WORK.of(stage)
        each = max(0.0, large - small) * 2**20 / ((MORE - 1) * unit)
        note = f"{MORE} times {unit} galaxies; {each:.0f} bytes for each"
        yield Result(f"memory-{stage}", large, small, GOAL, False, "MiB", note)
