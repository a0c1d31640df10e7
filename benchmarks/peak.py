"""Time and peak memory of a command with all its processes, ranks for example."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from morphosphere.progress import log


def peak_of(command: Sequence[object], *, interval: float = 0.02) -> float:
    """Run a command; the largest memory of it and its children together, in MiB: see `cost_of`."""
    return cost_of(command, interval=interval)[1]


def cost_of(command: Sequence[object], *, interval: float = 0.02) -> tuple[float, float]:
    """Run a command; its seconds, and the largest memory of it and its children together, in MiB.

    Counted is what the system cannot drop: private and shared memory, but not the pages of mapped
    files, which stay as long as nobody else needs the memory.

    Raises
    ------
    SystemExit
        If the command fails; its log is shown.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    with tempfile.TemporaryFile("w+") as said:
        words = list(map(str, command))
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=said, stderr=said, env=environment)
        peak = Peak(process.pid, interval=interval)
        status = process.wait()
        seconds = time.perf_counter() - start
        mib = peak.stop() / 2**20
        if status:
            said.seek(0)
            log(said.read()[-3000:])
            raise SystemExit(f"failed, so its memory is not known: {' '.join(words)}")
    return seconds, mib


class Peak(threading.Thread):
    """Samples the memory of a process and its children, in a thread that starts at once."""

    def __init__(self, pid: int, *, interval: float) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._interval = interval
        self._done = threading.Event()
        self._peak = 0
        self.start()

    def run(self) -> None:
        while not self._done.wait(self._interval):
            try:
                family = [self._root, *self._root.children(recursive=True)]
            except psutil.Error:
                continue
            self._peak = max(self._peak, sum(held(process.pid) for process in family))

    def stop(self) -> int:
        """End sampling; the peak in bytes."""
        self._done.set()
        self.join()
        return self._peak


def held(pid: int) -> int:
    """Bytes of a process that the system cannot drop; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    kinds = ("RssAnon:", "RssShmem:")
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(kinds))
