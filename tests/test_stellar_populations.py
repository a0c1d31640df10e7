"""Light of stars against the tables and against what is known of stellar populations."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest

from morphosphere.errors import InputError
from morphosphere.stellar_populations import (
    BANDS,
    absolute_magnitudes,
    luminosities,
    table_of,
    to_ab,
)


@pytest.mark.parametrize("band", BANDS)
def test_values_at_the_knots_are_those_of_the_table(band):
    table = table_of(band)
    found = absolute_magnitudes(
        [band],
        age=10 ** table.log_age[[0, 10, -1]] / 1e9,
        metallicity=10 ** table.log_metallicity[[0, 4, -1]],
        system="native",
    )[:, 0]
    column = table.bands.index(band)
    expected = [table.magnitudes[a, z, column] for a, z in ((0, 0), (10, 4), (-1, -1))]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_all_bands_at_once_equal_each_alone():
    rng = np.random.default_rng(1)
    age, metallicity = rng.uniform(0.01, 13, 50), rng.uniform(1e-4, 0.03, 50)
    together = absolute_magnitudes(list(BANDS), age=age, metallicity=metallicity)
    for k, band in enumerate(BANDS):
        alone = absolute_magnitudes([band], age=age, metallicity=metallicity)
        np.testing.assert_array_equal(together[:, k], alone[:, 0])


def test_old_stars_are_faint_and_red():
    age = np.array([0.01, 0.1, 1.0, 5.0, 12.0])
    magnitudes = absolute_magnitudes(["g", "r", "i"], age=age, metallicity=np.full(5, 0.008))
    assert (np.diff(magnitudes, axis=0) > 0).all()
    colour = magnitudes[:, 0] - magnitudes[:, 2]
    assert colour[0] < 0.5
    assert 0.9 < colour[-1] < 1.5


def test_mass_to_light_ratio_of_an_old_population():
    # A Kroupa population of 12 Gyr and solar metallicity has M/L_V of 3 to 5 by its present mass,
    # which is about 0.57 of the mass formed (Maraston 2005, MNRAS 362, 799).
    magnitude = absolute_magnitudes(
        ["V"], age=np.array([12.0]), metallicity=np.array([0.0147]), system="Vega"
    )[0, 0]
    assert 3 < 0.57 * 10 ** (0.4 * (magnitude - 4.81)) < 5


def test_luminosity_is_proportional_to_mass_and_systems_differ_by_the_offset():
    age, metallicity = np.array([3.0, 3.0]), np.array([0.01, 0.01])
    light = luminosities(
        ["V"], age=age, metallicity=metallicity, initial_mass=np.array([1.0, 1e6])
    )[:, 0]
    assert light[1] / light[0] == pytest.approx(1e6)
    native = absolute_magnitudes(["K"], age=age, metallicity=metallicity, system="native")
    ab = absolute_magnitudes(["K"], age=age, metallicity=metallicity)
    np.testing.assert_allclose(to_ab(native, "K"), ab)
    np.testing.assert_allclose(ab - native, 1.85)


def test_extremes_take_the_edge_and_what_is_not_finite_stays_so():
    with np.errstate(all="raise"):
        found = absolute_magnitudes(
            ["r"],
            age=np.array([0.0, 1e-3, 3.9e-3, 99.0, np.nan, 1.0]),
            metallicity=np.array([0.0, 1e-9, 1e-4, 0.5, 0.01, 0.01]),
            initial_mass=np.array([1, 1, 1, 1, 1, 0.0]),
        )[:, 0]
    assert found[0] == found[1] == found[2]
    assert np.isfinite(found[3])
    assert np.isnan(found[4])
    assert np.isposinf(found[5])


def test_no_stars_and_unknown_bands():
    assert luminosities(["g", "K"], age=np.array([]), metallicity=np.array([])).shape == (0, 2)
    with pytest.raises(InputError, match=r"band 'Q'.*u g r i z"):
        absolute_magnitudes(["Q"], age=np.ones(1), metallicity=np.ones(1))
    with pytest.raises(ValueError, match="AB, Vega or native"):
        absolute_magnitudes(["g"], age=np.ones(1), metallicity=np.ones(1), system="ST")


def test_pynbody_is_not_imported_for_its_tables():
    code = (
        "import sys; from morphosphere.stellar_populations import table_of; table_of('g');"
        "sys.exit('pynbody' in sys.modules)"
    )
    assert run([sys.executable, "-c", code]).returncode == 0
