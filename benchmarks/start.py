"""Time until a stage's ``--help`` is there, against one second."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.result import Result

STAGES = (
    "snapshots.mock",
    "extract",
    "render",
    "collect",
    "collect.join",
    "predict",
    "evaluate",
    "hips",
    "explorer.data",
    "explorer",
)


def run() -> Iterator[Result]:
    """Median of five starts of each stage that needs no torch."""
    for stage in STAGES:
        seconds = []
        for _ in range(6):
            start = time.perf_counter()
            command = [sys.executable, "-m", f"morphosphere.{stage}", "--help"]
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        yield Result(
            f"start-{stage}",
            statistics.median(seconds[1:]),
            1.0,
            1.0,
            False,
            "s",
            "--help, limit 1 s",
        )
