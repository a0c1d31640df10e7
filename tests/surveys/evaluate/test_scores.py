"""Scores and their intervals, against scikit-learn, torchmetrics and what is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from factories_scored import scored_of
from morphosphere.surveys.evaluate import bootstrap, domain, ordinal, scores
from morphosphere.surveys.evaluate.scored import Scored


def _random(n: int, classes: int, seed: int = 0) -> Scored:
    """Right probabilities with ties, two images of each object."""
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(classes, 0.4), n).round(2) + 1e-3
    p /= p.sum(axis=1, keepdims=True)
    truth = (p.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)
    return scored_of(truth, p, objects=np.arange(n) // 2)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_scores_are_those_of_the_libraries(classes: int) -> None:
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    s = _random(600, classes)
    found = scores.measure(s, bins=15, bootstrap=0, seed=0)
    truth, told, p = s.truth, s.predicted, s.probability
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, told))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, told))
    assert found["f1"] == pytest.approx(sk.f1_score(truth, told, average="macro"))
    assert found["precision"] == pytest.approx(sk.precision_score(truth, told, average="macro"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(truth, p))
    given = p[:, 1] if classes == 2 else p
    area = sk.roc_auc_score(truth, given, multi_class="ovr", average="macro")
    assert found["roc_auc"] == pytest.approx(area)
    error = binary_calibration_error(
        torch.tensor(s.confidence), torch.tensor(s.right.astype(int)), n_bins=15, norm="l1"
    )
    assert found["ece"] == pytest.approx(float(error), abs=2e-4)
    assert found["per_class"]["c1"]["recall"] == pytest.approx(
        sk.recall_score(truth, told, labels=[1], average="macro")
    )
    assert found["intervals"] == {}


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(4, 40), st.integers(0, 10_000))
def test_draws_are_scored_as_scikit_learn_scores_them(classes: int, n: int, seed: int) -> None:
    """Whatever is drawn: few images, ties, draws without some of the classes."""
    s = _random(n, classes, seed)
    weight = np.concatenate(list(bootstrap.weights(s.objects, 4, seed)))
    found = bootstrap.weighted_scores(weight, s.truth, s.probability, s.predicted, 15)
    for d, times in enumerate(weight):
        rows = np.repeat(np.arange(n), times)
        wanted = scores.scores(s.truth[rows], s.probability[rows], s.predicted[rows], 15)
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name][d], value, rtol=1e-9, atol=1e-9, err_msg=name)


def test_draws_are_of_whole_objects_and_their_number_is_kept() -> None:
    objects = np.repeat(np.arange(20), 3)
    drawn = np.concatenate(list(bootstrap.weights(objects, 50, 1)))
    assert drawn.shape == (50, 60)
    assert (drawn.sum(axis=1) == 60).all()
    assert (drawn.reshape(50, 20, 3) == drawn.reshape(50, 20, 3)[:, :, :1]).all()


def test_many_draws_of_many_images_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_ELEMENTS", 1000)
    parts = list(bootstrap.weights(np.arange(300), 10, 0))
    assert max(len(part) for part in parts) == 3
    assert sum(map(len, parts)) == 10


def test_intervals_are_wider_when_images_of_an_object_agree() -> None:
    random = np.random.default_rng(0)
    hard = random.random(60) < 0.2
    truth = np.tile([0, 1], 30).repeat(20)
    p = np.where(hard.repeat(20)[:, None] ^ (truth[:, None] == [0, 1]), 0.9, 0.1)
    together = scored_of(truth, p, objects=np.arange(60).repeat(20))
    alone = dataclasses.replace(together, objects=np.arange(1200))
    width = [
        np.diff(scores.measure(s, bins=10, bootstrap=300, seed=0)["intervals"]["accuracy"])[0]
        for s in (together, alone)
    ]
    assert width[0] > 3 * width[1]


def test_intervals_hold_what_is_true() -> None:
    """Of forty samples with right probabilities, nearly all intervals hold the true accuracy."""
    truth = np.mean([scores.measure(_random(400, 2, k), bins=15, bootstrap=0, seed=0)["accuracy"]
                     for k in range(100, 160)])  # fmt: skip
    held = 0
    for seed in range(40):
        found = scores.measure(_random(200, 2, seed), bins=15, bootstrap=200, seed=seed)
        low, high = found["intervals"]["accuracy"]
        held += low <= truth <= high
    assert held >= 33


def test_right_probabilities_err_by_chance_alone_and_wrong_ones_by_more() -> None:
    s = _random(3000, 3)
    found = scores.measure(s, bins=15, bootstrap=0, seed=0)
    assert found["ece"] < 2 * found["ece_if_calibrated"]
    sharp = s.probability**3
    sharp = dataclasses.replace(s, probability=sharp / sharp.sum(axis=1, keepdims=True))
    found = scores.measure(sharp, bins=15, bootstrap=0, seed=0)
    assert found["ece"] > 5 * found["ece_if_calibrated"]


def test_the_confident_half_is_that_of_each_told_class() -> None:
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.1, 0.2])
    s = scored_of(np.zeros(7, int), np.stack([p, 1 - p], axis=1))
    np.testing.assert_array_equal(scores.confident_half(s), [1, 1, 1, 0, 0, 1, 0])


def test_what_cannot_be_measured_is_null_with_a_reason() -> None:
    p = np.tile([0.2, 0.8], (12, 1))
    one = scored_of(np.ones(12, int), p)
    found = scores.measure(one, bins=15, bootstrap=20, seed=0)
    assert found["accuracy"] == 1.0
    for name in ("balanced_accuracy", "roc_auc", "precision", "recall", "f1"):
        assert found[name] is None
        assert found["intervals"][name] is None
    assert found["ece"] == pytest.approx(0.2)
    why = scores.reasons(one, "test images")
    assert why["roc_auc"] == "all test images (12) are of the class c1: classes cannot be compared"
    assert "accuracy" not in why
    none = one.take(np.zeros(12, bool))
    assert scores.measure(none, bins=15, bootstrap=20, seed=0)["accuracy"] is None
    assert scores.reasons(none, "test images")["accuracy"] == "there are no test images"
    three = scored_of(np.array([0, 1, 0, 1]), np.full((4, 3), 1 / 3))
    assert scores.reasons(three, "test images") == {
        "per_class": "none of the test images is of the class c2"
    }
    told = scores.measure(three, bins=15, bootstrap=0, seed=0)
    assert told["balanced_accuracy"] == pytest.approx(0.5)
    assert told["per_class"]["c2"] == {
        "n": 0, "precision": None, "recall": None, "f1": None, "roc_auc": None
    }  # fmt: skip


def test_images_without_an_error_say_how_many_could_be_wrong() -> None:
    p = np.tile([[0.9, 0.1], [0.2, 0.8]], (150, 1))
    s = scored_of(np.tile([0, 1], 150), p)
    said = scores.without_error(s, "test images")
    assert "with 300 objects, up to 0.99% could be wrong" in said
    assert scores.without_error(dataclasses.replace(s, truth=1 - s.truth), "test images") is None


def test_types_are_compared_with_always_saying_the_median() -> None:
    random = np.random.default_rng(0)
    true = random.integers(-5, 11, 180).astype(float)
    middle = true + np.where(np.arange(180) % 2, 1.0, -0.5)
    said = {"median": middle, "low68": middle - 0.75, "high68": middle + 0.75,
            "low95": middle - 2, "high95": middle + 2}  # fmt: skip
    typed = ordinal.Typed(np.arange(180).astype(str), true, said)
    found = ordinal.measure_type(typed, np.array([-5, 3, 3, 3, 10.0]), bootstrap=50, seed=0)
    assert found["type_mae"] == pytest.approx(0.75)
    constant = np.abs(true - 3).mean()
    assert found["type_mae_median_of_training"] == pytest.approx(constant)
    assert found["type"]["n"] == 180
    assert found["type"]["bias"] == pytest.approx(0.25)
    assert found["type"]["coverage"] == {"68": 0.5, "95": 1.0}
    low, high = found["intervals"]["type_mae"]
    assert low < 0.75 < high


def test_doubts_tell_wrong_from_right() -> None:
    s = _random(2000, 2)
    s = dataclasses.replace(s, distance=s.right.astype(float), spread=np.full(2000, 0.1))
    found = domain.doubts(s)
    assert found["confidence"] > 0.7
    assert found["spread"] == 0.5
    assert found["domain_distance"] == 0.0
    right = s.take(s.right)
    assert domain.doubts(right) == dict.fromkeys(("confidence", "spread", "domain_distance"))
