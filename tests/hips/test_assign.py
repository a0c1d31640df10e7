"""Which galaxy stands in which cell."""

from __future__ import annotations

import healpy
import numpy as np
import pytest

from factories_hips import random_positions
from morphosphere.hips.assign import assign_cells
from morphosphere.hips.geometry import cell_width


def slow_reference(lon, lat, galaxy, order, reach):
    """The definition, written down: sort all pairs of a cell and an image, take what is free."""
    nside = 2**order
    place = healpy.ang2vec(lon, lat, lonlat=True)
    centre = np.stack(healpy.pix2vec(nside, np.arange(12 * nside**2), nest=True), axis=-1)
    pairs = []
    for row in range(len(lon)):
        own = healpy.ang2pix(nside, lon[row], lat[row], nest=True, lonlat=True)
        near = {own, *healpy.get_all_neighbours(nside, own, nest=True)} - {-1}
        for cell in near:
            distance = np.linalg.norm(place[row] - centre[cell])
            if distance <= reach * cell_width(order):
                pairs.append((distance, row, cell))
    cells = np.full(12 * nside**2, -1)
    shown = set()
    for _, row, cell in sorted(pairs):
        if cells[cell] < 0 and galaxy[row] not in shown:
            cells[cell] = row
            shown.add(galaxy[row])
    return cells


@pytest.mark.parametrize(("order", "reach"), [(0, 1.0), (2, 1.0), (3, 0.4), (4, 1.0)])
@pytest.mark.parametrize("views", [1, 3])
def test_same_as_the_slow_reference(order: int, reach: float, views: int) -> None:
    lon, lat = random_positions(900)
    galaxy = np.arange(900) // views
    ours = assign_cells(lon, lat, galaxy, order=order, reach=reach)
    np.testing.assert_array_equal(ours, slow_reference(lon, lat, galaxy, order, reach))
    shown = galaxy[ours[ours >= 0]]
    assert len(np.unique(shown)) == len(shown) > 0


@pytest.mark.parametrize("pairs", [50, 1000, 8000])
def test_memory_does_not_change_the_result(pairs: int) -> None:
    lon, lat = random_positions(900)
    galaxy = np.arange(900) // 2
    once = assign_cells(lon, lat, galaxy, order=2, reach=1.0)
    in_rings = assign_cells(lon, lat, galaxy, order=2, reach=1.0, pairs=pairs)
    np.testing.assert_array_equal(once, in_rings)


def test_equal_places_are_decided_by_the_row() -> None:
    lon, lat = np.full(3, 10.0), np.full(3, 5.0)
    cells = assign_cells(lon, lat, np.arange(3), order=3, reach=1.0)
    own = healpy.ang2pix(8, 10.0, 5.0, nest=True, lonlat=True)
    assert cells[own] == 0
    assert sorted(cells[cells >= 0]) == [0, 1, 2]


def test_images_without_a_place_are_left_out() -> None:
    lon, lat = np.array([np.nan, 20.0]), np.array([0.0, 30.0])
    cells = assign_cells(lon, lat, np.arange(2), order=2, reach=1.0)
    assert sorted(cells[cells >= 0]) == [1]


def test_enough_cells_show_nearly_every_galaxy() -> None:
    lon, lat = random_positions(3000)
    cells = assign_cells(lon, lat, np.arange(3000), order=5, reach=1.0)
    assert (cells >= 0).sum() > 0.9 * 3000
