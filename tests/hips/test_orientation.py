"""A picture with a marked corner, found upright and unmirrored on the sky."""

from __future__ import annotations

import healpy
import numpy as np
import pytest
from astropy.wcs import WCS

from morphosphere.hips.painter import Painter, pose_matrices
from morphosphere.pose import posed


def marked(side: int = 64) -> np.ndarray:
    """A colour picture (side, side, 3) that no turn or mirror image leaves as it is."""
    row, column = np.mgrid[:side, :side] / side
    out = np.zeros((side, side, 3))
    out[..., 0] = np.exp(-((row - 0.3) ** 2 + (column - 0.35) ** 2) / 0.01)  # upper left
    out[..., 1] = np.exp(-((row - 0.3) ** 2 + (column - 0.65) ** 2) / 0.01)  # upper right
    out[..., 2] = np.exp(-((row - 0.7) ** 2 + (column - 0.65) ** 2) / 0.01)  # lower right
    return (out * 250).astype(np.uint8)


def on_the_sky(tiles: dict[int, np.ndarray], order: int, cell: int, cell_order: int, width: float):
    """What a sky chart of `width` degrees around a cell shows: north up, east to the left."""
    side = next(iter(tiles.values())).shape[0]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = healpy.pix2ang(2**cell_order, cell, nest=True, lonlat=True)
    wcs.wcs.crpix, wcs.wcs.cdelt = [32.5, 32.5], [-width / 64, width / 64]
    lon, lat = wcs.wcs_pix2world(*np.meshgrid(np.arange(64), np.arange(64)[::-1]), 0)
    bits = side.bit_length() - 1
    pixel = healpy.ang2pix(2 ** (order + bits), lon, lat, nest=True, lonlat=True)
    x, y, face = healpy.pix2xyf(2 ** (order + bits), pixel, nest=True)
    home = healpy.xyf2pix(2**order, x >> bits, y >> bits, face, nest=True)
    out = np.zeros((64, 64, 3))
    for tile, pixels in tiles.items():
        here = home == tile
        out[here] = pixels[x[here] % side, y[here] % side]
    return out


@pytest.mark.parametrize("cell", [0, 100, 333, 500, 767])
def test_pictures_stand_upright_and_unmirrored(cell: int) -> None:
    """In the polar caps, at the equator and at the edges of base pixels."""
    painter = Painter(1, 256, 4, fill=1.4, seamless=True, sky=(0, 0, 0))
    tile = cell // 16
    which = np.full(16, -1)
    which[cell % 16] = 0
    pixels = painter.paint(tile, marked()[None], which)
    width = np.degrees(1.4 * np.sqrt(4 * np.pi / (12 * 4**3)))
    seen = on_the_sky({tile: pixels}, 1, cell, 3, width)
    centre = np.s_[20:44, 20:44]  # inside of the cell, whatever its shape
    expected = marked().astype(float)
    assert np.abs(seen - expected)[centre].mean() < 3
    for wrong in (expected[:, ::-1], expected[::-1], expected.swapaxes(0, 1)):
        assert np.abs(seen - wrong)[centre].mean() > 10


@pytest.mark.parametrize(("angle", "flip"), [(0, True), (70, False), (200, True)])
def test_aligned_pictures_are_those_that_the_pose_was_applied_to(angle, flip) -> None:
    canonical = np.moveaxis(marked(), -1, 0)[None].astype(np.float32)
    image = posed(canonical, np.array([angle]), np.array([flip]))
    image = np.moveaxis(image, 1, -1).astype(np.uint8)
    turns = np.broadcast_to(pose_matrices(np.array([angle]), np.array([flip]))[0], (16, 2, 2))
    painter = Painter(1, 256, 4, fill=1.0, seamless=True, sky=(0, 0, 0))
    which = np.zeros(16, int)
    straight = painter.paint(30, marked()[None], which).astype(float)
    aligned = painter.paint(30, image, which, turns)
    assert np.abs(straight - aligned).mean() < 2
    assert np.abs(straight - painter.paint(30, image, which)).mean() > 10


def test_neighbouring_tiles_join() -> None:
    """With one picture everywhere, colours do not jump where base pixels meet."""
    painter = Painter(0, 128, 1, fill=1.4, seamless=True, sky=(40, 30, 20))
    flat = np.full((1, 16, 16, 3), (40, 30, 20), np.uint8)
    for tile in range(12):
        pixels = painter.paint(tile, flat, np.zeros(1, int))
        assert (pixels == (40, 30, 20)).all()


def test_gaps_are_dark_and_empty_cells_have_the_colour_of_the_sky() -> None:
    painter = Painter(0, 128, 2, fill=2.0, seamless=False, sky=(40, 30, 20))
    bright = np.full((1, 16, 16, 3), 200, np.uint8)
    pixels = painter.paint(4, bright, np.array([0, -1, -1, -1]))
    assert (pixels[0, :64] == 0).all()  # the line at the edge of a cell
    assert (pixels[32, 32] == 200).all()  # first cell: x = y = 0, the south corner
    assert (pixels[96, 96] == (40, 30, 20)).all()
