"""Extract and render on two ranks with a core each, against one rank."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from morphosphere.progress import log

#: Galaxies of the box: one rank works on them for some ten times as long as it takes to start.
GALAXIES, REPEATS, GOAL = 250, 3, 0.9
RANKS = 2
BOX = {"galaxies": GALAXIES, "files": 2, "stars_range": [15_000, 30_000], "workers": RANKS}
SETTINGS = {
    "extract": {"shards": RANKS},
    "render": {"size": 64, "cameras": {"isotropic": 4}},
}


def run() -> Iterator[Result]:
    """Efficiency of whole jobs, their start among it: half of one rank's time over that of two."""
    if len(os.sched_getaffinity(0)) < RANKS:
        log("benchmark ranks: needs two cores")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("snapshots.mock", ["--output", folder / "box"], BOX)
        box = ["--simulation", "mock", "--snapshot", 99, "--input", folder / "box"]
        galaxies = folder / "galaxies"
        sets = [galaxies / f"{number}.h5" for number in range(RANKS)]
        words = {
            "extract": [*box, "--output", galaxies],
            "render": ["--output", folder / "images", "--input", *sets],
        }
        for stage, settings in SETTINGS.items():
            seconds: dict[int, list[float]] = {1: [], RANKS: []}
            for repeat in range(REPEATS + 1):
                for ranks, times in seconds.items():
                    taken = _run(stage, words[stage], settings, ranks)
                    if repeat:  # the first turn fills the page cache
                        times.append(taken)
            one, two = (statistics.median(times) for times in seconds.values())
            note = f"{RANKS} ranks with a core each, against {RANKS} times one; {one:.1f} s alone"
            yield Result(
                f"ranks-{stage}",
                GALAXIES / two,
                RANKS * GALAXIES / one,
                GOAL,
                True,
                "galaxies/s",
                note,
            )


def _run(stage: str, words: list[object], settings: dict, ranks: int = 1) -> float:
    """Seconds of a whole job; each rank has one thread."""
    launcher = [Path(sys.executable).with_name("mpiexec"), "-n", ranks]
    mpi = [] if stage == "snapshots.mock" else launcher
    command = [*mpi, sys.executable, "-m", f"morphosphere.{stage}"]
    command += ["--settings", json.dumps(settings), *words]
    start = time.perf_counter()
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(ranks)},
    )
    if done.returncode:
        log(done.stderr)
        raise SystemExit(f"benchmark ranks: {stage} failed")
    return time.perf_counter() - start
