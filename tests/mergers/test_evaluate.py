"""Metrics of mergers: what they count, on posteriors that are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from factories_mergers import merger_settings, write_encounters
from morphosphere.learn.training import train
from morphosphere.mergers.evaluate import FIGURES, errors
from morphosphere.mergers.evaluate.__main__ import main
from morphosphere.mergers.evaluate.held import Held
from morphosphere.mergers.evaluate.similarity import measure_similarity
from morphosphere.mergers.evaluate.tested import measure_test
from morphosphere.mergers.predict.__main__ import main as predict
from morphosphere.posterior import Label

TIME = Label("time_since_pericentre", -300, 1300, unit="Myr")
RATIO = Label("mass_ratio", 0.1, 1.0, scale="log10")


def _held(count: int = 400, seed: int = 0) -> Held:
    """Times with a scatter of 50 Myr and intervals of just that; mass ratios twice as large."""
    random = np.random.default_rng(seed)
    time = random.uniform(-200, 1000, count)
    ratio = 10 ** random.uniform(-0.7, -0.4, count)
    middle = time + 50 * random.normal(size=count)
    said = {
        "time_since_pericentre": {
            "median": middle,
            "low68": middle - 50,
            "high68": middle + 50,
            "low95": middle - 98,
            "high95": middle + 98,
        },
        "mass_ratio": {
            "median": 2 * ratio,
            "low68": 1.9 * ratio,
            "high68": 2.1 * ratio,
            "low95": 0.9 * ratio,
            "high95": 3 * ratio,
        },
    }
    about = {
        "encounter_id": np.array([f"e{k // 4}" for k in range(count)], dtype=object),
        "phase": np.where(time < 0, "approach", "passage").astype(object),
        "inclination": random.uniform(0, 90, count),
        "is_encounter": np.ones(count),
    }
    truth = {"time_since_pericentre": time, "mass_ratio": ratio}
    return Held(np.arange(count), truth, said, about, np.zeros(count, bool))


def test_errors_and_coverage_are_those_of_the_posteriors() -> None:
    found = errors.measure(_held(4000), (TIME, RATIO), bootstrap=50)
    time, ratio = found["time_error_myr"], found["mass_ratio_error_dex"]
    assert time["median"] == pytest.approx(50 * 0.6745, rel=0.05)
    assert time["low"] < time["median"] < time["high"]
    assert time["constant"] == pytest.approx(300, rel=0.05)
    assert ratio["median"] == pytest.approx(np.log10(2))
    assert ratio["bias"] == pytest.approx(np.log10(2))
    assert found["coverage"]["time_since_pericentre"]["68"] == pytest.approx(0.683, abs=0.03)
    assert found["coverage"]["mass_ratio"] == {"68": 0.0, "95": 1.0}
    assert found["coverage"]["95"] == pytest.approx(0.975, abs=0.01)


def test_intervals_of_medians_are_wider_when_images_of_an_encounter_agree() -> None:
    random = np.random.default_rng(0)
    each = random.normal(size=50).repeat(20)
    by_encounter = np.arange(50).repeat(20)
    low, high = errors.bootstrapped(np.median, each, by_encounter, 400, 0)
    low_alone, high_alone = errors.bootstrapped(np.median, each, np.arange(1000), 400, 0)
    assert high - low > 2 * (high_alone - low_alone)


def test_groups_of_few_images_are_left_out() -> None:
    held = _held(40)
    held.about["phase"][:] = "passage"
    held.about["phase"][:3] = "final"
    assert set(errors.by_group(held, (TIME,), errors.phases_of(held))) == {"passage"}


def test_confusion_has_rows_that_sum_to_one() -> None:
    edges, table = errors.confusion(_held(), TIME, 6)
    np.testing.assert_allclose(table.sum(1), 1)
    assert np.trace(table) / 6 > 0.6
    assert edges[0] == pytest.approx(-200, abs=10)


def test_similarity_knows_its_neighbours() -> None:
    random = np.random.default_rng(0)
    time = random.uniform(-200, 1000, 3000)
    z = np.stack([time / 100, random.normal(size=3000) * 0.01], axis=1).astype(np.float32)
    split = np.where(np.arange(3000) % 10 == 0, "test", "train").astype(object)
    found = measure_similarity(z, split, {TIME.name: time}, (TIME,), queries=100, probes=64, seed=0)
    assert found["time_error_myr"]["nearest"] < 5
    assert found["time_error_myr"]["random"] > 100
    assert found["recall"] > 0.9


def test_bounds_of_real_mass_ratios_count() -> None:
    held = _held(20)
    held.about["mass_ratio_low"] = held.truth["mass_ratio"] * 1.5
    held.about["mass_ratio_high"] = held.truth["mass_ratio"] * 1.95
    found = measure_test(held, (TIME, RATIO))
    assert found["mass_ratio_within_bounds"] == {"known": 20, "median": 0.0, "interval": 1.0}
    assert found["mass_ratio_error_dex"]["rank_correlation"] == pytest.approx(1)
    assert found["time_error_myr"]["known"] == 20


def test_the_stage_measures_both_splits_and_draws_every_figure(tmp_path) -> None:
    images = write_encounters(tmp_path / "images.h5", 150, singles=20)
    for name, by in (("model", "encounter_id"), ("leaky", "galaxy_id")):
        settings = merger_settings(split_by=by)
        train(images, output=tmp_path / name, training=tmp_path / f"t{name}", settings=settings)
    tested = write_encounters(tmp_path / "real.h5", 3, seed=9)
    for source, target in ((images, "predictions.parquet"), (tested, "real.parquet")):
        words = ["--images", source, "--model", tmp_path / "model", "--output", tmp_path / target]
        assert predict(list(map(str, words))) == 0
    words = [
        *("--images", images, "--model", tmp_path / "model"),
        *("--catalogue", tmp_path / "predictions.parquet", "--leaky-model", tmp_path / "leaky"),
        *("--test", f"drawn={tested}={tmp_path / 'real.parquet'}"),
        *("--metrics", tmp_path / "metrics.json", "--figures", tmp_path / "figures"),
        *("--settings", json.dumps({"bootstrap": 20, "nbody_steps": 0, "timed": 4, "dpi": 50})),
    ]
    assert main(list(map(str, words))) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for place in (metrics, metrics["leaky_split"]):
        assert place["time_error_myr"]["median"] > 0
        assert place["mass_ratio_error_dex"]["median"] > 0
        assert 0 < place["coverage"]["68"] < place["coverage"]["95"] <= 1
    assert metrics["real"]["drawn"]["images"] == 12
    assert metrics["speedup_over_nbody"] is None
    assert "nbody_steps is 0" in metrics["notes"]["speedup_over_nbody"]
    assert metrics["inference_seconds"]["one_by_one"] > 0
    assert "passage" in metrics["by_phase"]
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)
