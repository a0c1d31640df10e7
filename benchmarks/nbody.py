"""A merger by N-body, against what stands for it here: a restricted simulation, and a network."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.result import Result
from morphosphere.errors import MorphosphereError
from morphosphere.mergers.encounters.__main__ import main
from morphosphere.mergers.nbody import Cost, of_snapshot, seconds_per_run, two_galaxies
from morphosphere.progress import log

#: A moment after the first pericentre of the run, of 23.
SNAPSHOT = 8
ENCOUNTERS = 4
BATCH = 256
MODELS = "results/*/mergers/model/encoder.onnx"


def run() -> Iterator[Result]:
    """Seconds of one encounter, of its image's measurement, and of the same by N-body."""
    try:
        cost = _nbody()
    except MorphosphereError as error:
        log(f"left out: {error}")
        return
    said = f"pytreegrav, {cost.particles} particles, {cost.mean_steps:.0f} steps in the mean"
    yield Result("nbody_simulation", _simulated(), cost.seconds, 0.01, False, "s", said)
    if models := sorted(Path().glob(MODELS)):
        yield Result("nbody_inference", _inferred(models[0]), cost.seconds, 1e-5, False, "s", said)


def _nbody() -> Cost:
    """On the particles of the real run where it is, else on a model of two galaxies."""
    folder = Path(os.environ.get("MORPHOSPHERE_DATA", "../shared/data"))
    path = folder / "snapshots" / "gadget4_merger" / "mass_ratio_1to1"
    bodies = of_snapshot(path, SNAPSHOT) if path.is_dir() else two_galaxies()
    return seconds_per_run(bodies)


def _simulated() -> float:
    """Seconds of an encounter with the default numbers of particles and moments."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        settings = f'{{"number": {ENCOUNTERS}, "shards": 1, "singles": 0}}'
        command = ["--settings", settings, "--output", f"{folder}/0.h5"]
        for _ in range(2):  # the first compiles
            start = time.perf_counter()
            main(command)
            seconds.append(time.perf_counter() - start)
    return seconds[-1] / ENCOUNTERS


def _inferred(path: Path) -> float:
    """Seconds of an image in the network, in batches on all cores."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = [n if isinstance(n, int) else BATCH for n in given.shape]
    images = np.random.default_rng(0).random((BATCH, *shape[1:]), dtype=np.float32)
    session.run(None, {given.name: images})
    start = time.perf_counter()
    session.run(None, {given.name: images})
    return (time.perf_counter() - start) / BATCH
