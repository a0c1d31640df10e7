"""Pericentres, phases and the plane of an orbit from samples of it."""

import numpy as np
import pytest

from morphosphere.mergers.runs.orbit import KPC_PER_MYR, find_orbit


def kepler(times, *, a=25.0, e=0.75, mu=4.3e-6 * 4e11, first=130.0):
    """Positions and velocities (km/s) on a bound orbit in a tilted plane, pericentre at `first`."""
    n = np.sqrt(mu / a**3) * KPC_PER_MYR
    mean = n * (np.asarray(times) - first)
    anomaly = mean.copy()
    for _ in range(100):
        anomaly -= (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
    b = a * np.sqrt(1 - e**2)
    rate = n / KPC_PER_MYR / (1 - e * np.cos(anomaly))
    flat = np.stack([a * (np.cos(anomaly) - e), b * np.sin(anomaly)], axis=1)
    speed = np.stack([-a * np.sin(anomaly), b * np.cos(anomaly)], axis=1) * rate[:, None]
    plane = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])
    return flat @ plane, speed @ plane, a * (1 - e), 2 * np.pi / n


def test_pericentre_of_a_bound_orbit_between_the_samples():
    times = np.arange(0, 800, 20.0)
    position, _, least, period = kepler(times)
    orbit = find_orbit(times, position)
    assert orbit.first == pytest.approx(130, abs=1)
    assert orbit.pericentre == pytest.approx(least, abs=0.9)  # a spline cuts the corner
    assert orbit.second == pytest.approx(130 + period, abs=3)
    np.testing.assert_allclose(orbit.frame[2], [0, -0.8, 0.6], atol=0.01)
    np.testing.assert_allclose(orbit.frame @ orbit.frame.T, np.eye(3), atol=1e-9)
    assert np.isnan(orbit.coalescence)


def test_velocities_make_coarse_samples_good():
    times = np.arange(5, 500, 45.0)
    position, velocity, least, _ = kepler(times)
    without, orbit = find_orbit(times, position), find_orbit(times, position, velocity)
    assert abs(orbit.first - 130) < 0.1 * 45
    assert abs(orbit.pericentre - least) < abs(without.pericentre - least)
    assert orbit.pericentre == pytest.approx(least, abs=1.2)


def test_phases():
    times = np.arange(0, 900, 20.0)
    position, _, _, period = kepler(times)
    position[times > 780] *= 0.01
    orbit = find_orbit(times, position)
    assert 780 <= orbit.coalescence <= 800
    assert 130 + period < orbit.coalescence
    said = orbit.phase(np.array([0.0, 129.0, 132.0, 130 + period + 3, 860.0]))
    assert said.tolist() == ["approach", "approach", "passage", "final", "remnant"]


def test_a_run_that_ends_before_the_first_passage():
    times = np.array([0.0, 40.0, 80.0])
    orbit = find_orbit(times, kepler(times)[0])
    assert np.isnan([orbit.first, orbit.second, orbit.pericentre]).all()
    assert orbit.phase(times).tolist() == ["approach"] * 3


def test_a_run_that_starts_after_the_first_passage_does_not_take_the_second_for_it():
    times = np.arange(135, 800, 20.0)
    position, _, _, period = kepler(times)
    orbit = find_orbit(times, position)
    assert np.isnan(orbit.first)
    assert set(orbit.phase(times)) == {""}
    told = find_orbit(times, position, first=130.0)
    assert told.first == 130
    assert told.second == pytest.approx(130 + period, abs=2)
    assert np.isnan(told.pericentre)


def test_jitter_of_merged_nuclei_is_no_passage():
    times = np.arange(0, 900, 20.0)
    position = kepler(times)[0]
    late = times > 300
    position[late] = np.random.default_rng(1).normal(size=(late.sum(), 3)) * 0.2
    orbit = find_orbit(times, position, close=1.0)
    assert orbit.first == pytest.approx(130, abs=1)
    assert np.isnan(orbit.second)


def test_one_moment():
    orbit = find_orbit(np.array([3.0]), np.array([[10.0, 0, 0]]), first=1.0)
    assert orbit.first == 1
    assert np.isnan(orbit.frame).all()
    assert orbit.phase(np.array([3.0])).tolist() == ["passage"]
