"""Scores of rounds, against scikit-learn's and against simple counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from morphosphere.surveys.settle.scores import (
    Said,
    balanced_losses,
    difference,
    gain_interval,
    scores,
)


def draw(count: int, classes: int, skill: float, seed: int = 0, groups: int | None = None) -> Said:
    random = np.random.default_rng(seed)
    truth = random.choice(
        classes, count, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2)
    )
    logit = random.normal(size=(count, classes))
    logit[np.arange(count), truth] += skill
    probability = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    objects = (np.arange(count) % (groups or count)).astype(str)
    return Said(truth, probability.argmax(axis=1), probability, objects)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_scores_are_those_of_scikit_learn(classes):
    said = draw(400, classes, 1.5)
    found = scores(said)
    assert found["n"] == 400
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(said.truth, said.predicted))
    balanced = metrics.balanced_accuracy_score(said.truth, said.predicted)
    assert found["balanced_accuracy"] == pytest.approx(balanced)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(said.truth, said.probability))
    chance = said.probability[:, 1] if classes == 2 else said.probability
    area = metrics.roc_auc_score(said.truth, chance, multi_class="ovr")
    assert found["roc_auc"] == pytest.approx(area)


def test_the_balanced_loss_does_not_depend_on_how_common_classes_are():
    """Galaxies of a class ten times over, probabilities moved by that prior: nothing changes."""
    said = draw(600, 2, 1.0)
    half = balanced_losses(said).mean()
    often = np.repeat(np.arange(600), np.where(said.truth == 1, 10, 1))
    odds = np.log(said.probability[:, 1] / said.probability[:, 0]) + np.log(10)
    chance = (1 / (1 + np.exp(-odds)))[often]
    more = Said(
        said.truth[often],
        said.predicted[often],
        np.stack([1 - chance, chance], axis=1),
        said.objects[often],
    )
    assert balanced_losses(more).mean() == pytest.approx(half)


def test_without_two_classes_there_is_nothing_to_balance():
    said = draw(50, 2, 1.0)
    one = said.truth == 1
    found = scores(
        Said(said.truth[one], said.predicted[one], said.probability[one], said.objects[one])
    )
    assert found["accuracy"] > 0
    assert found["balanced_accuracy"] is None
    assert found["roc_auc"] is None
    none = Said(np.empty(0, int), np.empty(0, int), np.empty((0, 2)), np.empty(0, str))
    assert scores(none) == {
        "n": 0, "accuracy": None, "balanced_accuracy": None, "roc_auc": None, "log_loss": None,
        "balanced_log_loss": None,
    }  # fmt: skip


def test_the_error_of_a_difference_is_that_of_repeated_draws():
    pairs = [(draw(300, 2, 1.2, seed), draw(300, 2, 1.2, seed + 1000)) for seed in range(200)]
    pairs = [
        (one, Said(one.truth, other.predicted, other.probability[:, ::1], one.objects))
        for one, other in pairs
    ]
    found = [difference(one, other) for one, other in pairs]
    spread = np.std([f.mean for f in found])
    assert np.mean([f.error for f in found]) == pytest.approx(spread, rel=0.3)


def test_images_of_one_object_are_no_independent_evidence():
    alone, other = draw(200, 2, 1.0, 1), draw(200, 2, 2.0, 2)
    other = Said(alone.truth, other.predicted, other.probability, alone.objects)
    once = difference(alone, other)
    five = np.repeat(np.arange(200), 5)

    def repeated(said):
        return Said(
            *(getattr(said, n)[five] for n in ("truth", "predicted", "probability", "objects"))
        )

    many = difference(repeated(alone), repeated(other))
    assert many.mean == pytest.approx(once.mean)
    assert many.error == pytest.approx(once.error)


def test_one_object_alone_has_no_error():
    said = draw(5, 2, 1.0, groups=1)
    assert difference(said, said).error == np.inf


def test_the_interval_of_a_gain_holds_the_gain_and_is_the_same_each_time():
    before, after = draw(300, 2, 1.0, 3), draw(300, 2, 4.0, 3)
    low, high = gain_interval(before, after, draws=300, seed=1)
    gain = scores(after)["balanced_accuracy"] - scores(before)["balanced_accuracy"]
    assert 0 < low < gain < high < 1
    assert gain_interval(before, after, draws=300, seed=1) == (low, high)
    assert gain_interval(before, before, draws=50, seed=1) == pytest.approx((0, 0), abs=1e-12)
    assert gain_interval(before, after, draws=0, seed=1) is None
