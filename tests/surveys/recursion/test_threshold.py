"""Thresholds from labelled galaxies, and the surest above them."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.surveys.choose.threshold import balanced, surest, threshold


def test_it_is_the_smallest_confidence_above_which_enough_are_right():
    confidence = np.array([0.99, 0.97, 0.95, 0.90, 0.85, 0.80, 0.70, 0.60])
    right = np.array([1, 1, 1, 0, 1, 1, 0, 0], dtype=bool)
    found = threshold(confidence, right, purity=0.8, least=2)
    assert found.at == 0.80  # five of six; with 0.70 five of seven
    assert (found.labels, found.above) == (8, 6)
    assert found.purity == pytest.approx(5 / 6)
    assert threshold(confidence, right, purity=1.0, least=2).at == 0.95
    assert threshold(confidence, right, purity=1.0, least=4).at is None


def test_it_agrees_with_a_search_over_all_values():
    random = np.random.default_rng(0)
    for _ in range(200):
        confidence = np.round(random.random(30), 1)  # many are equal
        right = random.random(30) < confidence
        found = threshold(confidence, right, purity=0.7, least=3)
        good = [
            t
            for t in confidence
            if (above := confidence >= t).sum() >= 3 and right[above].mean() >= 0.7
        ]
        assert found.at == (min(good) if good else None)


def test_without_labels_there_is_none():
    found = threshold(np.empty(0), np.empty(0, bool), purity=0.9, least=1)
    assert (found.at, found.labels, found.purity) == (None, 0, None)


def test_the_surest_of_each_class_are_taken_and_the_first_of_equals():
    confidence = np.array([0.9, 0.9, 0.99, 0.8, 0.7, 0.95])
    predicted = np.array([0, 0, 0, 1, 1, 1])
    allowed = np.array([True, True, True, True, True, False])
    assert surest(confidence, predicted, allowed, per_class=[2, 5]).tolist() == [0, 2, 3, 4]
    assert surest(confidence, predicted, allowed, per_class=[0, 0]).tolist() == []


@pytest.mark.parametrize(
    ("counts", "most", "imbalance", "wanted"),
    [
        ([10, 1000], 500, 3, [10, 30]),
        ([10, 1000], 500, 1, [10, 10]),
        ([800, 1000], 500, 3, [500, 500]),
        ([0, 1000], 500, 3, [0, 0]),
        ([4, 9, 100], 50, 2.5, [4, 9, 10]),
    ],
)
def test_no_class_drowns_another(counts, most, imbalance, wanted):
    assert balanced(counts, most=most, imbalance=imbalance) == wanted
