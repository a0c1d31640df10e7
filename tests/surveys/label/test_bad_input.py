"""What is wrong with labels, images and positions is said in one line."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSetWriter

VOTES = {"p_smooth": [0.9, 0.1, 0.8, 0.2], "p_featured": [0.1, 0.9, 0.2, 0.8]}
PLACES = {"ra": [10.0, 20.0, 30.0, 40.0], "dec": [0.0, 0.0, 0.0, 0.0]}


@pytest.fixture
def refused(surveys, capsys):
    """Run the stage, which must end with status 1 and one line; return that line."""

    def run(settings):
        before = sorted(surveys.output.glob("*")) if surveys.output.exists() else []
        capsys.readouterr()
        assert surveys.run(settings) == 1
        after = sorted(surveys.output.glob("*")) if surveys.output.exists() else []
        assert after == before
        lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert len(lines) == 1
        assert "unexpected" not in lines[0]
        return lines[0]

    return run


def test_other_bands(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(channels=("i", "r", "g"), **PLACES)
    line = refused({})
    assert "b.h5: channels i, r, g, but the labelled survey" in line
    assert "has r, g: other bands" in line


def test_bands_in_another_order(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(channels=("g", "r"), **PLACES)
    assert "in another order" in refused({})


def test_pictures_beside_fluxes(surveys, refused):
    surveys.labelled(dtype="uint8", **VOTES, **PLACES)
    surveys.target(**PLACES)
    line = refused({})
    assert "b.h5: holds fluxes, but the labelled survey" in line
    assert "collect both with `dtype: float32`" in line


def test_a_class_with_one_member(surveys, refused, by_type):
    surveys.labelled(T=[-5.0, 2, 3, 0])
    surveys.target(T=[0.0])
    line = refused(by_type)
    assert "the class 'early' has 1 member (at least 2" in line
    assert "1 in no class" in line
    assert "early: T <= -4" in line


def test_two_images_of_one_galaxy_are_one_member(surveys, refused, by_type):
    surveys.labelled(T=[-5.0, -5.0, 2, 3], galaxy_id=["a", "a", "b", "c"])
    surveys.target(T=[0.0])
    assert "the class 'early' has 1 member" in refused(by_type)


def test_all_of_one_class(surveys, refused, by_type):
    surveys.labelled(T=[1.0, 2, 3, np.nan])
    surveys.target(T=[0.0])
    line = refused(by_type)
    assert "all 3 labelled galaxies are of the class 'late'" in line
    assert "1 no value of T" in line


def test_no_label_at_all(surveys, refused, by_type):
    surveys.labelled(T=[0.0, np.nan])
    surveys.target(T=[0.0])
    assert "none of 2 images gets a label" in refused(by_type)


def test_a_vote_outside_0_and_1_is_rejected_with_its_value(surveys):
    surveys.labelled(
        p_smooth=[0.9, 0.1, 0.8, 0.2, 1.2, 0.3],
        p_featured=[0.1, 0.9, 0.2, 0.8, 0.1, -0.1],
    )
    surveys.target(x=[0.0])
    assert surveys.run({"overlap": False}) == 0
    found = [(r["id"], r["reason"], r["detail"]) for r in surveys.lines("rejects")]
    assert found == [
        ("A_4", "p_smooth is outside [0, 1]", "1.2"),
        ("A_5", "p_featured is outside [0, 1]", "-0.1"),
    ]
    assert np.isnan(surveys.table("labelled")["label"][4:]).all()


def test_votes_in_per_cent(surveys, refused):
    surveys.labelled(p_smooth=[90.0, 10, 80, 20], p_featured=[10.0, 90, 20, 80])
    surveys.target(x=[0.0])
    line = refused({"overlap": False})
    assert "most values of 'p_smooth' are outside [0, 1], up to 90" in line


def test_votes_that_are_text(surveys, refused):
    surveys.labelled(p_smooth=list("abcd"), p_featured=[0.1, 0.9, 0.2, 0.8])
    surveys.target(x=[0.0])
    assert "'p_smooth' holds text" in refused({"overlap": False})


def test_missing_votes_and_no_votes(surveys):
    surveys.labelled(
        p_smooth=[0.9, 0.1, 0.8, 0.2, np.nan, 0.0],
        p_featured=[0.1, 0.9, 0.2, 0.8, 0.9, 0.0],
    )
    surveys.target(x=[0.0])
    assert surveys.run({"overlap": False}) == 0
    assert [r["reason"] for r in surveys.lines("rejects")] == [
        "no value of p_smooth",
        "no votes for any class",
    ]


def test_an_id_that_stands_twice(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(image_id=["x", "y", "x", "z"], **PLACES)
    assert "b.h5: ids of images that stand more than once: 1, as 'x'" in refused({})


def test_a_column_that_is_not_there(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(**PLACES)
    classes = {"smooth": {"votes": "p_smoth"}, "featured": {"votes": "p_featured"}}
    assert "no column 'p_smoth' for classes.smooth.votes" in refused({"classes": classes})
    line = refused({"type": "Hubble"})
    assert "no column 'Hubble' for type" in line


def test_no_positions(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(x=[0.0])
    assert "no column 'ra' to match the surveys by" in refused({})
    surveys.target(ra=[np.nan], dec=[np.nan])
    assert "no image has a position" in refused({})
    surveys.target(ra=["10h"], dec=["x"])
    assert "column 'ra' holds text" in refused({})
    surveys.target(ra=[10.0], dec=[0.0])
    with h5py.File(surveys.folder / "b.h5", "r+") as file:
        file["table/ra"].attrs["unit"] = "Jy"
    assert "'ra' is in 'Jy', which is no unit of an angle" in refused({})


def test_surveys_that_do_not_overlap(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(ra=[10.0], dec=[0.01])
    assert "the nearest two are 36 arcsec apart" in refused({})


def test_an_overlap_of_one_class_alone(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(ra=[10.0, 30.0, 40.0], dec=[0.0] * 3)
    line = refused({})
    assert "of the class 'featured', 1 labelled galaxies are matched" in line


def test_no_images(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    with ImageSetWriter(surveys.folder / "b.h5", channels=("r", "g"), size=4) as out:
        empty = {name: [] for name in ("image_id", "galaxy_id", "source", "ra", "dec")}
        out.append(np.empty((0, 2, 4, 4), np.float32), empty)
    assert "holds no images" in refused({})


def test_earlier_results_stay_whole_when_a_run_fails(surveys, refused):
    surveys.labelled(**VOTES, **PLACES)
    surveys.target(**PLACES)
    assert surveys.run({}) == 0
    before = {p.name: p.read_bytes() for p in surveys.output.iterdir()}
    refused({"type": "T"})
    assert {p.name: p.read_bytes() for p in surveys.output.iterdir()} == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"classes": {"a": {"where": "T > 1"}}}, "classes: give at least 2 keys, not 1"),
        ({"classes": {"a": {}, "b": {"where": "T > 1"}}}, "give `where` or `votes`"),
        ({"classes": {"a": {"votes": "p"}, "b": {"where": "T > 1"}}}, "'b' has no `votes`"),
        ({"classes": {"a b": {"votes": "p"}, "b": {"votes": "q"}}}, "cannot be the name"),
        ({"classes": {"a": {"votes": "p"}, "a_std": {"votes": "q"}}}, "names of another class's"),
        ({"confident": 1.5}, "confident must be a share from 0 to 1"),
        (
            {"classes": {"a": {"where": "T < 1"}, "b": {"where": "T > 1"}}, "confident": 0.8},
            "share of votes, but the classes have none",
        ),
        ({"radius": 0}, "greater than 0"),
        ({"clases": {}}, "unknown key"),
    ],
)
def test_settings_that_cannot_be(surveys, refused_settings, settings, said):
    assert said in refused_settings(settings)


@pytest.fixture
def refused_settings(surveys, capsys):
    def run(settings):
        assert surveys.run(settings) == 1
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return text

    return run
