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
