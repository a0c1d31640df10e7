"""The stage as a whole: labels of one survey, carried to another."""

from __future__ import annotations

import h5py
import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.files import digest

ARCSEC = 1 / 3600
VOTES = {
    "p_smooth": [0.9, 0.1, 0.75, 0.2, 0.5, 0.6],
    "p_featured": [0.1, 0.9, 0.25, 0.8, 0.5, 0.4],
    "ra": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
    "dec": [0.0] * 6,
}


def test_votes_become_labels_and_go_to_the_same_galaxy_of_the_other_survey(surveys):
    surveys.labelled(**VOTES)
    near = [0.3 * ARCSEC, 0.5 * ARCSEC, 5 * ARCSEC, -0.4 * ARCSEC, 0.6 * ARCSEC, 0]
    surveys.target(ra=[10.0, 20.0, 30.0, 40.0, 50.0, 60.0], dec=near, truth=list("abcdef"))
    assert surveys.run({}) == 0
    a, b = surveys.table("labelled"), surveys.table("target")
    np.testing.assert_array_equal(a["label"], [0, 1, 0, 1, np.nan, 0])
    np.testing.assert_array_equal(a["confident_label"], [1, 1, 0, 1, np.nan, 0])
    assert a["label_origin"].tolist() == ["survey"] * 4 + ["", "survey"]
    assert a["matched_id"].tolist() == ["B_0", "B_1", "", "B_3", "B_4", "B_5"]
    np.testing.assert_array_equal(b["label"], [0, 1, np.nan, 1, np.nan, 0])
    np.testing.assert_array_equal(b["confident_label"], [1, 1, np.nan, 1, np.nan, 0])
    assert b["label_origin"].tolist() == ["match", "match", "", "match", "", "match"]
    assert b["object"].tolist() == ["A_0", "A_1", "B_2", "A_3", "A_4", "A_5"]
    assert b["truth"].tolist() == list("abcdef")
    np.testing.assert_allclose(b["match_separation"][[0, 5]], [0.3, 0], atol=1e-3)
    assert np.isnan(b["match_separation"][2])
    assert "type" not in a
    (reject,) = surveys.lines("rejects")
    assert reject == {
        "survey": "labelled",
        "id": "A_4",
        "reason": "as many votes for one class as for another",
        "detail": "smooth and featured",
    }
    report = surveys.report()
    assert report["classes"]["smooth"] == {
        "labelled": 3, "labelled_confident": 1, "target": 2, "target_confident": 1
    }  # fmt: skip
    assert report["matches"]["matched"] == 5
    assert report["matches"]["matched_without_label"] == 1


def test_images_are_virtual_and_attributes_stay(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3])
    surveys.target(T=[0.0, 1])
    assert surveys.run({**by_type, "type": "T + 1"}) == 0
    with ImageSet(surveys.output / "labelled.h5") as images:
        assert images.images.is_virtual
        assert images.read(2, 4)[:, 0, 0, 0].tolist() == [2, 3]
        assert images.attributes["classes"].tolist() == ["early", "late"]
        assert images.column_attributes("label")["ucd"] == "meta.code.class"
        np.testing.assert_array_equal(images.column("type"), [-4, -3, 3, 4])
    b = surveys.table("target")
    assert np.isnan(b["label"]).all()
    assert np.isnan(b["type"]).all()
    assert surveys.lines("matches") == []
    assert surveys.report()["type"] == {"labels": 4, "least": -4, "median": 0, "greatest": 4}


def test_a_galaxy_of_both_stays_together_though_no_label_is_carried(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3], ra=[10.0, 20, 30, 40], dec=[0.0] * 4)
    surveys.target(T=[0.0, 1], ra=[20.0, 50], dec=[0.2 * ARCSEC, 0])
    assert surveys.run(by_type) == 0
    b = surveys.table("target")
    assert b["object"].tolist() == ["A_1", "B_1"]
    assert np.isnan(b["label"]).all()


def test_all_that_has_no_label_has_a_line(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3, 0, np.nan, 9])
    surveys.target(T=[0.0])
    assert surveys.run(by_type) == 0
    found = [(r["id"], r["reason"], r["detail"]) for r in surveys.lines("rejects")]
    assert found == [
        ("A_4", "in no class", "T = 0"),
        ("A_5", "no value of T", ""),
        ("A_6", "in no class", "T = 9"),
    ]


def test_in_several_classes_is_in_none(surveys):
    surveys.labelled(T=[-5.0, -4, 2, 3, 1])
    surveys.target(T=[0.0])
    classes = {"early": {"where": "T <= 1"}, "late": {"where": "T >= 1"}}
    assert surveys.run({"classes": classes, "overlap": False}) == 0
    (reject,) = surveys.lines("rejects")
    assert (reject["reason"], reject["detail"]) == ("in several classes", "early and late")


def test_a_confident_label_may_be_an_expression(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3, 3], r=[15.0, 19, 15, 19, np.nan])
    surveys.target(T=[0.0])
    assert surveys.run({**by_type, "confident": "r < 18 or T > 2"}) == 0
    found = surveys.table("labelled")["confident_label"]
    np.testing.assert_array_equal(found, [1, 0, 1, 1, 0])  # what is not known passes no cut


def test_votes_may_have_a_condition_as_well(surveys):
    surveys.labelled(**{**VOTES, "votes": [40, 40, 40, 40, 40, 3]})
    surveys.target(ra=[0.0], dec=[0.0])
    classes = {
        "smooth": {"votes": "p_smooth", "where": "votes > 10"},
        "featured": {"votes": "p_featured"},
    }
    assert surveys.run({"classes": classes, "overlap": False}) == 0
    np.testing.assert_array_equal(surveys.table("labelled")["label"], [0, 1, 0, 1, np.nan, np.nan])
    assert surveys.lines("rejects")[1]["reason"] == "smooth by votes, but its `where` does not hold"


def test_of_two_images_of_b_the_other_stays_in_the_same_split(surveys):
    surveys.labelled(**VOTES)
    surveys.target(
        ra=[10.0, 200.0, 20.0, 30.0, 40.0, 40.0],
        dec=[0.0, 0.0, 0.0, 0.0, 0.0, 0.5 * ARCSEC],
        galaxy_id=["x", "x", "y", "z", "w", "v"],
    )
    assert surveys.run({}) == 0
    b = surveys.table("target")
    assert b["object"].tolist() == ["A_0", "A_0", "A_1", "A_2", "A_3", "A_3"]
    assert b["matched_id"].tolist() == ["A_0", "", "A_1", "A_2", "A_3", ""]
    kinds = {(m["target_id"], m["kind"]) for m in surveys.lines("matches")}
    assert ("B_5", "duplicate") in kinds


def test_ambiguous_matches_carry_nothing_unless_the_nearest_counts(surveys):
    near = VOTES | {"ra": [10.0, 10.0, *VOTES["ra"][2:]], "dec": [0.0, 0.6 * ARCSEC, 0, 0, 0, 0]}
    surveys.labelled(**near)
    ra = [10.0, 30.0, 40.0, 60.0, 80.0]
    surveys.target(ra=ra, dec=[0.1 * ARCSEC, 0, 0, 0, 0])
    assert surveys.run({"least_members": 2}) == 1  # featured is left with one galaxy
    near["p_smooth"] = [0.9, 0.1, 0.1, 0.2, 0.5, 0.6]
    near["p_featured"] = [0.1, 0.9, 0.9, 0.8, 0.5, 0.4]
    surveys.labelled(**near)
    surveys.target(ra=[*ra, 60.0], dec=[0.1 * ARCSEC, 0, 0, 0, 0, 0], galaxy_id=[*"abcded"])
    assert surveys.run({"ambiguous": "nearest"}) == 0
    b = surveys.table("target")
    assert b["matched_id"][0] == "A_0"
    assert b["object"][0] == "A_0"
    lines = [m for m in surveys.lines("matches") if m["target_id"] == "B_0"]
    assert [m["kind"] for m in lines] == ["unique", "ambiguous"]
    assert [float(m["second_separation"]) for m in lines] == [0.5, 0.5]
    # Both galaxies of A could be it, so the three never part.
    assert surveys.table("labelled")["object"][:2].tolist() == ["A_0", "A_0"]


def test_images_without_a_place_are_told(surveys):
    surveys.labelled(**{**VOTES, "ra": [10.0, 20.0, 30.0, 40.0, np.nan, 60.0]})
    surveys.target(ra=[10.0, 20.0, 30.0, 40.0, 400.0], dec=[0.0] * 5)
    assert surveys.run({}) == 0
    found = {(r["survey"], r["id"], r["reason"]) for r in surveys.lines("rejects")}
    assert ("labelled", "A_4", "not matched: no position") in found
    assert ("target", "B_4", "not matched: no position") in found


def test_a_column_of_the_users_goes_on_under_another_name(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3], label=["w", "x", "y", "z"])
    surveys.target(T=[0.0], label=["q"])
    assert surveys.run(by_type) == 0
    table = surveys.table("labelled")
    assert table["input_label"].tolist() == ["w", "x", "y", "z"]
    assert table["label"].dtype == np.float64


def test_positions_that_nobody_asks_for_may_be_anything(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3], ra=["10h"] * 4, dec=["-5d"] * 4)
    surveys.target(T=[0.0])
    assert surveys.run(by_type) == 0
    assert surveys.table("labelled")["object"].tolist() == ["A_0", "A_1", "A_2", "A_3"]


def test_a_galaxy_that_a_survey_has_twice_is_one_object_without_a_match(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3], ra=[10.0, 10, 20, 30], dec=[0.0] * 4)
    surveys.target(T=[0.0])
    assert surveys.run(by_type) == 0
    assert surveys.table("labelled")["object"].tolist() == ["A_0", "A_0", "A_2", "A_3"]


def test_there_may_be_more_than_two_classes(surveys):
    surveys.labelled(
        smooth=[0.8, 0.7, 0.1, 0.1, 0.2, 0.3],
        disc=[0.1, 0.2, 0.8, 0.6, 0.2, 0.3],
        odd=[0.1, 0.1, 0.1, 0.3, 0.6, 0.4],
    )
    surveys.target(x=[0.0])
    classes = {name: {"votes": name} for name in ("odd", "disc", "smooth")}
    assert surveys.run({"classes": classes, "overlap": False, "confident": 0.6}) == 0
    table = surveys.table("labelled")
    assert table["label"].tolist() == [2, 2, 1, 1, 0, 0]
    assert table["confident_label"].tolist() == [1, 1, 1, 1, 1, 0]


def test_the_same_input_gives_the_same_bytes(surveys):
    surveys.labelled(**VOTES)
    surveys.target(ra=VOTES["ra"], dec=VOTES["dec"])
    found = []
    for _ in range(2):
        assert surveys.run({}) == 0
        found.append([p.read_bytes() for p in sorted(surveys.output.iterdir())])
    assert found[0] == found[1]


def test_other_pixels_give_another_digest(surveys, by_type):
    surveys.labelled(T=[-5.0, -4, 2, 3])
    surveys.target(T=[0.0])
    found = []
    for value in (0, 1):
        with h5py.File(surveys.folder / "a.h5", "r+") as file:
            file["images"][0] = value
        assert surveys.run(by_type) == 0
        found.append(digest(surveys.output / "labelled.h5"))
    assert found[0] != found[1]


def test_images_are_never_written_over(surveys, by_type, capsys):
    surveys.labelled(T=[-5.0, -4, 2, 3])
    surveys.target(T=[0.0])
    surveys.output.mkdir()
    (surveys.folder / "a.h5").rename(surveys.output / "labelled.h5")
    (surveys.folder / "a.h5").symlink_to(surveys.output / "labelled.h5")
    before = (surveys.output / "labelled.h5").read_bytes()
    assert surveys.run(by_type) == 1
    assert "would be written over the images" in capsys.readouterr().err
    assert (surveys.output / "labelled.h5").read_bytes() == before


def test_positions_in_other_units_are_degrees(surveys):
    surveys.labelled(**{**VOTES, "ra": list(np.radians(VOTES["ra"]))})
    with h5py.File(surveys.folder / "a.h5", "r+") as file:
        file["table/ra"].attrs["unit"] = "rad"
    surveys.target(ra=VOTES["ra"], dec=VOTES["dec"])
    assert surveys.run({}) == 0
    assert surveys.report()["matches"]["matched"] == 6
