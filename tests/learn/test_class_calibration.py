"""Probabilities of classes that were weighted in the loss."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere import calibration


def _weighted(count: int, share: float, seed: int) -> tuple[np.ndarray, ...]:
    """Probabilities (N, 2) as they are, as a network with balanced weights learns them, labels."""
    random = np.random.default_rng(seed)
    label = (random.uniform(size=count) < share).astype(int)
    evidence = random.normal(2 * (2 * label - 1), 2)
    logits = np.stack([np.zeros(count), evidence + np.log(share / (1 - share))], axis=1)
    true, weights = calibration.softmax(logits), 1 / np.array([1 - share, share])
    learnt = true * weights
    return true, learnt / learnt.sum(1, keepdims=True), label, weights


@pytest.mark.parametrize("count", [300, 3000])
def test_a_rare_class_with_a_large_weight_is_not_overstated(count: int) -> None:
    _, learnt, label, weights = _weighted(count, 0.02, seed=1)
    fitted = calibration.fit(learnt, label, weights)
    true, learnt, _, _ = _weighted(50_000, 0.02, seed=2)
    mended = calibration.calibrated(learnt, fitted[0], np.array(fitted[1]))
    assert mended[:, 1].mean() == pytest.approx(true[:, 1].mean(), rel=0.35)


def test_without_validation_images_weights_are_still_taken_out() -> None:
    true, learnt, _, weights = _weighted(100, 0.1, seed=3)
    temperature, bias = calibration.fit(learnt[:0], np.empty(0, int), weights)
    np.testing.assert_allclose(calibration.calibrated(learnt, temperature, bias), true, atol=1e-9)
    assert bias[0] == 0
