"""What an encounter would cost by N-body."""

import sys
import types

import numpy as np
import pytest

from morphosphere.errors import MorphosphereError
from morphosphere.mergers import nbody


def accel(position, mass, softening, G, **_):
    """Direct summation with Plummer's softening, in place of the tree."""
    offset = position[None] - position[:, None]
    distance = (offset**2).sum(axis=2) + (softening[None] / nbody.SUPPORT) ** 2
    return G * np.einsum("j,ijk->ik", mass, offset / distance[..., None] ** 1.5)


@pytest.fixture
def tree(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytreegrav", types.SimpleNamespace(Accel=accel))


def test_steps_are_those_of_a_circular_orbit(tree):
    # 1e11 solar masses at 10 kpc: the acceleration is 4301 (km/s)^2 / kpc
    bodies = nbody.Bodies(
        position=np.array([[0.0, 0, 0], [10.0, 0, 0]]),
        velocity=np.array([[0.0, 0, 0], [0.0, 207.4, 0]]),
        mass=np.array([1e11, 1.0]),
        softening=np.array([0.25, 0.25]),
    )
    cost = nbody.seconds_per_run(bodies, 1000.0, steps=1)
    limit = np.sqrt(2 * 0.05 * 0.25 / 4301) * nbody.MYR
    longest = nbody.LARGEST
    while longest > limit:
        longest /= 2
    assert cost.particles == 2
    assert cost.most_steps == pytest.approx(1000 / longest)
    assert cost.mean_steps == pytest.approx((1000 / longest + 1000 / nbody.LARGEST) / 2)
    assert cost.seconds == pytest.approx(cost.seconds_per_step * cost.mean_steps)


def test_model_of_two_galaxies(tree):
    bodies = nbody.two_galaxies(number=300, separation=40)
    assert len(bodies.position) == len(bodies.mass) == len(bodies.softening) == 600
    assert bodies.mass.sum() == pytest.approx(2 * 6e11)
    assert np.median(bodies.position[::2, 0]) == pytest.approx(-20, abs=3)
    assert nbody.seconds_per_run(bodies, steps=1).mean_steps > 1


def test_without_the_peer(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytreegrav", None)
    with pytest.raises(MorphosphereError, match="pytreegrav is not installed"):
        nbody.seconds_per_run(nbody.two_galaxies(number=30))


def test_particles_of_a_snapshot(real_data):
    path = real_data / "snapshots" / "gadget4_merger" / "mass_ratio_1to1"
    bodies = nbody.of_snapshot(path, 8)
    assert len(bodies.mass) == 76_000
    assert (bodies.softening == 0.75).sum() == 26_000
    assert bodies.mass.sum() == pytest.approx(1.2e12, rel=0.5)
