"""Places of objects on the mock sky, and the votes of volunteers."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.config.survey_mock import FootprintSettings
from morphosphere.surveys.mock.sky import chances, inside, place, scattered
from morphosphere.surveys.mock.votes import sureness, vote

SKY = FootprintSettings(ra=(10, 50), dec=(-60, 60))
NAMES = [f"galaxy_{k}/0" for k in range(4000)]


def test_places_are_uniform_on_the_sphere_and_of_the_name_alone():
    ra, dec = place(NAMES, SKY)
    assert inside(ra, dec, SKY).all()
    # A quarter of the area between the parallels at 60 degrees is north of asin(sin(60) / 2).
    north = np.degrees(np.arcsin(np.sin(np.radians(60)) / 2))
    assert np.mean(dec > north) == pytest.approx(0.25, abs=0.03)
    assert np.mean(ra > 40) == pytest.approx(0.25, abs=0.03)
    again = place(NAMES[::-1], SKY)
    np.testing.assert_array_equal(again[0][::-1], ra)


def test_chances_for_other_uses_are_others():
    one, other = (chances(NAMES, salt=salt, count=1)[:, 0] for salt in "ab")
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
    assert ((one > 0) & (one < 1)).all()


def test_astrometric_errors_are_in_arcseconds_on_the_sky():
    ra, dec = place(NAMES, SKY)
    seen = scattered(ra, dec, NAMES, error=0.5, seed=1)
    east = (seen[0] - ra) * np.cos(np.radians(dec)) * 3600
    north = (seen[1] - dec) * 3600
    for apart in (east, north):
        assert np.std(apart) == pytest.approx(0.5, rel=0.05)
        assert np.mean(apart) == pytest.approx(0, abs=0.03)
    assert abs(np.corrcoef(east, north)[0, 1]) < 0.05
    assert not np.array_equal(seen[0], scattered(ra, dec, NAMES, error=0.5, seed=2)[0])


def test_a_footprint_has_its_first_edge_but_not_its_last():
    edges = np.array([10.0, 50.0]), np.array([0.0, 0.0])
    assert inside(*edges, SKY).tolist() == [True, False]


def test_volunteers_are_surer_of_big_bright_galaxies():
    mass, radius = np.array([1e9, 1e10, 1e11, 1e10]), np.array([1.0, 3.0, 8.0, np.nan])
    sure = sureness(mass, radius, (0.6, 0.95))
    assert (np.diff(sure[:3]) > 0).all()
    assert sure[0] < 0.65
    assert sure[2] > 0.93
    assert sure[3] == sure[1]  # a typical radius stands for one that is not known


def test_votes_are_shares_that_add_up_and_follow_the_truth():
    featured = np.arange(4000) % 2 == 0
    sure = np.where(np.arange(4000) < 2000, 0.95, 0.6)
    given = {"volunteers": 40, "artifact": 0.05, "seed": 3}
    found = vote(NAMES, featured, sure, **given)
    total = found["p_smooth"] + found["p_featured"] + found["p_artifact"]
    np.testing.assert_allclose(total, 1, rtol=1e-6)
    assert found["votes"].min() >= 1
    assert found["votes"].mean() == pytest.approx(40, rel=0.02)
    assert found["p_artifact"].mean() == pytest.approx(0.05, rel=0.1)
    right = np.where(featured, found["p_featured"], found["p_smooth"])
    for part, chance in ((slice(0, 2000), 0.95), (slice(2000, 4000), 0.6)):
        assert right[part].mean() == pytest.approx(0.95 * chance, abs=0.02)
    one = vote(NAMES[7:8], featured[7:8], sure[7:8], **given)
    assert one["p_smooth"][0] == found["p_smooth"][7]  # whatever else is in the survey
