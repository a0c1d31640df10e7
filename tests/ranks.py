"""Running stages on MPI ranks, and ending one rank in the middle of its work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

#: How a rank can end while the others work or wait: what it does, and what the log says then. Of
#: a rank that is killed, the launcher tells.
FAULTS = {
    "a file that cannot be read": ("raise InputError('a.h5: truncated')", "a.h5: truncated"),
    "an error of ours": ("raise ZeroDivisionError('of ours')", "ZeroDivisionError: of ours"),
    "an exit": ("sys.exit(3)", "ended by SystemExit(3)"),
    "a kill": ("os.kill(os.getpid(), signal.SIGKILL)", "Killed (signal 9)"),
}
#: Seconds from the fault to the end of all ranks.
DEADLINE = 60


def mpiexec() -> str:
    """The launcher that comes with the mpich wheel."""
    found = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, "mpiexec comes with the mpich wheel"
    return found


def run_ranks(
    ranks: int, words: Sequence[object], *, threads: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run Python with some words on its command line on MPI ranks.

    Parameters
    ----------
    ranks : int
    words : sequence
        ``-m``, a module and its options, for example.
    threads : int
        For all ranks together, as Snakemake would give them.
    """
    return subprocess.run(
        [mpiexec(), "-n", str(ranks), sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )


def run_with_fault(
    folder: Path, stage: str, place: str, fault: str, words: Sequence[object], *, rank: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run a stage on two ranks, of which one meets a fault; all have to end by `DEADLINE`.

    Parameters
    ----------
    folder : Path
        For what the ranks tell the test; made here.
    stage : str
        Module of the stage.
    place : str
        Function that meets the fault instead of being called, as ``module:function``.
    fault : str
        A key of `FAULTS`.
    words : sequence
        The stage's options.
    rank : int
        The one that meets it.
    """
    module, _, function = place.partition(":")
    folder.mkdir()
    script = folder / "faulty.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import importlib, os, pathlib, signal, sys, unittest.mock
            from morphosphere.errors import InputError
            from {stage}.__main__ import main

            def fault(*args, **more):
                pathlib.Path({str(folder)!r}, "fault").touch()
                {FAULTS[fault][0]}

            rank = os.environ["PMI_RANK"]
            pathlib.Path({str(folder)!r}, "pid" + rank).write_text(str(os.getpid()))
            if rank == "{rank}":
                importlib.import_module({module!r})
                unittest.mock.patch("{module}.{function}", fault).start()
            sys.exit(main(sys.argv[1:]))
            """
        )
    )
    done = run_ranks(2, [script, *words])
    assert (folder / "fault").exists(), done.stderr
    pids = [int((folder / name).read_text()) for name in ("pid0", "pid1")]
    while alive := [pid for pid in pids if runs(pid)]:
        since = time.time() - (folder / "fault").stat().st_mtime
        assert since < DEADLINE, f"ranks {alive} run on after a fault of one"
        time.sleep(0.1)
    assert time.time() - (folder / "fault").stat().st_mtime < DEADLINE
    return done


def check_message(
    done: subprocess.CompletedProcess[str], stage: str, fault: str, *, rank: int = 1
) -> None:
    """The job has failed, and its log says which of two ranks and why."""
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert FAULTS[fault][1] in said, said
    assert said.count(f"morphosphere {stage} (rank ") == (fault != "a kill")
    if fault != "a kill":
        assert f"morphosphere {stage} (rank {rank} of 2): " in said, said


def runs(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
