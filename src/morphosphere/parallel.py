"""Work shared over MPI ranks, or done by one process where there is no MPI.

MPI is initialised only when the process was started by an MPI launcher (`mpiexec`, `srun --mpi`):
importing mpi4py anywhere else can fail or hang on clusters.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

_LAUNCHER_VARIABLES = ("PMI_RANK", "PMI_ID", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MPI_LOCALRANKID")


@dataclass(frozen=True)
class World:
    """The processes that share one stage's work.

    Attributes
    ----------
    rank, size : int
        This process's number and how many there are.
    comm : mpi4py.MPI.Comm or None
        The communicator; None for a single process.
    """

    rank: int = 0
    size: int = 1
    comm: Any = None

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes what is written once."""
        return self.rank == 0

    def barrier(self) -> None:
        """Wait until every rank is here."""
        if self.comm is not None:
            self.comm.Barrier()

    def gather(self, value: Any) -> list[Any] | None:
        """The values of all ranks, in rank order, on the first rank; None on the others."""
        return [value] if self.comm is None else self.comm.gather(value, root=0)

    def broadcast(self, value: Any) -> Any:
        """The first rank's value, on every rank."""
        return value if self.comm is None else self.comm.bcast(value, root=0)

    def share(self, count: int) -> range:
        """This rank's contiguous part of ``range(count)``; parts differ by one at most."""
        return range(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def abort(self) -> None:
        """End all ranks at once, so that one rank's failure leaves nobody waiting."""
        if self.comm is not None and self.size > 1:
            sys.stderr.flush()
            _end_launcher_later()
            self.comm.Abort(1)


def world() -> World:
    """The MPI world if an MPI launcher started this process, else a world of one."""
    if not any(name in os.environ for name in _LAUNCHER_VARIABLES):
        return World()
    die_with_launcher()
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    return World(comm.Get_rank(), comm.Get_size(), comm)


def die_with_launcher() -> None:
    """Ask Linux to end this rank when its launcher ends.

    After one rank's abort the launcher ends the others, but one that was just starting can be
    missed; it would wait for its peers for ever, at full speed.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _end_launcher_later(seconds: int = 10) -> None:
    """Kill MPICH's proxy, the parent of the ranks, if it is still there after an abort.

    Under load it has been seen to miss an abort and to leave the other ranks waiting. With the
    proxy its ranks end, see `die_with_launcher`. Other launchers are left to themselves.
    """
    proxy = f"/proc/{os.getppid()}/comm"
    if os.path.exists(proxy):
        watch = f"sleep {seconds}; grep -qsx hydra_pmi_proxy {proxy} && kill -9 {os.getppid()}"
        silent = subprocess.DEVNULL
        subprocess.Popen(
            ["sh", "-c", watch], stdin=silent, stdout=silent, stderr=silent, start_new_session=True
        )
