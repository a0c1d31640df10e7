"""Encounters by two processes, against the loop over forces alone."""

from __future__ import annotations

import functools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.result import Result
from morphosphere.config.encounters import EncounterSettings
from morphosphere.mergers.encounters.draw import draw_encounter, stream
from morphosphere.mergers.encounters.particles import run_stars
from morphosphere.mergers.encounters.simulate import plan_course
from morphosphere.mergers.encounters.work import names_of, write_shard

#: Encounters of each of the processes, and of the first call, which compiles.
SETTINGS = EncounterSettings(number=80, shards=2, singles=0)
WARM = EncounterSettings(number=2, shards=2, singles=0)
SEED = 42


def run() -> Iterator[Result]:
    """Encounters per hour into files, 12 moments each; the peer moves as many stars, no more."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(SETTINGS.shards, mp_context=context) as pool:
        for _ in pool.map(_first, range(SETTINGS.shards)):
            pass
        ours = [_hourly(pool, _whole) for _ in range(3)]
        theirs = [_hourly(pool, _forces) for _ in range(3)]
    steps = _steps(SETTINGS)
    speed = np.median(theirs) / SETTINGS.number * steps / 3600
    yield Result(
        "encounters",
        float(np.median(ours)),
        float(np.median(theirs)),
        0.1,
        True,
        "encounters/h",
        f"loop over forces alone ({speed:.2g} star steps/s), two processes",
    )


def _hourly(pool: ProcessPoolExecutor, work: Callable[[int], object]) -> float:
    start = time.perf_counter()
    for _ in pool.map(work, range(SETTINGS.shards)):
        pass
    return 3600 * SETTINGS.number / (time.perf_counter() - start)


def _first(shard: int) -> int:
    _write(WARM, shard)
    _forces(shard, WARM)
    _steps(SETTINGS)  # the lengths are kept
    time.sleep(1.0)  # so that each process gets one
    return os.getpid()


def _whole(shard: int) -> None:
    _write(SETTINGS, shard)


def _write(settings: EncounterSettings, shard: int) -> None:
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder) / "0.h5", settings, shard, seed=SEED)


def _lengths(settings: EncounterSettings, shard: int) -> list[int]:
    return [_length(name) for name in names_of(settings, shard)]


@functools.cache
def _length(name: str) -> int:
    """Steps of an encounter; the settings of all are the same but for their number."""
    encounter = draw_encounter(SETTINGS, stream(SEED, "encounter", name))
    return len(plan_course(encounter, SETTINGS).time)


def _steps(settings: EncounterSettings) -> int:
    return settings.stars * sum(sum(_lengths(settings, shard)) for shard in range(settings.shards))


def _forces(shard: int, settings: EncounterSettings = SETTINGS) -> None:
    encounter = draw_encounter(settings, stream(SEED, "encounter", "e00000"))
    rng = np.random.default_rng(shard)
    place, velocity = rng.normal(0, 5, (settings.stars, 3)), np.zeros((settings.stars, 3))
    for length in _lengths(settings, shard):
        still = np.zeros((2, length, 3))
        run_stars(
            place,
            velocity,
            (encounter.first, encounter.second),
            centres=still,
            pushes=still,
            fading=np.zeros(length),
            step=settings.step,
            softening=settings.softening,
            kept=np.zeros(0, dtype=int),
        )
