"""The embedded default from nothing to the page, against six minutes and four GiB."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.result import Result
from benchmarks.work import demo_command

SECONDS, GIB = 360.0, 4.0


def run() -> Iterator[Result]:
    """Run the workflow in an empty folder; memory is that of all its processes together."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        silent = subprocess.DEVNULL
        process = subprocess.Popen(demo_command(Path(folder)), stdout=silent, stderr=silent)
        peak = _Peak(process.pid)
        if process.wait():
            raise SystemExit("the demo failed; run `make demo` to see why")
        seconds = time.perf_counter() - start
    yield Result("demo-time", seconds, SECONDS, 1.0, False, "s", "whole demo, limit 6 minutes")
    yield Result("demo-memory", peak.stop(), GIB, 1.0, False, "GiB", "all processes, limit 4 GiB")


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
