"""How training is started on the hardware that the configuration names.

One process is plain ``python``. Several on one node are started by torchrun. On several nodes
``srun`` starts this module once on each, and it becomes torchrun, which meets the others on the
first node. Slurm's variables exist only there, inside the step: Snakemake takes them from the
environment of a rule's command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from morphosphere.config.compute import ComputeSettings
from morphosphere.errors import ConfigError

#: Seconds that nodes wait for each other at the start; a cold file system needs minutes.
JOIN_TIMEOUT = 300
_PORTS = range(20000, 32000)
#: Variables of the libraries' numbers of threads. Snakemake sets them to the cores of the whole
#: node, which its processes would each take.
_THREADS = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR"))


def command(compute: ComputeSettings, threads: int) -> str:
    """The words before ``-m morphosphere.learn`` in the rule's command.

    Parameters
    ----------
    compute : ComputeSettings
    threads : int
        Cores that Snakemake grants on each node.
    """
    if compute.world_size == 1:
        return "python"
    words = f"python -m morphosphere.launch --processes {compute.processes_per_node}"
    words += f" --cores {threads}"
    if compute.nodes == 1:
        return words
    step = f"srun --nodes={compute.nodes} --ntasks={compute.nodes} --ntasks-per-node=1"
    step += f" --cpus-per-task={threads} --kill-on-bad-exit=1"
    if compute.gpus:
        step += f" --gres=gpu:{compute.gpus}"
    return f"{step} {words} --nodes {compute.nodes}"


def resources(compute: ComputeSettings) -> dict[str, Any]:
    """Resources of the rule in the words of Snakemake's Slurm executor; None: not asked for."""
    several = compute.nodes > 1
    return {
        "world_size": compute.world_size,
        "nodes": compute.nodes,
        "mpi": "srun" if several else None,
        "tasks": compute.nodes if several else None,
        "gres": f"gpu:{compute.gpus}" if compute.gpus else None,
        # With GPUs the executor would ask for tasks by GPU; here a task is a node.
        "tasks_per_gpu": 0 if compute.gpus else None,
    }


def torchrun(
    *, nodes: int, processes: int, cores: int, environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Words of torchrun on this node, and variables to set for it.

    Parameters
    ----------
    nodes, processes, cores : int
        Number of nodes; processes and cores of each.
    environment : mapping
        On several nodes the variables of a Slurm step.

    Raises
    ------
    ConfigError
        If the step is not the one that was promised.
    """
    words = [sys.executable, "-m", "torch.distributed.run", "--max-restarts=0"]
    words += [f"--nproc-per-node={processes}"]
    threads = dict.fromkeys(_THREADS, str(cores // processes or 1))
    if nodes == 1:
        return [*words, "--standalone"], threads
    given = environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_NNODES")
    if given is None:
        raise ConfigError(
            f"compute.nodes is {nodes}, but no Slurm step starts this; use a Slurm profile"
        )
    if int(given) != nodes:
        raise ConfigError(f"compute.nodes is {nodes}, but the Slurm step has {given} node(s)")
    listed = environment.get("SLURM_STEP_NODELIST") or environment["SLURM_JOB_NODELIST"]
    hosts = _hostnames(listed)
    mine, job = int(environment["SLURM_NODEID"]), environment["SLURM_JOB_ID"]
    port = _PORTS[int(job) % len(_PORTS)]
    words += [
        f"--nnodes={nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-id={job}",
        f"--rdzv-endpoint={hosts[0]}:{port}",
        # Who opens the port is known, and need not be guessed from names of hosts.
        f"--rdzv-conf=is_host={int(mine == 0)},join_timeout={JOIN_TIMEOUT}",
        f"--local-addr={hosts[mine]}",
    ]
    return words, threads


def _hostnames(listed: str) -> list[str]:
    """Names in a node list such as ``n[1-2]``."""
    if not any(c in listed for c in "[,"):
        return [listed]
    found = subprocess.run(
        ["scontrol", "show", "hostnames", listed], capture_output=True, text=True, check=True
    )
    return found.stdout.split()


def main(argv: Sequence[str] | None = None) -> int:
    """Become torchrun on this node; the rest of the command line is what it starts."""
    parser = argparse.ArgumentParser(
        prog="python -m morphosphere.launch", description="Start a training's processes."
    )
    parser.add_argument("--nodes", type=int, default=1, help="nodes that take part")
    parser.add_argument("--processes", type=int, default=1, help="processes of each node")
    parser.add_argument("--cores", type=int, default=1, help="cores of each node")
    args, rest = parser.parse_known_args(argv)
    try:
        words, variables = torchrun(
            nodes=args.nodes, processes=args.processes, cores=args.cores, environment=os.environ
        )
    except ConfigError as error:
        print(f"morphosphere launch: error: {error}", file=sys.stderr)
        return 1
    os.environ.update(variables)
    os.execv(words[0], [*words, *rest])


if __name__ == "__main__":
    sys.exit(main())
