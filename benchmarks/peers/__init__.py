"""Programs that a user would pick instead, each in an environment of its own.

`peer` starts a worker: a script of this folder under the Python of an environment of
`benchmarks.peers.environments`. The benchmark asks it to do its work again and again, in turn with
ours; start-up and imports are not counted on either side.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import MissingPeer, python_of
from benchmarks.result import Seconds

FOLDER = Path(__file__).parent
__all__ = ["MissingPeer", "Peer", "peer"]


class Peer:
    """A worker; use `peer` to have one."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process, self._name = process, name

    def ask(self, call: str, **words: Any) -> dict[str, Any]:
        """Call a function of the script; ``{"seconds": ..., "value": what it returned}``.

        Raises
        ------
        MissingPeer
            If the function raised; with its last line.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"call": call, "words": words}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise MissingPeer(f"{self._name}: its process ended while it did {call}")
        said = json.loads(line)
        if "error" in said:
            raise MissingPeer(f"{self._name}: {call}: {said['error']}")
        return said

    def seconds(self, call: str, **words: Any) -> Seconds:
        """How long the function took, as `benchmarks.result.alternate` counts it."""
        return Seconds(self.ask(call, **words)["seconds"])


@contextmanager
def peer(environment: str, script: str, *, threads: int = 1) -> Iterator[Peer]:
    """A worker that runs ``benchmarks/peers/<script>.py`` with so many threads.

    Raises
    ------
    MissingPeer
        If the environment cannot be had here, or the work fails; benchmarks let it through, and the
        suite shows its text in the table in place of a ratio.
    """
    count = str(threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    variables = {**os.environ, **dict.fromkeys(names, count), "PYTHONPATH": str(FOLDER)}
    variables.pop("VIRTUAL_ENV", None)
    process = subprocess.Popen(
        [python_of(environment), FOLDER / f"{script}.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
    )
    try:
        yield Peer(process, script)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
