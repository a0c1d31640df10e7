"""What one process took, and where it ran."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Facts of a job of Slurm, by the variables that say them; the first that is set counts.
_SLURM = {
    "job": ("SLURM_JOB_ID",),
    "array_job": ("SLURM_ARRAY_JOB_ID",),
    "array_task": ("SLURM_ARRAY_TASK_ID",),
    "step": ("SLURM_STEP_ID",),
    "nodes": ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"),
    "partition": ("SLURM_JOB_PARTITION",),
    "cluster": ("SLURM_CLUSTER_NAME",),
}


@dataclass(frozen=True)
class Usage:
    """What a process has taken so far.

    Attributes
    ----------
    host : str
    memory_mib : float
        Largest resident memory of the process, or of a child of it.
    cpu_seconds : float
        Processor time of all threads, and of children that have ended.
    gpu_memory_mib : float
        Largest memory on its GPU; 0 where none was used.
    threads : int
        Of numerical libraries.
    """

    host: str
    memory_mib: float
    cpu_seconds: float
    gpu_memory_mib: float = 0.0
    threads: int = 1

    @classmethod
    def now(cls) -> Usage:
        """Of this process."""
        used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        seconds = sum(one.ru_utime + one.ru_stime for one in used)
        return cls(platform.node(), peak_memory_mib(), seconds, _gpu_memory_mib(), _threads())


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, or of a child that has ended, in MiB."""
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    return max(
        _own_peak_mib() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, children
    )


def _own_peak_mib() -> float | None:
    """As Linux says it; there getrusage counts what the parent had before this program started."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("VmHWM:")), None)


def _gpu_memory_mib() -> float:
    torch = sys.modules.get("torch")  # not imported for this
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    return torch.cuda.max_memory_allocated() / 2**20


def _threads() -> int:
    if (torch := sys.modules.get("torch")) is not None:
        return int(torch.get_num_threads())
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if given.isdigit():
        return int(given)
    linux = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if linux else os.cpu_count() or 1


def summary(usages: list[Usage]) -> dict[str, Any]:
    """What all processes of a job took together, in rank order."""
    memory = [usage.memory_mib for usage in usages]
    hosts: dict[str, int] = {}
    for usage in usages:
        hosts[usage.host] = hosts.get(usage.host, 0) + 1
    found: dict[str, Any] = {
        "ranks": len(usages),
        "threads": max(usage.threads for usage in usages),
        "hosts": hosts,
        "largest_rank": memory.index(max(memory)),
        "memory_mib_of_all": round(sum(memory), 1),
        "cpu_seconds": round(sum(usage.cpu_seconds for usage in usages), 3),
    }
    if gpu := max(usage.gpu_memory_mib for usage in usages):
        found["gpu_memory_mib"] = round(gpu, 1)
    return found


def slurm_job(environment: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """Which job of Slurm this is, and on which nodes; None where it is none."""
    if not environment.get("SLURM_JOB_ID"):
        return None
    found = {
        fact: next((environment[name] for name in names if environment.get(name)), None)
        for fact, names in _SLURM.items()
    }
    return {fact: value for fact, value in found.items() if value is not None}
