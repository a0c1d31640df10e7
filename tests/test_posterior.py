"""Posteriors on bins: scales, quantiles, calibration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphosphere.posterior import Label, probabilities

TIME = Label("time_since_pericentre", -300, 1300, unit="Myr")
RATIO = Label("mass_ratio", 0.1, 1.0, scale="log10")


@pytest.mark.parametrize("label", [TIME, RATIO])
def test_scaled_values_span_the_range_and_come_back(label: Label) -> None:
    values = np.array([label.low, 0.5 * (label.low + label.high), label.high, np.nan])
    scaled = label.scaled(values)
    assert scaled[0] == pytest.approx(0)
    assert scaled[2] == pytest.approx(1)
    np.testing.assert_allclose(label.value(scaled), values)


def test_quantiles_of_a_flat_posterior_are_its_range() -> None:
    flat = np.full((2, 16), 1 / 16)
    np.testing.assert_allclose(TIME.quantiles(flat, [0.0, 0.25, 1.0]), [[-300, 100, 1300]] * 2)


def test_quantiles_of_one_full_bin_lie_in_it() -> None:
    one = np.zeros((1, 10))
    one[0, 4] = 1
    low, middle, high = RATIO.scaled(RATIO.quantiles(one, [0.01, 0.5, 0.99]))[0]
    assert 0.4 < low < middle < high < 0.5
    assert middle == pytest.approx(0.45)


def _overconfident(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of posteriors half as wide as the scatter of the truth, and shifted by a little."""
    random = np.random.default_rng(seed)
    centre = random.uniform(0.25, 0.75, count)
    truth = centre + 0.08 * random.normal(size=count) + 0.02
    bins = (np.arange(64) + 0.5) / 64
    return -0.5 * ((bins - centre[:, None]) / 0.04) ** 2, TIME.value(truth)


def _covers(label: Label, logits: np.ndarray, truth: np.ndarray) -> float:
    low, high = label.quantiles(probabilities([logits], label.temperature), [0.16, 0.84]).T
    return float(((low <= truth) & (truth <= high)).mean())


def test_calibration_makes_intervals_right_on_other_images() -> None:
    fitted = TIME.calibrated([_overconfident(4000, 1)[0]], _overconfident(4000, 1)[1])
    logits, truth = _overconfident(4000, 2)
    assert _covers(TIME, logits, truth) < 0.45
    assert _covers(fitted, logits, truth) == pytest.approx(0.68, abs=0.02)
    assert fitted.temperature == pytest.approx(4, rel=0.15)  # twice the width
    said, true = fitted.recalibration
    assert np.all(np.diff(said) >= 0)
    assert (said[0], said[-1], true[0], true[-1]) == (0, 1, 0, 1)


def test_calibrated_ranks_are_even() -> None:
    logits, truth = _overconfident(4000, 1)
    fitted = TIME.calibrated([logits], truth)
    ranks = fitted.rank(probabilities([logits], fitted.temperature), truth)
    counts = np.histogram(ranks, bins=10, range=(0, 1))[0]
    assert counts.min() > 300
    assert counts.max() < 500


def test_images_without_truth_have_no_part_in_calibration() -> None:
    logits, truth = _overconfident(500, 1)
    spoiled = np.concatenate([logits, logits[::-1]])
    known = np.concatenate([truth, np.full(500, np.nan)])
    assert TIME.calibrated([spoiled], known) == TIME.calibrated([logits], truth)
    assert TIME.calibrated([logits], np.full(500, np.nan)) == TIME


def test_views_are_averaged_as_probabilities() -> None:
    one, other = np.array([[0.0, 9.0]]), np.array([[9.0, 0.0]])
    np.testing.assert_allclose(probabilities([one, other], 1.0), [[0.5, 0.5]])


def test_labels_survive_json() -> None:
    logits, truth = _overconfident(100, 1)
    label = TIME.calibrated([logits], truth)
    assert Label.of(dataclasses.asdict(label)) == label
