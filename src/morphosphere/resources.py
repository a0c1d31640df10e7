"""Memory and time that a cluster is asked for, per stage: by input, settings, ranks and attempt.

The numbers were measured on jobs of known size. They are estimates: a job that is ended for taking
more is sent again, and each attempt asks for twice as much.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from morphosphere.config import Config
from morphosphere.config.compute import ComputeSettings

F = TypeVar("F", bound=Callable[..., Any])
#: Factor on all estimates: libraries differ, and nodes are slower than one thinks.
MARGIN = 1.5
#: Minutes of a day.
DAY = 24 * 60
_STEP = 100
_LEAST_MINUTES = 10
#: MB that each job of a cluster takes besides: Snakemake once in the job and once in its step.
SNAKEMAKE_MB = 350
#: Stages that read images with a network, in chunks of the settings of `predict`.
_READ = (
    "predict",
    "merger_predict",
    "merger_evaluate",
    "survey_predict",
    "survey_evaluate",
    "sersic_predict",
)
#: MB of torchrun, on each node.
TORCHRUN_MB = 600
#: Size of images in memory, in that of their file, at most.
_UNPACKED = 20


@dataclass(frozen=True)
class Need:
    """What a job of one stage takes.

    Attributes
    ----------
    base : float
        MB of a process that has imported its libraries and works on nothing.
    per_input : float
        MB that each MB of input adds to every process.
    minutes : float
        Minutes of one process for each GB of input, times `effort`.
    """

    base: float
    per_input: float = 0.0
    minutes: float = 0.0


NEEDS = {
    "mock": Need(200),
    "extract": Need(200, per_input=0.001, minutes=1),
    "render": Need(200, per_input=0.25, minutes=0.5),
    "collect": Need(250, per_input=0.002, minutes=30),
    "join": Need(150, per_input=0.01, minutes=1),
    "learn": Need(900, per_input=0.02, minutes=3),
    "predict": Need(800, per_input=0.02, minutes=10),
    "evaluate": Need(1000, per_input=0.02, minutes=10),
    "hips": Need(900, per_input=0.02, minutes=15),
    "page_data": Need(400, per_input=0.02, minutes=5),
    "page": Need(150, per_input=0.01, minutes=1),
    "encounters": Need(350),
    "merger_run": Need(300, per_input=0.2, minutes=1),
    "merger_predict": Need(800, per_input=0.02, minutes=20),
    "merger_evaluate": Need(1200, per_input=0.05, minutes=10),
    "survey_predict": Need(800, per_input=0.02, minutes=20),
    "survey_evaluate": Need(1200, per_input=0.05, minutes=10),
    "sersic_simulate": Need(400),
    "sersic_predict": Need(800, per_input=0.02, minutes=10),
    "sersic_bound": Need(400, per_input=0.01, minutes=5),
    "sersic_fit": Need(400, per_input=0.01, minutes=10),
    "sersic_evaluate": Need(1200, per_input=0.02, minutes=10),
}


def memory_mb(
    stage: str,
    input_mb: float,
    *,
    chunk_mb: float = 0.0,
    shared_mb: float = 0.0,
    processes: int = 1,
    attempt: int = 1,
) -> int:
    """Memory of a job in MB, in whole hundreds.

    Parameters
    ----------
    stage : str
        A key of `NEEDS`.
    input_mb : float
        Size of all input files in MB.
    chunk_mb : float
        MB that each process holds because of the settings, of `chunk_mb`.
    shared_mb : float
        MB of what starts the processes, besides Snakemake.
    processes : int
        MPI ranks that share the memory that is asked for.
    attempt : int
        1 for the first; each further one asks for twice as much.
    """
    need = NEEDS[stage]
    each = need.base + need.per_input * input_mb + chunk_mb
    total = each * processes + shared_mb + SNAKEMAKE_MB
    return _STEP * math.ceil(MARGIN * total * 2 ** (attempt - 1) / _STEP)


def runtime_minutes(
    stage: str,
    input_mb: float,
    *,
    effort: float = 1.0,
    fixed: float = 0.0,
    processes: int = 1,
    attempt: int = 1,
) -> int:
    """Time of a job in whole minutes; never more than `DAY`, which many queues do not grant.

    Parameters
    ----------
    stage, input_mb, processes, attempt
        As in `memory_mb`; all processes share the work.
    effort : float
        How much of the work is done on each image, of `effort`.
    fixed : float
        Minutes that do not come from the size of the input, of `fixed_minutes`.
    """
    work = (NEEDS[stage].minutes * effort * input_mb / 1000 + fixed) / processes
    return min(math.ceil(MARGIN * (work + _LEAST_MINUTES) * 2 ** (attempt - 1)), DAY)


def chunk_mb(stage: str, config: Config, input_mb: float = math.inf) -> float:
    """MB that the settings let each process of a stage hold, besides what its input adds.

    Training keeps images in memory, but no more than its input of `input_mb` holds.
    """
    transform = config.learn.transform
    channels = len(config.render.channels) if config.simulations else 3
    picture = channels * transform.size**2 * 4e-6
    rendered = channels * config.render.size**2 * 4e-6
    if stage == "extract":
        return config.extract.chunk * 250e-6
    if stage == "render":
        # pictures that wait to be written, in double precision, and those of one galaxy
        return 16 + 4 * rendered * config.render.cameras.total
    if stage == "learn":
        kept = min(config.learn.memory_mib * 1.1, _UNPACKED * input_mb)
        return kept + 60 * picture * config.learn.batch_size
    if stage in _READ:
        return 60 * picture * config.predict.chunk
    if stage == "evaluate":
        fitted = config.evaluate.max_train + config.evaluate.max_held_out
        return 6 * picture * fitted + 60 * picture * config.evaluate.chunk
    if stage in ("hips", "page_data"):
        return 1500 * picture
    return 0.0


def effort(stage: str, config: Config) -> float:
    """What the settings multiply the time with: cameras for each galaxy, epochs of training."""
    if stage == "render":
        return config.render.cameras.total
    return config.learn.epochs if stage == "learn" else 1.0


def fixed_minutes(stage: str, config: Config) -> float:
    """Minutes that follow from the settings alone: galaxies of the mock box, tiles of the map."""
    if stage == "mock":
        return config.mock.galaxies / 500
    if stage == "encounters" and (given := config.mergers.encounters):
        return given.number * given.stars / given.shards / 1e6
    if stage == "sersic_simulate":
        return config.sersic.simulate.number / config.sersic.simulate.shards / 1500
    if stage == "sersic_bound":
        return _tested(config, config.sersic.bound.limit) / 600
    if stage == "sersic_fit":
        return _tested(config, config.sersic.fit.limit) * len(config.sersic.fit.tools) / 20
    return 12 * 4**config.hips.order / 1000 if stage == "hips" else 0.0


def _tested(config: Config, limit: int | None) -> int:
    """Simulated galaxies that no training sees, a tenth of all, or so many of them."""
    count = max(1, config.sersic.simulate.number // 10)
    return count if limit is None else min(limit, count)


def size_mb(files: Iterable[str]) -> float:
    """MB of all files and folders: as Snakemake's `input.size_mb`, without an event loop for each.

    Raises
    ------
    FileNotFoundError
        If one is not there yet; Snakemake then knows that the answer comes later.
    """
    return sum(map(_size, files)) / 2**20


def _size(path: str) -> int:
    if os.path.isdir(path):
        return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    return os.path.getsize(path)


def requests(stage: str, config: Config, *, shared: bool = False) -> dict[str, Callable[..., int]]:
    """Resources of a rule, as functions for Snakemake: ``mem_mb`` and ``runtime`` (minutes).

    Parameters
    ----------
    stage : str
        A key of `NEEDS`.
    config : Config
    shared : bool
        Whether MPI ranks share the work. ``mem_mb_per_cpu`` is then given as well, the memory of
        one rank: Slurm takes it for as many ranks, on as many nodes, as a profile asks for.
    """
    more, fixed = effort(stage, config), fixed_minutes(stage, config)
    trained = config.compute if stage == "learn" else ComputeSettings()
    alone, launcher = trained.processes_per_node, TORCHRUN_MB * (trained.world_size > 1)

    def memory(size: float, processes: int, attempt: int) -> int:
        held = chunk_mb(stage, config, size)
        return memory_mb(
            stage, size, chunk_mb=held, shared_mb=launcher, processes=processes, attempt=attempt
        )

    def mem_mb(wildcards: Any, input: Any, attempt: int, threads: int) -> int:
        return memory(size_mb(input), threads if shared else alone, attempt)

    def mem_mb_per_cpu(wildcards: Any, input: Any, attempt: int) -> int:
        return memory(size_mb(input), 1, attempt)

    def runtime(wildcards: Any, input: Any, attempt: int, threads: int) -> int:
        processes = threads if shared else 1
        return runtime_minutes(
            stage, size_mb(input), effort=more, fixed=fixed, processes=processes, attempt=attempt
        )

    asked = {"mem_mb": signed(mem_mb), "runtime": signed(runtime)}
    return asked | {"mem_mb_per_cpu": signed(mem_mb_per_cpu)} if shared else asked


def signed(function: F) -> F:
    """The function, with its signature at hand: Snakemake asks for it three times for each job."""
    function.__signature__ = inspect.signature(function)
    return function
