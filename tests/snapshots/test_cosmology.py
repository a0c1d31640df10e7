"""Cosmic time against astropy's own function."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.cosmology import LambdaCDM

from morphosphere.snapshots.cosmology import CosmicTime


@pytest.mark.parametrize("cosmology", [(0.6774, 0.3089, 0.6911), (0.7, 0.25, 0.5), (1.0, 1.0, 0.0)])
def test_ages_are_those_of_astropy(cosmology):
    a = np.concatenate([np.linspace(0.01, 1.1, 997), [1.0]])
    h, matter, dark = cosmology
    expected = LambdaCDM(100 * h, matter, dark, Tcmb0=0).age(1 / a - 1).to_value("Gyr")
    np.testing.assert_allclose(CosmicTime(*cosmology).age(a), expected, atol=2e-6)
    assert CosmicTime(*cosmology).age(0.0) == 0


def test_ages_of_stars_and_of_what_is_none():
    time = CosmicTime(0.7, 0.3, 0.7)
    formation = np.array([0.25, 0.5, 0.0, -0.3, np.nan, 0.500001], dtype=np.float32)
    room = np.empty(6, dtype=np.float32)
    time.since(formation, 0.5, room)
    expected = time.age(0.5) - time.age(0.25)
    np.testing.assert_allclose(room, [expected, 0, np.nan, np.nan, np.nan, 0], rtol=1e-6)
