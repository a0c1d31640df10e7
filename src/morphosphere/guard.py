"""What keeps two processes from making one result.

A Snakemake that is killed cannot end its jobs: they would run on, beside those that the next
Snakemake starts, and write into the same folders. So a job ends with its Snakemake, and it holds a
lock on what it makes, for jobs on other machines and for runs by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from morphosphere.errors import MorphosphereError
from morphosphere.progress import log

_SNAKEMAKE = "MORPHOSPHERE_SNAKEMAKE"
#: Seconds that a job waits for a lock: another one that is being ended still has it for a moment.
PATIENCE = 30.0
#: Seconds that training has, when it has to end, to write a checkpoint.
GRACE = 20.0


class BusyError(MorphosphereError):
    """Another process is making the same result."""


def name_snakemake() -> None:
    """Tell jobs, through the environment, that this process is their Snakemake."""
    if where := _processes():
        os.environ[_SNAKEMAKE] = f"{os.getpid()} {where}"


def end_with_snakemake() -> None:
    """End this process as soon as the Snakemake that started it has ended, even by SIGKILL.

    Nothing is done in a stage that was started by hand, on another machine than its Snakemake (the
    scheduler ends what it has started there), or outside Linux.
    """
    number, _, where = os.environ.get(_SNAKEMAKE, "").partition(" ")
    if not number.isdigit() or where != _processes():
        return
    try:
        handle = os.pidfd_open(int(number))
    except ProcessLookupError:
        _end()
    except OSError:  # an old kernel, or a sandbox
        return
    threading.Thread(target=_end_after, args=(handle,), daemon=True).start()


def _end_after(handle: int) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()
    _end()


def _end() -> None:
    log("the Snakemake that started this job has ended, and so does the job")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


def _processes() -> str | None:
    """Names the set of process ids that ours is one of: this boot and this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


@contextlib.contextmanager
def alone(result: Path | None, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of `result`, the run record of a job; do nothing for None.

    The system gives the lock back when the process ends, however it ends. On a file system without
    locks there is none.

    Raises
    ------
    BusyError
        If another process has held the lock for `patience` seconds; the message names it.
    """
    if result is None:
        yield
        return
    result.parent.mkdir(parents=True, exist_ok=True)
    with open(result.with_name(f".{result.name}.lock"), "a+") as handle:
        deadline = time.monotonic() + patience
        while not _locked(handle.fileno()):
            if time.monotonic() > deadline:
                handle.seek(0)
                raise BusyError(
                    f"{result}: another process ({handle.read().strip() or 'unknown'}) is making "
                    "this; wait until it has ended, or end it, then run again"
                )
            time.sleep(0.1)
        with contextlib.suppress(OSError):  # a full disk: the work itself will say so
            handle.truncate(0)
            handle.write(f"{os.getpid()} on {platform.node()}")
            handle.flush()
        yield


def _locked(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # this file system has no locks
        return True
    return True
