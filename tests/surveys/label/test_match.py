"""The cross-match: pairs, what they mean, and what stays together."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.surveys.label import match

ARCSEC = 1 / 3600


def names(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=object)


def sky(*offsets: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions on a meridian, so many arcseconds north of the equator."""
    return np.full(len(offsets), 10.0), np.array(offsets) * ARCSEC


def test_pairs_are_those_that_astropy_separates_by_less() -> None:
    from astropy.coordinates import SkyCoord

    random = np.random.default_rng(3)
    centre = (359.9999, 60.0)  # across the meridian, where a degree of longitude is a half
    a, b = (
        ((centre[0] + random.normal(0, 4e-4, 60)) % 360, centre[1] + random.normal(0, 2e-4, 60))
        for _ in range(2)
    )
    found = match.pairs_within(a, b, 0.5)
    apart = SkyCoord(*a, unit="deg")[:, None].separation(SkyCoord(*b, unit="deg")[None]).arcsec
    want = np.argwhere(apart <= 0.5).tolist()
    assert len(want) > 100
    assert sorted(zip(found.a.tolist(), found.b.tolist())) == sorted(map(tuple, want))
    np.testing.assert_allclose(found.separation, apart[found.a, found.b], rtol=1e-6)
    assert (np.diff(found.b) >= 0).all()


def test_rows_without_a_place_are_in_no_pair() -> None:
    a = (np.array([10.0, np.nan, 10.0]), np.array([0.0, 0.0, 95.0]))
    found = match.pairs_within(a, (np.array([10.0]), np.array([0.0])), 5)
    assert found.a.tolist() == [0]


def test_two_images_of_b_at_one_galaxy_the_nearer_counts() -> None:
    pairs = match.pairs_within(sky(0, 100), sky(0.6, -0.2, 100.1), 1)
    found = match.resolve(pairs, names("a b"), names("x y z"))
    assert found.partner.tolist() == [-1, 0, 1]
    assert found.kind.tolist() == ["duplicate", "unique", "unique"]
    assert found.separation[1] == pytest.approx(0.2, abs=1e-4)


def test_two_images_of_one_galaxy_of_b_both_count() -> None:
    pairs = match.pairs_within(sky(0), sky(0.6, -0.2), 1)
    assert match.resolve(pairs, names("a"), names("x x")).partner.tolist() == [0, 0]


def test_two_galaxies_of_a_near_one_of_b_are_ambiguous() -> None:
    pairs = match.pairs_within(sky(0, 0.5), sky(0.1), 1)
    dropped = match.resolve(pairs, names("a b"), names("x"))
    assert dropped.partner.tolist() == [-1]
    assert dropped.kind.tolist() == ["ambiguous", "ambiguous"]
    nearest = match.resolve(pairs, names("a b"), names("x"), nearest_counts=True)
    assert nearest.partner.tolist() == [0]
    assert nearest.kind.tolist() == ["unique", "ambiguous"]
    of_one = match.resolve(pairs, names("a a"), names("x"))
    assert of_one.partner.tolist() == [0]
    assert of_one.kind.tolist() == ["unique", "duplicate"]


def test_chance_is_what_shifted_positions_find() -> None:
    assert match.chance_matches(sky(0, 100), sky(0, 100), 1) == 0
    line = sky(*np.arange(0, 60, 1.0))  # so dense that any place has a galaxy within an arcsecond
    assert match.chance_matches(line, sky(30), 1) == 1


def test_what_could_be_one_galaxy_stays_together() -> None:
    a, b = names("a1 a2 a3"), names("b1 b2 b2 b3 a3")
    links = [(names("a2"), names("b2")), (names("b1"), names("b3"))]
    of_a, of_b = match.together(a, b, *links)
    assert of_a.tolist() == ["a1", "a2", "a3"]
    assert of_b.tolist() == ["b1", "a2", "a2", "b1", "a3"]


def test_galaxies_without_links_keep_their_names() -> None:
    of_a, of_b = match.together(names("a"), names("b"))
    assert (of_a.tolist(), of_b.tolist()) == (["a"], ["b"])


def test_offsets_are_to_the_east_and_north() -> None:
    a = (np.array([10.0]), np.array([60.0]))
    b = (np.array([10 + 2 * ARCSEC]), np.array([60 - 3 * ARCSEC]))
    east, north = match.offsets(a, b, np.array([0]), np.array([0]))
    assert east[0] == pytest.approx(1.0, abs=1e-3)
    assert north[0] == pytest.approx(-3.0, abs=1e-3)
