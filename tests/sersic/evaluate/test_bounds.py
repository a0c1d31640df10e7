"""Errors in units of the Cramér-Rao bound."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from factories_sersic_scored import scored_of
from morphosphere.sersic.evaluate.bounds import Bounds, measure_bound, typical
from morphosphere.sersic.evaluate.measures import width
from morphosphere.sersic.evaluate.quantities import quantities_of
from morphosphere.sersic.evaluate.scored import Scored
from morphosphere.structure.parameters import Space


def ratio(scored: Scored, bounds: Bounds, components: int = 1, **more: Any) -> dict[str, Any]:
    how = {"snr": 50.0, "bins": 4, **more}
    return measure_bound(scored, bounds, quantities_of(components), Space(components), **how)


@pytest.mark.parametrize(("components", "quality"), [(1, 1.0), (1, 2.0), (2, 1.5)])
def test_errors_that_are_so_many_times_the_bound_are_told_to_be(
    components: int, quality: float
) -> None:
    scored, bounds = scored_of(4000, components=components, quality=quality)
    found = ratio(scored, bounds, components)
    assert found["median"] == pytest.approx(quality, rel=0.03)
    assert found["width"] == pytest.approx(quality, rel=0.03)
    for key in ("by_parameter", "width_by_parameter", "told"):
        assert "position_angle" in found[key]
        assert all(v == pytest.approx(quality, rel=0.09) for v in found[key].values()), key
    assert found["joint"] == pytest.approx(quality, rel=0.03)
    assert [one["galaxies"] > 300 for one in found["by_snr"]] == [True] * 4
    assert sum(one["galaxies"] for one in found["by_snr"]) == 4000
    assert found["galaxies"] == (scored.about["snr"] > 50).sum()


def test_both_ratios_are_one_for_normal_errors_and_count_a_bias() -> None:
    error = np.random.default_rng(0).standard_normal(100_000)
    assert typical(error[:50_000], error[50_000:]) == pytest.approx(1, rel=0.01)
    assert typical(error + 3) > 4
    wings = np.where(np.arange(100_000) % 4 == 0, 10 * error, error)
    assert width(wings) > 1.45 > typical(wings) > 1.1


def test_faint_galaxies_do_not_count_for_the_headline() -> None:
    scored, bounds = scored_of(1000)
    before = ratio(scored, bounds)
    told = {key: values.copy() for key, values in scored.told["magnitude"].items()}
    told["median"][bounds.snr <= 50] += 5
    worse = dataclasses.replace(scored, told={**scored.told, "magnitude": told})
    after = ratio(worse, bounds)
    assert after["median"] == before["median"]
    assert after["by_snr"][0]["median"] > before["by_snr"][0]["median"]


def test_what_the_network_thinks_of_itself_stands_apart() -> None:
    scored, bounds = scored_of(2000, quality=2.0, calibration=0.5)
    found = ratio(scored, bounds)
    assert found["median"] == pytest.approx(2, rel=0.06)
    assert found["told"]["log_index"] == pytest.approx(1, rel=0.02)


def test_bounds_belong_to_galaxies_by_their_names() -> None:
    scored, bounds = scored_of(500)
    order = np.random.default_rng(1).permutation(500)[:300]
    std = {name: values[order] for name, values in bounds.std.items()}
    some = Bounds(bounds.ids[order], bounds.snr[order], std, bounds.covariance[order])
    kept = np.isin(scored.ids, some.ids)
    assert ratio(scored, some) == ratio(scored.take(kept), bounds)


def test_an_error_that_the_image_rules_out_counts_for_all_parameters_jointly() -> None:
    """Radius and magnitude of the bound go together: one without the other is not allowed."""
    scored, bounds = scored_of(2000)
    std = np.sqrt(np.diagonal(bounds.covariance, axis1=1, axis2=2))
    bounds.covariance[:, 0, 1] = bounds.covariance[:, 1, 0] = 0.99 * std[:, 0] * std[:, 1]
    found = ratio(scored, bounds)
    assert found["median"] == pytest.approx(1, rel=0.05)
    assert found["joint"] > 2


def test_galaxies_without_a_bound_and_too_few_of_them() -> None:
    scored, bounds = scored_of(300)
    bounds.std["log_index"][::2] = np.nan
    found = ratio(scored, bounds)
    assert found["galaxies"] == (bounds.snr[1::2] > 50).sum()
    nothing = ratio(scored, bounds, snr=1e9, bootstrap=10)
    assert nothing["galaxies"] == 0
    assert nothing["median"] is nothing["interval"] is nothing["width"] is None
    assert nothing["joint"] is None
    assert set(nothing["by_parameter"].values()) == {None}
    bounds.std["log_index"][:] = np.nan
    assert ratio(scored, bounds)["by_snr"] == []


def test_the_interval_of_the_headline_holds_it() -> None:
    scored, bounds = scored_of(400, quality=1.4)
    found = ratio(scored, bounds, bootstrap=200, seed=3)
    low, high = found["interval"]
    assert low < found["median"] < high
    assert 0.05 < high - low < 0.5
