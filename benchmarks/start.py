"""Time until a stage's ``--help`` is there, against one second."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.result import Result, within

LIMIT = 1.0
STAGES = (
    "snapshots.mock",
    "extract",
    "render",
    "collect",
    "collect.join",
    "learn",
    "predict",
    "evaluate",
    "hips",
    "explorer.data",
    "explorer",
    "mergers.predict",
    "surveys.predict",
    "sersic.predict",
)


def run() -> Iterator[Result]:
    """Median of five starts of each stage."""
    for stage in STAGES:
        seconds = []
        for _ in range(6):
            start = time.perf_counter()
            command = [sys.executable, "-m", f"morphosphere.{stage}", "--help"]
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        yield within(f"start-{stage}", seconds[1:], LIMIT, "--help, limit 1 s")
