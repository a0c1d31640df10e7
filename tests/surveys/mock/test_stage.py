"""Two mock surveys of the same pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.config.mock import MockSettings
from morphosphere.config.survey_mock import MockSurveySettings
from morphosphere.snapshots.mock.plan import draw_of
from morphosphere.surveys import expressions
from morphosphere.surveys.label.__main__ import main as label
from morphosphere.surveys.mock.__main__ import main

CAMERAS, GALAXIES = 3, 200


@pytest.fixture
def rendered(tmp_path):
    """Pictures of galaxies that are all grey, of random traits."""
    random = np.random.default_rng(1)
    galaxy = np.repeat(np.arange(GALAXIES), CAMERAS)
    mass = 10 ** random.uniform(9.3, 11.3, GALAXIES)
    sfr = mass * np.where(random.random(GALAXIES) < 0.7, 1e-10, 1e-12)
    path = tmp_path / "rendered.h5"
    images = np.ones((len(galaxy), 2, 4, 4), np.float32) * (galaxy % 7 - 1)[:, None, None, None]
    with ImageSetWriter(path, channels=["r", "g"], size=4, unit="nmgy") as out:
        out.append(
            images,
            {
                "image_id": [f"{g}_c{k % CAMERAS}" for k, g in enumerate(galaxy)],
                "galaxy_id": [f"mock_{g}" for g in galaxy],
                "source": ["mock"] * len(galaxy),
                "camera": np.arange(len(galaxy)) % CAMERAS,
                "stellar_mass": mass[galaxy],
                "half_light_radius": random.uniform(1, 8, GALAXIES)[galaxy],
                "sfr": sfr[galaxy],
            },
        )
    return path


def run(rendered, survey, settings=None, seed=42, name=None):
    output = rendered.parent / f"{name or survey}.h5"
    words = ["--images", rendered, "--survey", survey, "--output", output, "--seed", seed]
    return main([str(w) for w in [*words, "--settings", json.dumps(settings or {})]]), output


def table(path):
    with ImageSet(path) as images:
        return images.table() | {"pixel": images.images[:, 0, 0, 0], "unit": images.attributes}


def test_both_surveys_see_the_same_sky_and_one_has_votes(rendered):
    (status_a, a), (status_b, b) = run(rendered, "labelled"), run(rendered, "target")
    assert (status_a, status_b) == (0, 0)
    a, b = table(a), table(b)
    assert a["ra"].max() < 25
    assert b["ra"].min() > 19.999
    assert "p_smooth" in a
    assert not {"p_smooth", "p_featured", "votes"} & set(b)
    assert set(a["source"]) == {"labelled"}
    assert all(name.startswith("target_") for name in b["image_id"])
    objects = [list(zip(t["galaxy_id"], t["camera"])) for t in (a, b)]
    both = set(objects[0]) & set(objects[1])
    assert 0.05 < len(both) / len(objects[1]) < 0.3
    for one in list(both)[:10]:
        i, j = objects[0].index(one), objects[1].index(one)
        assert 3600 * abs(a["dec"][i] - b["dec"][j]) < 2
        assert a["truth"][i] == b["truth"][j]
        assert a["pixel"][i] == b["pixel"][j] == int(one[0].removeprefix("mock_")) % 7 - 1
    winner = np.where(a["p_featured"] > a["p_smooth"], "featured", "smooth")
    assert np.mean(winner == a["truth"]) > 0.95


def test_the_match_finds_what_is_in_both(rendered):
    files = [str(run(rendered, survey)[1]) for survey in ("labelled", "target")]
    output = rendered.parent / "labels"
    assert label(["--labelled", files[0], "--target", files[1], "--output", str(output)]) == 0
    with ImageSet(output / "target.h5") as images:
        b = images.table()
    seen = table(files[0])
    there = set(zip(seen["galaxy_id"], seen["camera"]))
    both = np.array([pair in there for pair in zip(b["galaxy_id"], b["camera"])])
    np.testing.assert_array_equal(b["matched_id"] != "", both)
    names = [f"labelled_{name.removeprefix('target_')}" for name in b["image_id"][both]]
    assert b["matched_id"][both].tolist() == names
    assert np.median(b["match_separation"][both]) == pytest.approx(0.2 * 1.18, rel=0.2)
    assert b["object"].tolist() == b["galaxy_id"].tolist()  # all views of a galaxy, in both


def test_apparent_magnitudes_are_of_the_light_in_the_image(rendered):
    found = table(run(rendered, "labelled")[1])
    flux = found["pixel"] * 16
    known = flux > 0
    assert known.any()
    np.testing.assert_allclose(found["magnitude"][known], 22.5 - 2.5 * np.log10(flux[known]), 1e-6)
    assert np.isnan(found["magnitude"][~known]).all()


def test_a_seed_changes_votes_and_errors_but_not_the_sky(rendered):
    one, same, other = (
        table(run(rendered, "labelled", seed=s, name=n)[1])
        for s, n in ((1, "a"), (1, "b"), (2, "c"))
    )
    np.testing.assert_array_equal(one["p_smooth"], same["p_smooth"])
    assert not np.array_equal(one["p_smooth"], other["p_smooth"])
    np.testing.assert_array_equal(one["ra"], other["ra"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"labelled": {"ra": [300, 310]}}, "none of its 600 images is in the footprint"),
        ({"featured": "sfrr > 1"}, "no column 'sfrr' for featured"),
        ({"featured": "1 > 0"}, "names no column"),
        ({"sky": {"ra": [20, 10]}}, "two rising numbers"),
        ({"sureness": [0.4, 0.9]}, "from 0.5 to 1"),
    ],
)
def test_what_cannot_be_is_said(rendered, capsys, settings, said):
    status, output = run(rendered, "labelled", settings)
    assert status == 1
    assert not output.exists()
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text


def test_galaxies_of_unknown_class_are_said(tmp_path, capsys):
    path = tmp_path / "rendered.h5"
    with ImageSetWriter(path, channels=["r"], size=4) as out:
        rows = {"image_id": ["a"], "galaxy_id": ["a"], "source": ["s"]}
        out.append(np.ones((1, 1, 4, 4)), rows | {"sfr": [np.nan], "stellar_mass": [1e10]})
    assert run(path, "labelled", {"labelled": {}})[0] == 1
    assert "1 images have no value of 'sfr'" in capsys.readouterr().err


def test_the_default_tells_the_families_of_the_mock_box_apart():
    """Star formation is what spirals and irregulars have, and ellipticals and lenticulars lack."""
    settings = MockSettings(galaxies=600)
    drawn = [draw_of(settings, 42, k) for k in range(600)]
    plain = [d.members[0] for d in drawn if d.family not in ("pair", "merger")]
    columns = {
        "sfr": np.array([one.sfr for one in plain]),
        "stellar_mass": np.array([one.mass for one in plain]),
    }
    found = expressions.condition(MockSurveySettings().featured, columns, key="featured")
    truth = np.array([one.family in ("spiral", "irregular") for one in plain])
    assert truth.sum() > 100
    np.testing.assert_array_equal(found, truth)
