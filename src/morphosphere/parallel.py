"""Work shared over MPI ranks, or done by one process where there is no MPI.

MPI is initialised only when the process was started by an MPI launcher (`mpiexec`, `srun --mpi`):
importing mpi4py anywhere else can fail or hang on clusters.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphosphere.errors import MorphosphereError
from morphosphere.progress import log

#: Variables of launchers that offer a process to MPI.
_OFFERS = (
    "PMI_RANK",
    "PMI_ID",
    "PMI_CONTROL_PORT",
    "PMIX_RANK",
    "OMPI_COMM_WORLD_RANK",
    "MPI_LOCALRANKID",
)
#: Variables with the number of processes that a launcher started, and with this one's number.
_LAUNCHERS = {
    "srun": ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    "Open MPI's mpirun": ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    "mpiexec": ("PMI_SIZE", "PMI_RANK"),
}
#: Seconds between two looks at whether the other ranks have come; doubled up to the second.
_PAUSES = (1e-4, 0.02)
#: Seconds that ranks other than the first wait before they tell of an error.
_TURN = 1.0


class LaunchError(MorphosphereError):
    """Ranks that were not started as they should be, or do not know of each other.

    Attributes
    ----------
    number : int
        Of this process among those that the launcher started: one of them says what is wrong.
    """

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True)
class World:
    """The processes that share one stage's work.

    Attributes
    ----------
    rank, size : int
        This process's number and how many there are.
    comm : mpi4py.MPI.Comm or None
        The communicator; None for a single process.
    local_rank, local_size : int
        The same as rank and size among the processes on this machine.
    """

    rank: int = 0
    size: int = 1
    comm: Any = None
    local_rank: int = 0
    local_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes what is written once."""
        return self.rank == 0

    @property
    def name(self) -> str:
        """This rank in messages, with its machine where there are several; empty if alone."""
        if self.size == 1:
            return ""
        host = f" on {platform.node()}" if self.local_size < self.size else ""
        return f"rank {self.rank} of {self.size}{host}"

    def doing(self, work: str) -> str:
        """What the first rank shows progress of: of its own part, where there are several."""
        return f"{work} ({self.name})" if self.name else work

    def barrier(self) -> None:
        """Wait until every rank is here, without taking the processor from those that are not."""
        if self.comm is not None:
            self._wait(self.comm.Ibarrier())

    def gather(self, value: Any) -> list[Any] | None:
        """The values of all ranks, in rank order, on the first rank; None on the others."""
        self.barrier()
        return [value] if self.comm is None else self.comm.gather(value, root=0)

    def broadcast(self, value: Any) -> Any:
        """The first rank's value, on every rank."""
        self.barrier()
        return value if self.comm is None else self.comm.bcast(value, root=0)

    def send(self, value: Any) -> None:
        """Give a value to the first rank; returns when it is taken."""
        self._wait(self.comm.issend(value, dest=0))

    def receive(self, rank: int) -> Any:
        """Take the next value that another rank gives to the first, which this is."""
        pause = _PAUSES[0]
        while not self.comm.iprobe(source=rank):
            pause = _sleep(pause)
        return self.comm.recv(source=rank)

    def share(self, count: int) -> range:
        """This rank's contiguous part of ``range(count)``; parts differ by one at most."""
        return range(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def split(self, groups: int) -> tuple[int, World]:
        """Contiguous groups of ranks, as even as can be; this rank's group and its world.

        There are `groups` of them, at most as many as ranks.
        """
        number = self.rank * groups // self.size
        comm = self.comm.Split(number, self.rank)
        return number, _world_of(comm)

    def take_turn(self) -> None:
        """Wait a moment before telling of an error and ending all ranks.

        Ranks often meet the same fault together. The first one tells of it at once, and when it
        ends the others, they have not spoken yet: the log holds one message.
        """
        if not self.first:
            time.sleep(_TURN * (1 + min(self.rank / 10, 1)))

    def abort(self) -> None:
        """End all ranks at once, so that one rank's failure leaves nobody waiting."""
        if self.comm is not None and self.size > 1:
            from mpi4py import MPI

            sys.stderr.flush()
            _end_launcher_later()
            MPI.COMM_WORLD.Abort(1)

    @staticmethod
    def _wait(request: Any) -> None:
        pause = _PAUSES[0]
        while not request.Test():
            pause = _sleep(pause)


def _sleep(pause: float) -> float:
    """Sleep; how long to sleep the next time."""
    time.sleep(pause)
    return min(2 * pause, _PAUSES[1])


def world(promised: int | None = None) -> World:
    """The MPI world if an MPI launcher started this process, else a world of one.

    Where there are several ranks, the numerical libraries that are imported later get this rank's
    part of the cores, see `threads_of_rank`.

    Parameters
    ----------
    promised : int, optional
        The number of ranks that the caller asked for.

    Raises
    ------
    LaunchError
        If there are more or fewer ranks, or if a launcher started processes that MPI takes for
        single ones: each of them would do all of the work and write the same files.
    """
    found, library = World(), ""
    if any(name in os.environ for name in _OFFERS):
        die_with_launcher()
        comm, library = _start_mpi(os.environ)
        found = _world_of(comm)
    if found.size == 1:
        _check_alone(os.environ, library)
    if promised not in (None, found.size):
        was = "1 process was" if found.size == 1 else f"{found.size} ranks were"
        raise LaunchError(
            f"--ranks {promised}, but {was} started; start as many with mpiexec or srun (in a "
            "profile of Snakemake: the resources launch and tasks)",
            found.rank,
        )
    if found.size > 1:
        _limit_threads(threads_of_rank(found.local_size, os.environ))
    return found


def _start_mpi(environment: Mapping[str, str]) -> tuple[Any, str]:
    """The communicator of all ranks, and the name and version of the MPI library."""
    import mpi4py

    mpi4py.rc.initialize, mpi4py.rc.finalize = False, True
    from mpi4py import MPI

    version = MPI.Get_library_version().partition("\n")[0]
    library = " ".join(version.replace("Version:", "").split())
    if not MPI.Is_initialized():
        offers_pmix = "PMIX_RANK" in environment and "PMI_RANK" not in environment
        if offers_pmix and "MPICH" in library and environment["PMIX_RANK"] == "0":
            # Most builds of MPICH know only its older relatives, and end the process here.
            log(f"{library} starts under PMIx; if it fails now, use srun --mpi=pmi2")
        MPI.Init_thread()
    return MPI.COMM_WORLD, library


def _world_of(comm: Any) -> World:
    from mpi4py import MPI

    local = comm.Split_type(MPI.COMM_TYPE_SHARED)
    place = local.Get_rank(), local.Get_size()
    local.Free()
    return World(comm.Get_rank(), comm.Get_size(), comm, *place)


def _check_alone(environment: Mapping[str, str], library: str) -> None:
    """Raise LaunchError if a launcher started several processes, of which each sees itself only."""
    for launcher, (size, rank) in _LAUNCHERS.items():
        started, number = (environment.get(name, "") for name in (size, rank))
        if not started.isdigit() or int(started) < 2:
            continue
        told = f"but their MPI ({library}) knows of 1" if library else "but offers them no MPI"
        raise LaunchError(
            f"{launcher} started {started} processes, {told}: each would do all of the work and "
            f"write the same files. {_advice(launcher, library)}",
            int(number) if number.isdigit() else 0,
        )


def _advice(launcher: str, library: str) -> str:
    if launcher == "srun":
        kind = "--mpi=pmix" if "Open MPI" in library else "--mpi=pmi2"
        return f"Give srun the option {kind}; `srun --mpi=list` shows which kinds it has"
    beside = Path(sys.executable).with_name("mpiexec")
    return f"Use the launcher of that MPI{f', {beside}' if beside.exists() else ''}"


def threads_of_rank(local_size: int, environment: Mapping[str, str]) -> int:
    """Threads for one of several ranks on a machine.

    Where srun started the ranks, Slurm says how many cores each has. Otherwise they share what the
    job was given: OMP_NUM_THREADS, which Snakemake sets to the threads of the rule, or all cores.
    """
    own = environment.get("SLURM_CPUS_PER_TASK", "")
    if own.isdigit() and environment.get("SLURM_STEP_NUM_TASKS", "1") != "1":
        return max(1, int(own))
    given = environment.get("OMP_NUM_THREADS", "").partition(",")[0]
    cores = int(given) if given.isdigit() else len(os.sched_getaffinity(0))
    return max(1, cores // local_size)


def threads_given() -> int:
    """OMP_NUM_THREADS if it is set, as it is for each of several ranks; else all cores."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(given) if given.isdigit() and int(given) else len(os.sched_getaffinity(0))


def _limit_threads(threads: int) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)  # libraries that are loaded already
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)


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
