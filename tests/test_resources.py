"""What jobs ask a cluster for, against what they were measured to take."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphosphere.config import Config
from morphosphere.resources import (
    DAY,
    NEEDS,
    SNAKEMAKE_MB,
    chunk_mb,
    effort,
    fixed_minutes,
    memory_mb,
    requests,
    runtime_minutes,
)

DEMO = Config.model_validate({"simulations": {"mock": {}}})
#: Peak memory in MiB and input in MB, of jobs on the demo.
MEASURED = {
    "mock": (150, 0),
    "extract": (512, 472),
    "render": (179, 183),
    "join": (75, 157),
    "learn": (1223, 157),
    "predict": (960, 159),
}


@pytest.mark.parametrize("stage", MEASURED)
def test_more_is_asked_for_than_was_taken_but_not_much_more(stage):
    peak, size = MEASURED[stage]
    peak *= 2**20 / 1e6
    asked = memory_mb(stage, size, chunk_mb=chunk_mb(stage, DEMO))
    assert 1.2 * peak + SNAKEMAKE_MB < asked < 5 * peak + 2 * SNAKEMAKE_MB


@pytest.mark.parametrize("stage", NEEDS)
def test_asking_grows_with_input_ranks_and_attempts(stage):
    first = memory_mb(stage, 1000)
    assert memory_mb(stage, 1000, attempt=3) == pytest.approx(4 * first, abs=400)
    assert memory_mb(stage, 1000, processes=8) == pytest.approx(8 * first, abs=5000)
    assert memory_mb(stage, 1000, chunk_mb=2000) >= first + 2000
    from_nothing = stage in ("mock", "encounters", "sersic_simulate")
    if not from_nothing:
        assert memory_mb(stage, 1e6) > first
        assert runtime_minutes(stage, 1e6) > runtime_minutes(stage, 10)
    once = runtime_minutes(stage, 1000)
    assert runtime_minutes(stage, 1000, attempt=2) == pytest.approx(2 * once, abs=2)
    assert runtime_minutes(stage, 0 if from_nothing else 1e12, fixed=1e9) == DAY


def test_ranks_share_the_time():
    assert runtime_minutes("render", 5e5, effort=1) > runtime_minutes(
        "render", 5e5, effort=1, processes=8
    )


def test_memory_does_not_grow_with_the_number_of_galaxies_of_a_stage_that_reads_in_chunks():
    """A thousand times the snapshot adds no more than its catalogue."""
    small, large = (memory_mb("extract", size, chunk_mb=500) for size in (1e3, 1e6))
    assert large < 3 * small


def test_settings_that_hold_more_in_memory_ask_for_more():
    def asked(stage, **sections):
        return chunk_mb(stage, Config.model_validate({"simulations": {"mock": {}}, **sections}))

    assert asked("extract", extract={"chunk": 1_000_000}) == 2 * asked("extract")
    assert asked("learn", learn={"memory_mib": 8192}) > asked("learn") + 7000
    for stage, sections in {
        "render": {"render": {"size": 512}},
        "predict": {"predict": {"chunk": 1024}},
        "evaluate": {"evaluate": {"max_train": 40_000}},
        "hips": {"learn": {"transform": {"size": 256}}},
    }.items():
        assert asked(stage, **sections) > 2 * asked(stage)
    assert asked("join") == 0


def test_cameras_epochs_galaxies_and_tiles_take_time():
    more = Config.model_validate(
        {
            "simulations": {"mock": {}},
            "render": {"cameras": {"isotropic": 60}},
            "learn": {"epochs": 240},
            "mock": {"galaxies": 50_000},
            "hips": {"order": 8},
        }
    )
    assert effort("render", more) == 10 * effort("render", DEMO)
    assert effort("learn", more) == 20 * effort("learn", DEMO)
    assert fixed_minutes("mock", more) > 10 * fixed_minutes("mock", DEMO)
    assert fixed_minutes("hips", more) > 500 * fixed_minutes("hips", DEMO)


def _files(folder: Path, size_mb: int) -> list[str]:
    """Two files without contents that have a size in sum."""
    for name, size in (("a", size_mb - size_mb // 2), ("b", size_mb // 2)):
        with open(folder / name, "wb") as handle:
            handle.truncate(size << 20)
    return [str(folder / "a"), str(folder / "b")]


def test_a_rule_asks_by_input_ranks_and_attempt(tmp_path):
    job = {"wildcards": None, "input": _files(tmp_path, 183)}
    asked = requests("render", DEMO, shared=True)
    assert set(asked) == {"mem_mb", "mem_mb_per_cpu", "runtime"}
    one = asked["mem_mb"](**job, attempt=1, threads=1)
    assert asked["mem_mb_per_cpu"](**job, attempt=1) == one
    assert asked["mem_mb"](**job, attempt=1, threads=4) == pytest.approx(4 * one, abs=2000)
    assert asked["runtime"](**job, attempt=1, threads=1) >= 10
    alone = requests("join", DEMO)
    assert set(alone) == {"mem_mb", "runtime"}
    assert alone["mem_mb"](**job, attempt=1, threads=4) == memory_mb("join", 183)


def test_training_asks_for_each_process_of_a_node_and_for_no_more_images_than_there_are(tmp_path):
    def asked(size, **compute):
        config = Config.model_validate({"simulations": {"mock": {}}, "compute": compute})
        job = {"wildcards": None, "input": _files(tmp_path, size)}
        return requests("learn", config)["mem_mb"](**job, attempt=1, threads=8)

    assert asked(10_000, gpus=4, nodes=2) == pytest.approx(4 * asked(10_000), abs=2500)
    assert asked(1) < asked(10_000) - 1500
