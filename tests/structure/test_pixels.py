"""Cutting, padding, holes, plateaus, and light beyond a stamp."""

from __future__ import annotations

import galsim
import numpy as np
import pytest

from morphosphere.structure.enclosed import enclosed_share, share_outside
from morphosphere.structure.pixels import filled, missing, own_part, resized
from morphosphere.structure.saturation import has_plateau


@pytest.mark.parametrize(("width", "size"), [(12, 8), (8, 12), (9, 8), (7, 8), (8, 8)])
def test_the_middle_stays_the_middle(width: int, size: int) -> None:
    image = np.arange(width * width, dtype=float).reshape(1, 1, width, width)
    found = resized(image, size)
    assert found.shape == (1, 1, size, size)
    if width > size:
        first = (width - size) // 2
        np.testing.assert_array_equal(
            found[0, 0], image[0, 0, first : first + size, first : first + size]
        )
    else:
        np.testing.assert_array_equal(own_part(found[0, 0], width), image[0, 0])
        assert found[0, 0, 0, 0] == image[0, 0, 0, 0]


def test_the_own_part_of_a_cut_stamp_is_all_of_it() -> None:
    image = np.ones((8, 8))
    assert own_part(image, 20).shape == (8, 8)
    assert own_part(image, np.nan).shape == (8, 8)


def test_holes_are_pixels_that_are_not_finite_or_many_zeros() -> None:
    image = np.ones((20, 20))
    image[3, 4] = 0
    assert not missing(image).any()
    image[:, :2] = 0
    image[9, 9] = np.inf
    assert missing(image).sum() == 42


def test_holes_are_filled_by_their_mirror_images() -> None:
    rows, columns = np.mgrid[:16, :16] - 7.5
    galaxy = 1 + np.exp(-(rows**2 + 2 * columns**2) / 20)
    image = np.stack([galaxy, galaxy])[:, None]
    image[0, 0, 2:5, 10] = np.nan
    found = filled(image)
    np.testing.assert_allclose(found[0, 0], galaxy)
    assert np.isnan(image[0, 0, 3, 10])  # a copy was filled
    both = image.copy()
    both[0, 0, 3, 10] = both[0, 0, 12, 5] = np.nan
    found = filled(both)[0, 0]
    assert np.isfinite(found).all()
    assert found[3, 10] == pytest.approx(galaxy[3, 10], abs=0.1)
    clean = image[1:]
    assert filled(clean) is clean


def test_noise_has_no_plateau_and_a_cut_has_one() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        image = random.normal(0, 1, (40, 40))
        assert not has_plateau(image, 1.0, 100.0, 5)
        image[10:12, 10:13] = 9.0
        assert has_plateau(image, 1.0, 100.0, 5)
        image[11, 11] = np.nan
        assert has_plateau(image, 1.0, 100.0, 5)
    assert not has_plateau(np.full((4, 4), np.nan), 1.0, 1.0, 5)


@pytest.mark.parametrize("index", [0.5, 1.0, 4.0, 6.0])
def test_enclosed_light_is_that_of_the_profile(index: float) -> None:
    """Against the profile of GalSim, summed over rings."""
    profile = galsim.Sersic(index, half_light_radius=1.0)
    edges = np.geomspace(1e-6, 3.0, 4000)
    radii = np.sqrt(edges[1:] * edges[:-1])
    rings = [profile.xValue(r, 0) * 2 * np.pi * r for r in radii] * np.diff(edges)
    for radius in (0.3, 1.0, 2.9):
        summed = rings[radii < radius].sum()
        assert enclosed_share(radius, index) == pytest.approx(summed, abs=5e-3)
    assert enclosed_share(1.0, index) == pytest.approx(0.5)


def test_light_beyond_a_stamp_is_what_drawing_loses() -> None:
    values = {"radius": 1.5, "sersic_index": 2.5, "axis_ratio": 0.4, "position_angle": 35.0}
    profile = galsim.Sersic(2.5, half_light_radius=1.5 * np.sqrt(0.4))
    profile = profile.shear(q=0.4, beta=35 * galsim.degrees)
    image = profile.drawImage(nx=80, ny=80, scale=0.06).array
    found = share_outside({k: np.array([v]) for k, v in values.items()}, np.array([4.8]))
    assert found[0] == pytest.approx(1 - image.sum(), abs=2e-3)
    two = {
        "radius": np.array([1.5]),
        "bulge_radius": np.array([0.3]),
        "bulge_to_total": np.array([0.25]),
        "axis_ratio": np.array([1.0]),
        "position_angle": np.array([0.0]),
    }
    disc = share_outside({**two, "bulge_to_total": np.array([0.0])}, np.array([4.8]))
    bulge = share_outside({**two, "bulge_to_total": np.array([1.0])}, np.array([4.8]))
    assert share_outside(two, np.array([4.8])) == pytest.approx(0.75 * disc + 0.25 * bulge)
