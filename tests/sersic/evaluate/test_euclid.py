"""The measures of the Euclid Morphology Challenge, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from factories_sersic_scored import scored_of
from morphosphere.sersic.evaluate.euclid import (
    bin_weights,
    errors_of,
    magnitude_edges,
    measure_euclid,
    summary,
)
from morphosphere.sersic.evaluate.scored import TOLD, Scored

WEIGHTS = (2.0, 3.0, 5.0, 7.0)


def galaxies(radius: list[float], **more: Any) -> Scored:
    """Galaxies of radius 1 with these told radii, everything else being told exactly."""
    n = len(radius)
    truth = {
        "magnitude": np.full(n, 20.0),
        "radius": np.ones(n),
        "sersic_index": np.full(n, 2.0),
        "axis_ratio": np.full(n, 0.5),
        "position_angle": np.zeros(n),
        **more,
    }
    told = {c: dict.fromkeys(TOLD, values.copy()) for c, values in truth.items()}
    told["radius"] = dict.fromkeys(TOLD, np.array(radius))
    ids = np.array([str(k) for k in range(n)])
    about = {"snr": np.full(n, 100.0)}
    nothing = np.full((n, 5), np.nan), np.full((n, 5, 5), np.nan)
    return Scored(np.arange(n), ids, truth, told, about, np.zeros(n, int), *nothing)


def score(scored: Scored, edges: list[float], **more: Any) -> dict[str, Any]:
    how: dict[str, Any] = {"outlier": 0.5, "weights": WEIGHTS, "least": 1}
    return measure_euclid(scored, np.array(edges), **how | more)


def test_errors_are_relative_absolute_and_logarithmic() -> None:
    scored = galaxies([1.2, 0.5])
    scored.told["axis_ratio"] = {"median": np.array([0.6, 0.4])}
    scored.told["sersic_index"] = {"median": np.array([20.0, 0.2])}
    scored.truth["radius"][:] = [2.0, 0.4]
    assert errors_of(scored, "radius") == pytest.approx([-0.4, 0.25])
    assert errors_of(scored, "axis_ratio") == pytest.approx([0.1, -0.1])
    assert errors_of(scored, "sersic_index") == pytest.approx([1.0, -1.0])


def test_bias_is_the_median_and_dispersion_the_quantile_about_it() -> None:
    found = summary(np.array([0.1, 0.2, 0.3, 0.5, 0.9]), 0.5)
    assert found["bias"] == pytest.approx(0.3)
    # |b - B| = 0, 0.1, 0.2, 0.2, 0.6; the quantile 0.68 lies 0.72 of the way from 0.2 to 0.2
    assert found["dispersion"] == pytest.approx(0.2)
    assert found["outliers"] == pytest.approx(0.2)  # 0.9; an error of just 0.5 is none


def test_the_score_is_the_formula() -> None:
    scored = galaxies([1.1, 1.1, 1.1, 1.8])
    found = score(scored, [19, 21])
    (only,) = found["by_magnitude"]
    assert only["radius"]["bias"] == pytest.approx(0.1)
    assert only["radius"]["outliers"] == 0.25
    dispersion = np.quantile([0, 0, 0, 0.7], 0.68)
    assert only["radius"]["dispersion"] == pytest.approx(dispersion)
    assert found["radius"] == pytest.approx(2 * 0.1 + 3 * dispersion + 5 * 0.25)
    assert found["axis_ratio"] == found["sersic_index"] == 0
    assert found["global"] == pytest.approx(found["radius"] / 3)


def test_bins_weigh_by_their_galaxies_and_the_logarithm_of_their_snr() -> None:
    bins = [{"galaxies": 30, "snr": 100.0}, {"galaxies": 10, "snr": 10.0}]
    assert bin_weights(bins) == pytest.approx([6 / 7, 1 / 7])
    for level in (None, 0.5):
        assert bin_weights([bins[0], {"galaxies": 10, "snr": level}]) == pytest.approx([0.75, 0.25])
    magnitude = np.array([18.5] * 3 + [22.5])
    scored = galaxies([1.0, 1.0, 1.0, 1.4], magnitude=magnitude)
    found = score(scored, [18, 20, 22, 24])
    assert [one["low"] for one in found["by_magnitude"]] == [18, 22]
    assert found["radius"] == pytest.approx(0.25 * 2 * 0.4)
    assert len(score(scored, [18, 20, 22, 24], least=2)["by_magnitude"]) == 1


def test_galaxies_of_which_nothing_is_told_are_incompleteness() -> None:
    scored = galaxies([1.0, 1.0, 1.0, np.nan])
    found = score(scored, [19, 21])
    assert found["completeness"] == 0.75
    assert found["radius"] == found["axis_ratio"] == pytest.approx(7 * 0.25)
    unknown = dataclasses.replace(scored, truth=scored.truth | {"radius": np.full(4, np.nan)})
    nothing = score(unknown, [19, 21])
    assert nothing["completeness"] is nothing["global"] is nothing["radius"] is None


def test_the_magnitude_is_told_but_is_no_part_of_the_score() -> None:
    scored = galaxies([1.0] * 5)
    scored.told["magnitude"] = {"median": np.full(5, 22.0)}
    found = score(scored, [19, 21])
    assert found["global"] == 0
    assert "magnitude" not in found
    assert found["by_magnitude"][0]["magnitude"] == pytest.approx(
        {"bias": 2.0, "dispersion": 0.0, "outliers": 1.0}
    )


def test_two_components_have_their_own_parameters_and_better_codes_score_lower() -> None:
    found = {}
    for quality in (1.0, 4.0):
        scored, _ = scored_of(1000, components=2, quality=quality)
        edges = magnitude_edges(scored.truth["magnitude"], 5)
        found[quality] = score(scored, edges, least=10)
    names = {"radius", "axis_ratio", "bulge_radius", "bulge_to_total"}
    assert names <= set(found[1.0])
    assert all(found[1.0][name] < found[4.0][name] for name in (*names, "global"))
    assert sum(one["galaxies"] for one in found[1.0]["by_magnitude"]) == 1000
