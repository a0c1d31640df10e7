"""Places on the sphere, held against healpy, astropy-healpix, astropy's WCS and reproject."""

from __future__ import annotations

import astropy_healpix
import healpy
import numpy as np
import pytest
import reproject
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from reproject.hips import reproject_to_hips

from morphosphere.hips.draw import fill_cells
from morphosphere.hips.geometry import (
    Frame,
    cells_of_tile,
    directions,
    nested,
    node_directions,
    node_steps,
    nodes_by_cell,
    on_crease,
    pole_cell,
    touches_pole,
)


def pixel_directions(order: int, tile: int, width: int) -> np.ndarray:
    """Unit vectors (width, width, 3) of the pixels of a tile as JPEG and PNG hold them."""
    steps = np.arange(width)
    bits = width.bit_length() - 1
    return directions(order + bits, nested(tile, steps[:, None], steps[None, :], bits))


@pytest.mark.parametrize(("order", "tile"), [(0, 0), (0, 7), (1, 19), (3, 500), (9, 2_000_003)])
def test_pixels_lie_where_healpy_and_astropy_healpix_say(order: int, tile: int) -> None:
    width = 16
    nside = 2**order
    x, y, face = healpy.pix2xyf(nside, tile, nest=True)
    rows, columns = np.mgrid[:width, :width]
    pixel = healpy.xyf2pix(nside * width, x * width + rows, y * width + columns, face, nest=True)
    ours = pixel_directions(order, tile, width)
    theirs = np.moveaxis(healpy.pix2vec(nside * width, pixel, nest=True), 0, -1)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    # astropy-healpix places a point within a pixel: dx grows with the row, dy with the column.
    lon, lat = astropy_healpix.healpix_to_lonlat(
        tile, nside, dx=(rows + 0.5) / width, dy=(columns + 0.5) / width, order="nested"
    )
    theirs = SkyCoord(lon, lat).cartesian.xyz.value
    np.testing.assert_allclose(ours, np.moveaxis(theirs, 0, -1), atol=1e-9)


def test_pixels_lie_where_reproject_puts_them(tmp_path) -> None:
    """Tiles that reproject makes of a map of longitude and latitude hold ours."""
    header = fits.Header(
        {
            "NAXIS": 2, "NAXIS1": 720, "NAXIS2": 360, "CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR",
            "CRPIX1": 360.5, "CRPIX2": 180.5, "CDELT1": -0.5, "CDELT2": 0.5,
            "CRVAL1": 180.0, "CRVAL2": 0.0, "CUNIT1": "deg", "CUNIT2": "deg",
        }
    )  # fmt: skip
    wcs = WCS(header)
    lon, lat = wcs.wcs_pix2world(*np.meshgrid(np.arange(720), np.arange(360)), 0)
    smooth = np.sin(np.radians(lat)) + 0.3 * np.cos(np.radians(lon)) * np.cos(np.radians(lat))
    reproject_to_hips(
        (smooth.astype(np.float32), wcs),
        coord_system_out="equatorial",
        reproject_function=reproject.reproject_interp,
        output_directory=tmp_path / "theirs",
        level=1,
        tile_size=32,
    )
    compared = 0
    for tile in range(48):
        path = tmp_path / "theirs" / "Norder1" / "Dir0" / f"Npix{tile}.fits"
        theirs = fits.getdata(path)[::-1]  # FITS is the same array flipped vertically
        x, _, z = np.moveaxis(pixel_directions(1, tile, 32), -1, 0)
        known = np.isfinite(theirs)
        compared += known.sum()
        np.testing.assert_allclose((z + 0.3 * x)[known], theirs[known], atol=3e-3)
    assert compared > 0.98 * 48 * 32**2


@pytest.mark.parametrize("order", range(11))
def test_nodes_place_pixels_within_three_hundredths(order: int) -> None:
    """In every cell of tiles at the corners of base pixels, at the poles and on the creases."""
    cells, width = 4, 256
    cell_order, pixels = order + 2, width // cells
    corner = (4**order - 1) // 3  # x bits only: along an edge
    base = 4**order
    for tile in {0, base - 1, corner, 2 * corner, 5 * base - 1, 8 * base, 9 * base + corner}:
        steps = node_steps(order, tile, cells, pixels)
        nodes = node_directions(order, tile, width, steps * cells)
        exact = pixel_directions(order, tile, width)
        ids = cells_of_tile(tile, cells)
        frame = Frame.of_cells(cell_order, ids)
        scale = np.sqrt(4 * np.pi / 12) / 2**order / width
        by_cell = exact.reshape(cells, pixels, cells, pixels, 3).swapaxes(1, 2)
        drawn = np.empty((cells, cells, pixels, pixels), np.float32)
        for ours, theirs in zip(
            frame.project(nodes_by_cell(nodes, cells)), frame.project(by_cell), strict=True
        ):
            in_pixels = np.ascontiguousarray(ours / scale, np.float32)
            fill_cells(in_pixels, on_crease(cell_order, ids), drawn)
            error = np.abs(drawn - theirs / scale)
            if touches_pole(order, tile):  # the pole's own cell is drawn apart
                error[ids == tile * cells**2 + pole_cell(order, tile, cells)] = 0
                assert error.max() < 0.04
            else:
                assert error.max() < 0.03, (tile, steps)


@pytest.mark.parametrize("order", range(1, 12))
def test_cells_at_the_poles_have_a_node_at_every_pixel(order: int) -> None:
    width = 64
    for cell in (4**order - 1, 8 * 4**order):
        assert touches_pole(order, cell)
        steps = node_steps(order, cell, 1, width)
        nodes = node_directions(order, cell, width, steps)
        ids = cells_of_tile(cell, 1)
        frame = Frame.of_cells(order, ids)
        scale = np.sqrt(4 * np.pi / 12) / 2**order / width
        exact = pixel_directions(order, cell, width)[None, None]
        drawn = np.empty((1, 1, width, width), np.float32)
        for ours, theirs in zip(
            frame.project(nodes_by_cell(nodes, 1)), frame.project(exact), strict=True
        ):
            in_pixels = np.ascontiguousarray(ours / scale, np.float32)
            fill_cells(in_pixels, on_crease(order, ids), drawn)
            error = np.abs(drawn - theirs / scale)
            assert error.max() < 0.15  # a few pixels beside the pole itself
            assert np.sort(error.ravel())[:-100].max() < 0.03


def test_the_cell_at_a_pole_is_the_one_whose_corner_it_is() -> None:
    for order, tile in ((0, 3), (2, 15), (2, 8 * 16)):
        cell = pole_cell(order, tile, 4)
        assert cell is not None
        assert touches_pole(order + 2, tile * 16 + cell)
    assert pole_cell(0, 5, 4) is None
    assert pole_cell(1, 0, 4) is None


def test_tangent_planes_are_those_of_a_tan_projection() -> None:
    """Right is west and up is north, as on a sky chart with east to the left."""
    cell = 1234
    centre = healpy.pix2ang(16, cell, nest=True, lonlat=True)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = centre, [0, 0], [-1, 1]
    around = pixel_directions(4, cell, 8)
    lon, lat = healpy.vec2ang(around.reshape(-1, 3), lonlat=True)
    x, y = wcs.wcs_world2pix(lon, lat, 0)
    right, up = Frame.of_cells(4, np.array(cell)).project(around)
    np.testing.assert_allclose(np.degrees(right).ravel(), x + 1, atol=1e-9)
    np.testing.assert_allclose(np.degrees(up).ravel(), y + 1, atol=1e-9)


def test_png_of_pillow_has_row_zero_on_top(tmp_path) -> None:
    """The order of rows in a file is that of the array."""
    from morphosphere.hips.tiles import TileFormat

    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[0, 7] = 255
    path = tmp_path / "tile.png"
    path.write_bytes(TileFormat("png").encode(pixels))
    assert Image.open(path).getpixel((7, 0)) == (255, 255, 255)
