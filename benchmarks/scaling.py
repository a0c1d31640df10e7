"""Weak scaling of training: two processes with a core each, against one.

Both make steps of the real trainer with the default network and batches of 64 images per process.
``results/bench/scaling.json`` keeps all that was found, and `benchmarks.scaling_model` is
calibrated by it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.result import FOLDER, Result
from benchmarks.scaling_document import IDLE
from benchmarks.scaling_parts import summary
from benchmarks.scaling_worker import BATCH, STEPS
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.files import write_json
from morphosphere.launch import torchrun
from morphosphere.progress import log

GOAL, LOADING_GOAL = 0.95, 0.02
#: What the task of mergers learns from: any numbers will do.
_LABELS = {
    "time_since_pericentre": 100.0,
    "mass_ratio": 0.5,
    "size_ratio": 0.8,
    "inclination": 30.0,
    "separation": 20.0,
    "is_encounter": 1.0,
}
#: Times that every way of training has its turn; ten take some three minutes.
ROUNDS = int(os.environ.get("SCALING_ROUNDS", "10"))


def run() -> Iterator[Result]:
    """Efficiency, what of it is lost to sharing gradients, and the share of loading."""
    yield from of_task("sphere", "scaling")


def of_task(task: str, called: str) -> Iterator[Result]:
    """Results of the network of a task, by names that begin with `called`."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        log(f"benchmark {called}: needs two cores")
        return
    found = measure(cores, ROUNDS, task)
    write_json(FOLDER / f"{called}.json", found)
    ways = found["ways"]
    rate = {name: 2 * BATCH / way["step"] for name, way in ways.items()}
    doubt = "" if found["others"] <= IDLE else f"; NOT IDLE: others took {found['others']:.0%}"
    spread = "{low:.3f} to {high:.3f}"
    for name, peer, key, goal in (
        (f"{called}-efficiency", "alone", "efficiency", GOAL),
        (f"{called}-gradients", "beside", "gradients", GOAL),
    ):
        note = f"2 processes, against twice one {peer}; quartiles {spread.format(**found[key])}"
        ours = found[key]["median"] * rate[peer]
        yield Result(name, ours, rate[peer], goal, True, "images/s", note + doubt)
    for name, way, note in (
        (f"{called}-loading", "together", "waiting for images, of a step"),
        (f"{called}-loading-streamed", "streamed", "the same, images read from the file"),
    ):
        loading, step = ways[way]["parts"]["loading"], ways[way]["step"]
        yield Result(name, loading, step, LOADING_GOAL, False, "s", note + doubt)


def measure(cores: list[int], rounds: int, task: str = "sphere") -> dict[str, Any]:
    """Measure on these cores, a process on each; see `benchmarks.scaling_parts.summary`."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = write_images(folder / "images.h5", len(cores) * STEPS * BATCH)
        count = len(cores)
        command, variables = torchrun(nodes=1, processes=count, cores=count, environment={})
        command += ["-m", "benchmarks.scaling_worker"]
        command += ["--images", str(images), "--folder", str(folder), "--rounds", str(rounds)]
        command += ["--cores", *map(str, cores), "--task", task]
        environment = {**os.environ, **variables, "CUDA_VISIBLE_DEVICES": ""}
        machine, own = _busy(), _children()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        others = 1 - (_children() - own) / max(1e-9, _busy() - machine)
        if done.returncode:
            log(done.stderr)
            raise SystemExit("the benchmark of scaling failed")
        ranks = [json.loads((folder / f"rank{k}.json").read_text()) for k in range(len(cores))]
    facts = {key: value for key, value in ranks[0].items() if key != "blocks"}
    facts["processes"], others = len(cores), max(0.0, others)
    if others > IDLE:
        log(f"benchmark scaling: others took {others:.0%} of the busy time; numbers are doubtful")
    blocks = [block for rank in ranks for block in rank["blocks"]]
    return {**facts, **summary(blocks), "load_before": before, "others": others}


def write_images(path: Path, count: int, *, size: int = 64) -> Path:
    """Fluxes of so many round galaxies with noise, three channels: an ImageSet."""
    random = np.random.default_rng(0)
    axis = np.arange(size) - (size - 1) / 2
    radius = np.hypot(axis, axis[:, None])
    width = random.uniform(2, size / 5, (count, 3, 1, 1))
    images = np.exp(-radius / width) + random.normal(0, 0.01, (count, 3, size, size))
    names = [f"galaxy{k}" for k in range(count)]
    with ImageSetWriter(path, channels=["i", "r", "g"], size=size, dtype=np.float32) as out:
        table = {"image_id": names, "galaxy_id": names, "source": ["scaling"] * count}
        table |= {name: np.full(count, value) for name, value in _LABELS.items()}
        out.append(images.astype(np.float32), table)
    return path


def _busy() -> float:
    """Seconds that the machine's cores have worked, for whomever, or were taken away."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
