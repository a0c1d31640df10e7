"""k-nearest-neighbours regression, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor

from morphosphere.evaluate.regression import (
    MIN_SCORED,
    Property,
    as_property,
    is_property,
    neighbour_scores,
    r_squared,
)


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((300, 3)).astype(np.float32)
    smooth = np.sin(vectors[:, 0]) + 0.1 * random.standard_normal(300)
    patchy = np.where(random.random(300) < 0.2, np.nan, vectors[:, 1] ** 2)
    reference, scored = np.arange(0, 240), np.arange(240, 300)
    properties = [Property("smooth", smooth, False), Property("patchy", patchy, False)]
    spaces = {"sphere": vectors, "random": random.standard_normal((300, 3))}
    scores, reasons = neighbour_scores(
        spaces, properties, reference=reference, scored=scored, count=7
    )
    assert reasons == {}
    for space, points in spaces.items():
        for item in properties:
            near, far = reference[item.known[reference]], scored[item.known[scored]]
            model = KNeighborsRegressor(7).fit(points[near], item.values[near])
            expected = r2_score(item.values[far], model.predict(points[far]))
            assert scores[space][item.name] == pytest.approx(expected, abs=1e-5)
    assert scores["sphere"]["smooth"] > 0.8 > 0.2 > scores["random"]["smooth"]


def test_r_squared():
    truth = np.array([1.0, 2, 3, 6])
    assert r_squared(truth, truth) == 1
    assert r_squared(truth, np.full(4, 3.0)) == 0
    assert r_squared(np.ones(3), np.zeros(3)) is None


def test_too_few_known_values_have_no_score_but_a_reason():
    values = np.full(100, np.nan)
    values[:60] = np.arange(60)
    scored = np.arange(60 - MIN_SCORED + 1, 100)
    scores, reasons = neighbour_scores(
        {"sphere": np.random.default_rng(0).standard_normal((100, 3))},
        [Property("rare", values, False)],
        reference=np.arange(50),
        scored=scored,
        count=5,
    )
    assert scores == {"sphere": {"rare": None}}
    assert f"{MIN_SCORED - 1} held-out" in reasons["rare"]


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [
        (10 ** np.linspace(8, 12, 50), True),
        (np.linspace(1, 5, 50), False),
        (np.linspace(-1, 1, 50), False),
        (np.concatenate([[0.0] * 5, 10 ** np.linspace(-3, 2, 45)]), True),
        (np.concatenate([[-1.0], 10 ** np.linspace(-3, 2, 45)]), False),
    ],
)
def test_decades_are_compared_as_logarithms(values, logarithmic):
    found = as_property("x", values)
    assert found.logarithmic == logarithmic
    assert np.isfinite(found.values).all()
    assert (np.diff(found.values) >= 0).all()
    if not logarithmic:
        np.testing.assert_array_equal(found.values, values)


def test_unknown_values_stay_unknown():
    found = as_property("x", np.array([1.0, np.nan, np.inf, 2.0]))
    assert found.known.tolist() == [True, False, False, True]


@pytest.mark.parametrize("values", [np.ones(9), np.full(9, np.nan), np.array([3.0])])
def test_columns_that_tell_nothing_are_no_properties(values):
    assert as_property("x", values) is None


def test_names_and_places_are_no_properties():
    names = ["subhalo_id", "PGC_ID", "camera_x", "RA", "lon", "stellar_mass", "T", "inclination"]
    assert [name for name in names if is_property(name)] == [
        "stellar_mass", "T", "inclination"
    ]  # fmt: skip
