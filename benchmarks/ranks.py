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

from benchmarks.boxes import SNAPSHOT, memory, mock_box
from benchmarks.result import Result, quartiles
from morphosphere.progress import log

#: Galaxies of a box and their copies: one rank extracts 24 copies (4 GiB), or renders one, for
#: some ten times as long as it takes to start.
GALAXIES, COPIES, REPEATS, GOAL = 100, 24, 3, 0.9
RANKS = 2
STARS = (15_000, 30_000)
SETTINGS = {
    "extract": {"shards": RANKS},
    "render": {"size": 64, "cameras": {"isotropic": 10}},
}
#: Settings with which next to nothing is left to do but to start.
LITTLE = {"extract": {"maximum": RANKS}}


def run() -> Iterator[Result]:
    """Efficiency of whole jobs, their start among it: half of one rank's time over that of two.

    Results are written to memory where there is room, so that ranks do not share one disk. Of the
    extraction, `more` has the efficiency without the start too, which is that of longer jobs.
    """
    if len(os.sched_getaffinity(0)) < RANKS:
        log("benchmark ranks: needs two cores")
        return
    words = ["--simulation", "mock", "--snapshot", SNAPSHOT, "--input"]
    small = mock_box(GALAXIES, 1, files=2, stars_range=STARS)
    large = mock_box(GALAXIES, COPIES, files=2, stars_range=STARS)
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        folder = Path(name)
        galaxies = folder / "galaxies"
        sets = [galaxies / f"{number}.h5" for number in range(RANKS)]
        _run("extract", [*words, small, "--output", galaxies], SETTINGS["extract"])
        work = {
            "extract": ([*words, large, "--output", folder / "many"], GALAXIES * COPIES),
            "render": (["--output", folder / "images", "--input", *sets], GALAXIES),
        }
        for stage, (said, count) in work.items():
            yield _compared(stage, said, count)


def _compared(stage: str, words: list[object], count: int) -> Result:
    """One rank against two, in turn."""
    turns, starts = [], []
    for repeat in range(REPEATS + 1):
        turn = [_run(stage, words, SETTINGS[stage], ranks) for ranks in (1, RANKS)]
        start = [0.0, 0.0]
        if stage in LITTLE:
            settings = {**SETTINGS[stage], **LITTLE[stage]}
            start = [_run(stage, words, settings, ranks) for ranks in (1, RANKS)]
        if repeat:  # the first turn fills the page cache
            turns.append(turn)
            starts.append(start)
    one, two = (statistics.median(times) for times in zip(*turns))
    more = {}
    if stage in LITTLE:
        first, both = (statistics.median(times) for times in zip(*starts))
        more = {"start_seconds": [first, both]}
        more["without_start"] = (one - first) / (RANKS * (two - both))
    note = f"{RANKS} ranks with a core each, against {RANKS} times one; {one:.1f} s alone"
    if more:
        note += f", of which {more['start_seconds'][0]:.1f} s are its start"
    ratios = [a / (RANKS * b) for a, b in turns]
    spread, middle = quartiles(ratios), statistics.median(ratios)
    ours, theirs = count / two, RANKS * count / one
    name = f"ranks-{stage}"
    unit = "galaxies/s"
    return Result(name, ours, theirs, GOAL, True, unit, note, spread, REPEATS, more, middle)


def _run(stage: str, words: list[object], settings: dict, ranks: int = 1) -> float:
    """Seconds of a whole job; each rank has one thread."""
    launcher = [Path(sys.executable).with_name("mpiexec"), "-n", ranks]
    command = [*launcher, sys.executable, "-m", f"morphosphere.{stage}"]
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
