"""Places of pixels, as the benchmark compares them with reproject's."""

from __future__ import annotations

from pathlib import Path

import hpgeom
import numpy as np
import pytest
from astropy.io import fits
from benchmarks import hips_geometry
from benchmarks.hips import count_tiles

from morphosphere.hips.geometry import cells_of_tile


def test_tiles_are_counted() -> None:
    assert [count_tiles(order) for order in range(4)] == [12, 60, 252, 1020]


@pytest.mark.parametrize("tile", [0, 9, 33])
def test_places_are_those_of_healpix(tile: int) -> None:
    lon, lat = hips_geometry.places(1, tile, 64, 4)
    exact = hpgeom.pixel_to_angle(1 << 7, cells_of_tile(tile, 64).ravel())
    apart = hpgeom.angle_to_vector(lon.ravel(), lat.ravel()) - hpgeom.angle_to_vector(*exact)
    pixel = np.sqrt(4 * np.pi / 12) / 2 / 64
    assert np.linalg.norm(apart, axis=-1).max() < 0.05 * pixel


def test_a_shifted_map_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles that are off by one pixel along their rows have errors of a pixel."""
    monkeypatch.setattr(hips_geometry, "SIDE", 256)
    order, width = 3, 64
    wcs = hips_geometry.tan(np.sqrt(4 * np.pi / 12) / 2**order / width)
    tile = int(hpgeom.angle_to_pixel(1 << order, *hips_geometry.CENTRE))
    lon, lat = hips_geometry.places(order, tile, width, 4)
    for name, values in zip(("columns", "rows"), wcs.wcs_world2pix(lon, lat, 0), strict=True):
        for shift in (0, 1):
            path = tmp_path / f"{name}{shift}" / f"Norder{order}" / "Dir0" / f"Npix{tile}.fits"
            path.parent.mkdir(parents=True)
            fits.PrimaryHDU(np.roll(values, shift, axis=1)[::-1]).writeto(path)
    kept, shifted = (
        hips_geometry.place_errors(
            tmp_path / f"columns{k}", tmp_path / f"rows{k}", wcs, order, width, 4
        )
        for k in (0, 1)
    )
    assert kept.max() < 1e-6
    assert 0.7 < np.median(shifted) < 1.4
