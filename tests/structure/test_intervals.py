"""Intervals of columns against the posterior they are of, drawn a hundred thousand times."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.structure.intervals import ENDS, interval_columns, intervals
from morphosphere.structure.parameters import Space

_SIZE, _ZERO = 0.06, 25.94


def _covariance(random: np.random.Generator, width: int, scale: float) -> np.ndarray:
    root = np.tril(random.normal(0, 1, (width, width))) * scale
    return root @ root.T + 1e-6 * np.eye(width)


@pytest.mark.parametrize("components", [1, 2])
def test_intervals_are_those_of_the_posterior(components: int) -> None:
    space, random = Space(components), np.random.default_rng(2)
    latent = np.array([[-6.0, 0.8, 0.3, 0.2, 0.15], [-4.0, 1.2, 0.1, -0.3, 0.2]])
    if components == 2:
        latent = np.insert(latent, 3, 0.5, axis=1)
    covariance = np.stack([_covariance(random, latent.shape[1], s) for s in (0.02, 0.05)])
    given = np.full(2, _ZERO), np.full(2, _SIZE)
    found = intervals(space, latent, covariance, *given, samples=1024)
    assert list(found) == interval_columns(space)
    assert len(found) == len(space.columns) * len(ENDS)
    for row in range(2):
        drawn = random.multivariate_normal(latent[row], covariance[row], 100_000)
        columns = space.to_columns(drawn, _ZERO, _SIZE)
        for name, values in columns.items():
            if name == "position_angle":  # none of the two is near the end of its range
                assert values.std() < 20
            std = values.std()
            for end, q in (("median", 0.5), ("low68", 0.16), ("high95", 0.975)):
                wanted = np.quantile(values, q)
                assert found[f"{name}_{end}"][row] == pytest.approx(wanted, abs=0.06 * std)
            if name != "bulge_to_total":  # is cut off at 0 and 1
                assert found[f"{name}_std"][row] == pytest.approx(std, rel=0.05)


def test_angles_go_on_beyond_their_range() -> None:
    """A galaxy along the x axis: the interval goes from below 0 or to above 180."""
    latent = np.array([[-6.0, 0.8, 0.3, 0.3, 0.001], [-6.0, 0.8, 0.3, 0.3, -0.001]])
    covariance = np.tile(np.diag([1e-4] * 5), (2, 1, 1))
    found = intervals(Space(1), latent, covariance, np.full(2, _ZERO), np.full(2, _SIZE))
    median = found["position_angle_median"]
    assert ((median >= 0) & (median < 180)).all()
    for low, high in (("low68", "high68"), ("low95", "high95")):
        low, high = found[f"position_angle_{low}"], found[f"position_angle_{high}"]
        assert (low < median).all()
        assert (high > median).all()
        assert (high - low < 10).all()
    assert found["position_angle_std"] == pytest.approx(np.rad2deg(0.01 / 0.6), rel=0.05)


def test_of_a_round_galaxy_no_angle_is_known() -> None:
    latent, covariance = np.array([[-6.0, 0.8, 0.3, 0.0, 0.0]]), np.diag([1e-4] * 5)[None]
    found = intervals(Space(1), latent, covariance, np.full(1, _ZERO), np.full(1, _SIZE))
    assert found["position_angle_std"][0] == pytest.approx(180 / np.sqrt(12), rel=0.05)
    assert found["position_angle_high95"][0] - found["position_angle_low95"][0] > 160


def test_what_is_not_known_stays_unknown() -> None:
    latent, covariance = np.full((2, 5), np.nan), np.tile(np.diag([1e-4] * 5), (2, 1, 1))
    latent[1] = [-6.0, 0.8, 0.3, 0.1, 0.0]
    found = intervals(Space(1), latent, covariance, np.full(2, _ZERO), np.full(2, _SIZE))
    for values in found.values():
        assert np.isnan(values[0])
        assert np.isfinite(values[1])


def test_deviations_without_limit_stay_numbers() -> None:
    latent, covariance = np.array([[-6.0, 0.8, 0.3, 0.1, 0.0]]), np.diag([1e4] * 5)[None]
    found = intervals(Space(1), latent, covariance, np.full(1, _ZERO), np.full(1, _SIZE))
    for values in found.values():
        assert np.isfinite(values).all()
    assert found["radius_std"] > 1e10
