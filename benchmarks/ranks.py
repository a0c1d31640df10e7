"""Extract and render on two ranks with a core each, against one rank."""

from __future__ import annotations

import json
import os
import resource
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

#: Galaxies of a box and their copies: one rank extracts 24 copies (4 GiB), some two times as
#: long as it takes to start, or renders one from 60 sides, some five times as long.
GALAXIES, COPIES, REPEATS, GOAL = 100, 24, 3, 0.9
RANKS = 2
STARS = (15_000, 30_000)
SETTINGS = {
    "extract": {"shards": RANKS},
    "render": {"size": 64, "cameras": {"isotropic": 60}},
}
#: Settings with which next to nothing is left to do but to start.
LITTLE = {"extract": {"maximum": RANKS}, "render": {"cameras": {"isotropic": 1}}}


def run() -> Iterator[Result]:
    """Efficiency of whole jobs, their start among it: half of one rank's time over that of two.

    The same against two jobs of one rank beside each other, which share caches, memory and what the
    processor makes of two busy cores, but not their work. Results are written to memory where there
    is room, so that ranks do not share one disk. `more` has the processors' seconds of one rank, of
    two and of both jobs, and the efficiency without the start, which is that of longer jobs.
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
        _run("extract", [*words, small], SETTINGS["extract"], [galaxies])
        work = {
            "extract": ([*words, large], GALAXIES * COPIES),
            "render": (["--input", *sets], GALAXIES),
        }
        for stage, (said, count) in work.items():
            yield from _compared(stage, said, count, folder)


def _compared(stage: str, words: list[object], count: int, folder: Path) -> Iterator[Result]:
    """One rank, two, and two jobs of one rank beside each other, in turn."""
    turns, beside, starts, processor = [], [], [], []
    for repeat in range(REPEATS + 1):
        used, turn = [], []
        for ranks, jobs in ((1, 1), (RANKS, 1), (1, RANKS)):
            before = _processor()
            outputs = [folder / f"{stage}-{number}" for number in range(jobs)]
            turn.append(_run(stage, words, SETTINGS[stage], outputs, ranks))
            used.append(_processor() - before)
        settings = {**SETTINGS[stage], **LITTLE[stage]}
        start = [_run(stage, words, settings, outputs[:1], ranks) for ranks in (1, RANKS)]
        if repeat:  # the first turn fills the page cache
            turns.append(turn[:2])
            beside.append([turn[2] / RANKS, turn[1]])
            starts.append(start)
            processor.append(used)
    one, two = (statistics.median(times) for times in zip(*turns))
    first, both = (statistics.median(times) for times in zip(*starts))
    more = {
        "processor_seconds": [statistics.median(times) for times in zip(*processor)],
        "start_seconds": [first, both],
        "without_start": (one - first) / (RANKS * (two - both)),
    }
    note = (
        f"{RANKS} ranks with a core each, against {RANKS} times one; {one:.1f} s alone, of which "
        f"{first:.1f} s are its start; {more['without_start']:.2f} without it"
    )
    yield _result(f"ranks-{stage}", [(a / RANKS, b) for a, b in turns], count, GOAL, note, more)
    note = f"{RANKS} ranks against {RANKS} jobs of one rank beside each other, each all of the work"
    yield _result(f"ranks-{stage}-beside", beside, count, None, note, {})


def _result(
    name: str,
    turns: list[tuple[float, float]],
    count: int,
    goal: float | None,
    note: str,
    more: dict,
) -> Result:
    """Of the seconds (limit, ours) that each turn took for so many galaxies."""
    ratios = [limit / ours for limit, ours in turns]
    limit, ours = (count / statistics.median(times) for times in zip(*turns))
    spread, middle = quartiles(ratios), statistics.median(ratios)
    unit = "galaxies/s"
    return Result(name, ours, limit, goal, True, unit, note, spread, REPEATS, more, middle)


def _processor() -> float:
    """Seconds of processors that all ended jobs took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(
    stage: str, words: list[object], settings: dict, outputs: list[Path], ranks: int = 1
) -> float:
    """Seconds until a whole job for each output has ended; each rank has one thread."""
    launcher = [Path(sys.executable).with_name("mpiexec"), "-n", ranks]
    command = [*launcher, sys.executable, "-m", f"morphosphere.{stage}"]
    command += ["--settings", json.dumps(settings), *words, "--output"]
    start = time.perf_counter()
    jobs = [
        subprocess.Popen(
            list(map(str, [*command, output])),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(ranks)},
        )
        for output in outputs
    ]
    said = [job.communicate()[1] for job in jobs]
    for job, errors in zip(jobs, said):
        if job.returncode:
            log(errors)
            raise SystemExit(f"benchmark ranks: {stage} failed")
    return time.perf_counter() - start
