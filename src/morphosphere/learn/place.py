"""Which process of a training this is, from what its launcher says in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from morphosphere.errors import ConfigError

#: Variables by which launchers other than torchrun tell how many processes they started.
_OTHER_LAUNCHERS = {
    "SLURM_STEP_NUM_TASKS": "srun",
    "OMPI_COMM_WORLD_SIZE": "mpirun",
    "PMI_SIZE": "mpiexec",
}


@dataclass(frozen=True)
class Place:
    """One of the processes that train a model together.

    Attributes
    ----------
    rank, size : int
        Its number, and how many there are.
    local_rank, local_size : int
        The same among those on its node.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1


def place_of(environment: Mapping[str, str], promised: int | None = None) -> Place:
    """The place that torchrun gave this process; a single one where torchrun did not start it.

    Parameters
    ----------
    environment : mapping
        ``os.environ``.
    promised : int, optional
        Number of processes that the caller asked for.

    Raises
    ------
    ConfigError
        If another number of processes was started, or several without torchrun: each would train
        a model of its own and write it to the same place.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        place = Place(
            *(int(environment.get(name, default)) for name, default in zip(names, "0101"))
        )
        if promised not in (None, place.size):
            raise ConfigError(
                f"--world-size {promised}, but {_processes(place.size)} started; check the options "
                "--nproc-per-node and --nnodes of torchrun"
            )
        return place
    for name, launcher in _OTHER_LAUNCHERS.items():
        if int(environment.get(name) or 1) > 1:
            raise ConfigError(
                f"{launcher} started {environment[name]} processes of plain python, which do not "
                f"know of each other; let {launcher} start one torchrun on each node, and torchrun "
                "the processes"
            )
    if promised not in (None, 1):
        raise ConfigError(
            f"--world-size {promised}, but 1 process was started, without torchrun; start it as "
            f"python -m torch.distributed.run --nproc-per-node={promised} -m morphosphere.learn"
        )
    return Place()


def _processes(count: int) -> str:
    return "1 process was" if count == 1 else f"{count} processes were"
