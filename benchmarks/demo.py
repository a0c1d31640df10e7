"""The embedded default from nothing to the page: its limits, and what the graph adds to its stages.

Snakemake writes down when each job began and ended. The graph's overhead is the time in which no
stage was at work. With ``--full`` the commands that Snakemake ran are run again by a plain loop,
one after the other in the same order: the sum of the stages.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.result import Result
from benchmarks.work import demo_command

SECONDS, GIB, OVERHEAD = 360.0, 4.0, 1.15


def run(*, full: bool = False) -> Iterator[Result]:
    """Run the workflow in an empty folder; memory is that of all its processes together."""
    with tempfile.TemporaryDirectory() as folder:
        words = demo_command(Path(folder))
        start = time.perf_counter()
        silent = subprocess.DEVNULL
        process = subprocess.Popen(words, stdout=silent, stderr=silent)
        peak = _Peak(process.pid)
        if process.wait():
            raise SystemExit("the demo failed; run `make demo` to see why")
        seconds = time.perf_counter() - start
        gib = peak.stop()
        jobs = jobs_of(Path(folder) / ".snakemake" / "metadata")
    yield Result("demo-time", seconds, SECONDS, 1.0, False, "s", "whole demo, limit 6 minutes")
    yield Result("demo-memory", gib, GIB, 1.0, False, "GiB", "all processes, limit 4 GiB")
    note = f"wall time over the time in which any of {len(jobs)} stages' jobs was at work"
    busy = covered(jobs)
    more = {"sum_of_jobs": sum(job.end - job.begin for job in jobs), "jobs": len(jobs)}
    yield Result("demo-graph", seconds, busy, OVERHEAD, False, "s", note, more=more)
    if full:
        note = "Snakemake on all cores, against a loop of the same commands one by one"
        loop = _loop(jobs)
        yield Result("demo-loop", seconds, loop, OVERHEAD, False, "s", note)


@dataclass(frozen=True, order=True)
class Job:
    """What Snakemake keeps of a job: its begin and end in seconds, and what it ran."""

    begin: float
    end: float
    command: str
    log: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def jobs_of(metadata: Path) -> list[Job]:
    """The jobs of a run that has ended, in the order in which they began.

    Snakemake keeps a file for each output, whose name is the output's in base 64.
    """
    jobs: dict[tuple, Job] = {}
    for path in metadata.rglob("*"):
        if path.is_file():
            said = json.loads(path.read_text())
            key = (said["shellcmd"], tuple(said["log"]))
            begin, end = said["starttime"], said["endtime"]
            name = "".join(part.removeprefix("@") for part in path.relative_to(metadata).parts)
            name = base64.b64decode(name, altchars=b"-_").decode()
            earlier = jobs.get(key, Job(begin, end, *key))
            jobs[key] = Job(
                min(begin, earlier.begin), max(end, earlier.end), *key, (*earlier.outputs, name)
            )
    return sorted(jobs.values())


def covered(jobs: Iterable[Job]) -> float:
    """How long anything was at work: the length of the union of the jobs' times."""
    total, until = 0.0, float("-inf")
    for job in sorted(jobs):
        total += max(0.0, job.end - max(job.begin, until))
        until = max(until, job.end)
    return total


def _loop(jobs: Iterable[Job]) -> float:
    """Seconds of the demo's commands, one after the other, without Snakemake."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for job in jobs:
            for written in (*job.outputs, *job.log):
                (Path(folder) / written).parent.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(
                ["bash", "-c", f"set -euo pipefail; {job.command}"],
                cwd=folder,
                env={**os.environ, "PATH": path},
            )
            if done.returncode:
                raise SystemExit(f"failed outside the graph: {job.command}")
        return time.perf_counter() - start


class _Peak(threading.Thread):
    """Samples the proportional memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._done = threading.Event()
        self._peak = 0
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.5):
            total = 0
            try:
                family = [self._root, *self._root.children(recursive=True)]
            except psutil.Error:
                continue
            for process in family:
                try:
                    total += process.memory_full_info().pss
                except (psutil.Error, AttributeError):
                    continue
            self._peak = max(self._peak, total)

    def stop(self) -> float:
        """End sampling; the peak in GiB."""
        self._done.set()
        self.join()
        return self._peak / 2**30
