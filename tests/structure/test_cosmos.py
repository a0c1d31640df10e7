"""Labels of the COSMOS catalogues."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from morphosphere.errors import InputError
from morphosphere.structure.cosmos import fits_path, read_fits

TABLE = "cosmos/real_galaxy_catalog_23.5_example_fits.fits"


def test_labels_agree_with_the_derived_columns_of_the_catalogue(real_data: Path) -> None:
    table = Table.read(real_data / TABLE)
    found = read_fits(real_data / TABLE, np.asarray(table["IDENT"])[::-1])
    radius = (found["radius"] * np.sqrt(found["axis_ratio"]))[::-1]
    flux = 10 ** (-0.4 * (found["magnitude"][::-1] - 25.94))
    known = np.isfinite(radius)
    assert known.mean() > 0.9
    assert radius[known] == pytest.approx(np.asarray(table["hlr"])[known, 0], rel=1e-6)
    assert flux[known] == pytest.approx(np.asarray(table["flux"])[known, 0], rel=2e-3)
    # automatic magnitudes miss light of the wings, so they are somewhat fainter
    difference = np.asarray(table["mag_auto"])[known] - found["magnitude"][::-1][known]
    assert 0 < np.median(difference) < 0.3


def test_galaxies_without_a_fit_have_no_labels(real_data: Path, tmp_path: Path) -> None:
    table = Table.read(real_data / TABLE)[:4]
    status = np.asarray(table["fit_status"]).copy()
    status[1, 4] = 0
    table["fit_status"] = status
    table["sersicfit"][2, 3] = np.nan
    table.write(tmp_path / "few_fits.fits")
    names = [*np.asarray(table["IDENT"]), -5]
    found = read_fits(fits_path(tmp_path / "few.fits"), np.array(names))
    assert np.isfinite(found["magnitude"]).tolist() == [True, False, False, True, False]
    assert np.isfinite(found["position_angle"]).tolist() == [True, False, False, True, False]


def test_tables_without_fits_are_errors(real_data: Path, tmp_path: Path) -> None:
    other = real_data / "cosmos/real_galaxy_catalog_26_extension_example_fits.fits"
    with pytest.raises(InputError, match="no column sersicfit"):
        read_fits(other, np.array([0]))
    with pytest.raises(InputError, match=r"none_fits\.fits: the table of fits cannot be read"):
        read_fits(fits_path(tmp_path / "none.fits"), np.array([0]))
