"""R^2, errors and coverage, against scikit-learn and what is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import r2_score

from factories_sersic_scored import scored_of
from morphosphere.sersic.evaluate.bootstrap import interval
from morphosphere.sersic.evaluate.measures import (
    coverage_by_snr,
    joint_coverage,
    measure,
    r_squared,
    width,
)
from morphosphere.sersic.evaluate.quantities import ANGLE, ROUND, quantities_of
from morphosphere.sersic.evaluate.scored import Scored
from morphosphere.structure.parameters import Space

QUANTITIES = quantities_of(1)


def changed(scored: Scored, column: str, **told: np.ndarray) -> Scored:
    """Something else is told of a column."""
    return dataclasses.replace(scored, told={**scored.told, column: scored.told[column] | told})


@pytest.mark.parametrize("components", [1, 2])
def test_r2_is_that_of_scikit_learn_on_the_scale_of_each_quantity(components: int) -> None:
    scored, _ = scored_of(400, components=components, quality=3.0)
    found = measure(scored, quantities_of(components))
    assert set(found["r2"]) == {quantity.name for quantity in quantities_of(components)}
    radius = [np.log10(scored.truth["radius"]), np.log10(scored.told["radius"]["median"])]
    assert found["r2"]["log_radius"] == pytest.approx(r2_score(*radius), rel=1e-12)
    magnitude = scored.truth["magnitude"], scored.told["magnitude"]["median"]
    assert found["r2"]["magnitude"] == pytest.approx(r2_score(*magnitude), rel=1e-12)


def test_width_is_the_standard_deviation_of_normal_errors_and_sees_a_bias() -> None:
    error = np.random.default_rng(0).normal(0, 2.5, 200_000)
    assert width(error) == pytest.approx(2.5, rel=0.01)
    assert width(error + 5) > 6


def test_right_intervals_cover_as_often_as_they_say_and_wrong_ones_do_not() -> None:
    for calibration, low, high in ((1.0, 0.67, 0.69), (0.5, 0.36, 0.40), (2.0, 0.93, 0.965)):
        scored, _ = scored_of(3000, calibration=calibration)
        found = measure(scored, QUANTITIES)["coverage"]
        assert low < found["68"] < high, calibration
        assert all(low - 0.03 < found[q.name]["68"] < high + 0.03 for q in (*QUANTITIES, ANGLE))
    assert found["95"] > 0.995


def test_ellipsoids_test_the_whole_covariance() -> None:
    space = Space(1)
    for calibration, low, high in ((1.0, 0.65, 0.71), (0.5, 0.02, 0.2)):
        scored, _ = scored_of(2000, calibration=calibration)
        assert low < joint_coverage(scored, space)["68"] < high
    scored, _ = scored_of(2000)
    assert 0.93 < joint_coverage(scored, space)["95"] < 0.965
    std = np.sqrt(np.diagonal(scored.covariance, axis1=1, axis2=2))
    scored.covariance[:, 0, 1] = scored.covariance[:, 1, 0] = 0.9 * std[:, 0] * std[:, 1]
    assert joint_coverage(scored, space)["68"] < 0.5  # the intervals of each are as they were
    scored.covariance[:, 0, 0] = np.nan
    assert joint_coverage(scored, space) == {"68": None, "95": None}


def test_coverage_is_told_by_signal_to_noise() -> None:
    """Intervals that are right of all galaxies together can be wrong of faint ones."""
    scored, _ = scored_of(2000)
    bright = scored.about["snr"] > np.median(scored.about["snr"])
    wide, narrow = (scored_of(2000, calibration=c)[0] for c in (1.6, 0.7))
    for column, told in scored.told.items():
        for key in told:
            told[key] = np.where(bright, narrow.told[column][key], wide.told[column][key])
    bins = coverage_by_snr(scored, QUANTITIES, bins=4)
    assert [one["galaxies"] for one in bins] == [500] * 4
    assert all(one["low"] <= one["snr"] <= one["high"] for one in bins)
    assert min(one["68"] for one in bins[:2]) > 0.8 > 0.6 > max(one["68"] for one in bins[2:])
    scored.about["snr"][:] = np.nan
    assert coverage_by_snr(scored, QUANTITIES, bins=4) == []


@pytest.mark.parametrize(
    ("true", "median", "low", "high", "inside"),
    [
        (175.0, 2.0, -8.0, 12.0, 1),
        (160.0, 2.0, -8.0, 12.0, 0),
        (3.0, 178.0, 170.0, 186.0, 1),
        (7.0, 178.0, 170.0, 186.0, 0),
        (175.0, 2.0, 172.0, 12.0, 1),  # ends brought to [0, 180)
        (91.0, 0.0, -90.0, 90.0, 1),
        (90.0, 90.0, np.nan, 95.0, np.nan),
    ],
)
def test_intervals_of_angles_know_no_jump(
    true: float, median: float, low: float, high: float, inside: float
) -> None:
    scored, _ = scored_of(1)
    told = {"median": np.array([median]), "low68": np.array([low]), "high68": np.array([high])}
    scored = changed(scored, "position_angle", **told)
    scored.truth["position_angle"][:] = true
    assert scored.inside("position_angle", "68") == pytest.approx([inside], nan_ok=True)


def test_angles_go_the_shorter_way_and_round_galaxies_have_none() -> None:
    scored, _ = scored_of(3)
    scored.truth["axis_ratio"][:] = [0.5, ROUND + 0.01, 0.5]
    scored.truth["position_angle"][:] = [179.0, 179.0, 1.0]
    told = {"median": np.array([1.0, 1.0, 178.0])}
    error = changed(scored, "position_angle", **told).error(ANGLE)
    assert error == pytest.approx([2.0, np.nan, -3.0], nan_ok=True)


def test_galaxies_of_which_nothing_is_told_are_counted_and_in_no_error() -> None:
    scored, _ = scored_of(300)
    whole = measure(scored.take(np.arange(200)), QUANTITIES)
    nothing = np.where(np.arange(300) < 200, 1.0, np.nan)
    for column in scored.told:
        told = {key: values * nothing for key, values in scored.told[column].items()}
        scored = changed(scored, column, **told)
    scored.truth["sersic_index"][250:] = np.nan  # no truth and nothing told: untold all the same
    found = measure(scored, QUANTITIES)
    assert found["untold"] == 100
    assert found["r2"] == whole["r2"]
    assert found["errors"] == whole["errors"]
    assert found["coverage"] == whole["coverage"]


def test_too_few_galaxies_and_one_value_throughout_are_none() -> None:
    scored, _ = scored_of(8)
    few = measure(scored, QUANTITIES, least=9, bootstrap=10)
    assert set(few["r2"].values()) == {None}
    assert few["coverage"]["68"] is None
    assert few["errors"]["magnitude"] is None
    scored.truth["magnitude"][:] = 20.0
    same = measure(scored, QUANTITIES, bootstrap=10)
    assert same["r2"]["magnitude"] is None
    assert same["intervals"]["r2"]["magnitude"] is None
    assert same["r2"]["log_radius"] is not None
    assert measure(scored.take(np.zeros(8, bool)), QUANTITIES, bootstrap=5)["untold"] == 0


def test_intervals_are_as_wide_as_the_scatter_of_samples() -> None:
    drawn = []
    for seed in range(40):
        scored, _ = scored_of(150, quality=4.0, seed=seed)
        drawn.append(measure(scored, QUANTITIES)["r2"]["axis_ratio"])
    found = measure(scored, QUANTITIES, bootstrap=400, seed=1)
    low, high = found["intervals"]["r2"]["axis_ratio"]
    assert low < found["r2"]["axis_ratio"] < high
    assert (high - low) / 3.92 == pytest.approx(np.std(drawn), rel=0.6)
    again = measure(scored, QUANTITIES, bootstrap=400, seed=1)
    assert again == found
    assert measure(scored, QUANTITIES, bootstrap=400, seed=2) != found


def test_an_interval_that_does_not_exist_is_none() -> None:
    true = np.arange(10.0)
    assert interval(r_squared, [true, true], 0, 0) is None
    assert interval(r_squared, [true[:1], true[:1]], 10, 0) is None
    assert interval(r_squared, [true, np.zeros(10)], 10, 0) is None
    assert interval(r_squared, [true, true], 10, 0) == [1.0, 1.0]
