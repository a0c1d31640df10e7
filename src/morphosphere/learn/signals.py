"""Signals that ask training to stop, and how it ends then."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from morphosphere.errors import MorphosphereError

_NUMBERS = (signal.SIGTERM, signal.SIGUSR1)


class Stopped(MorphosphereError):
    """Training that was asked to stop by a signal; a checkpoint was written before."""

    #: Exit status of a process that SIGTERM ended.
    status = 128 + signal.SIGTERM


class StopSignals:
    """Remember SIGTERM and SIGUSR1 instead of ending at once: a context manager.

    SIGTERM is what Slurm sends on preemption, cancelling and the end of the time limit, and what
    torchrun passes on; SIGUSR1 is customary for ``sbatch --signal=USR1@60``.

    Attributes
    ----------
    name : str or None
        The signal that came.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _NUMBERS:
                self._former[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name


def ignore_stop_signals(worker: int = 0) -> None:
    """In a process that reads data: leave the signals to the trainer, which ends it."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)
