"""The stage as it is run: files in, files out, ranks, and what cannot be rendered."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from factories_galaxies import galaxy, write_galaxyset
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.joining import join
from morphosphere.config.base import check
from morphosphere.config.render import RenderSettings
from morphosphere.errors import ConfigError
from morphosphere.render.__main__ import main
from morphosphere.render.work import share_by_work, shares_of
from ranks import FAULTS, check_message, run_ranks, run_with_fault

SETTINGS = '{"size": 16, "cameras": {"isotropic": 2}}'


@pytest.fixture
def sets(tmp_path):
    """Five galaxies of different size in one file, none in another."""
    galaxies = [galaxy(n, stars=60 + 200 * n, magnitudes=True) for n in range(5)]
    full = write_galaxyset(tmp_path / "in" / "0.h5", galaxies, simulation="test")
    return [full, write_galaxyset(tmp_path / "in" / "1.h5", [])]


def _render(inputs, output, settings=SETTINGS, **more):
    options = [part for name, value in more.items() for part in (f"--{name}", str(value))]
    inputs = [str(path) for path in inputs]
    return main(["--input", *inputs, "--output", str(output), "--settings", settings, *options])


def _content(path):
    with ImageSet(path) as images:
        table = images.table()
        return images.read(0, len(images)), table, images.attributes


def test_an_imageset_for_each_galaxyset(sets, tmp_path):
    out = tmp_path / "out"
    assert _render(sets, out, provenance=tmp_path / "run.json") == 0
    assert sorted(p.name for p in out.iterdir()) == ["0.h5", "1.h5"]
    images, table, attributes = _content(out / "0.h5")
    assert images.shape == (10, 3, 16, 16)
    assert images.dtype == np.float32
    assert (images.max(axis=(1, 2, 3)) > 0).all()
    assert list(table["image_id"][:3]) == ["test_99_0_c0", "test_99_0_c1", "test_99_1_c0"]
    assert list(table["subhalo_id"]) == [n for n in range(5) for _ in range(2)]
    assert {"inclination", "field_of_view", "pixel_scale", "camera", "camera_x"} <= set(table)
    assert list(attributes["channels"]) == ["i", "r", "g"]
    assert attributes["unit"] == "10**(-0.4*M_AB)/kpc2"
    assert attributes["source"] == "test"
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["notes"] == {"galaxies": 5, "images": 10, "particles_left_out": 0, "ranks": 1}
    assert len(record["inputs"]) == 2


def test_an_empty_galaxyset_gives_an_empty_imageset_that_joins(sets, tmp_path):
    assert _render(sets, tmp_path) == 0
    with ImageSet(tmp_path / "1.h5") as empty:
        assert len(empty) == 0
        assert empty.size == 16
        assert empty.channels == ("i", "r", "g")
    assert join([tmp_path / "1.h5", tmp_path / "0.h5"], tmp_path / "images.h5") == 10


def test_the_same_again_and_another_seed(sets, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert _render(sets[:1], tmp_path / name, seed=seed) == 0
    first, same, other = (_content(tmp_path / name / "0.h5")[0] for name in "abc")
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0


def test_a_galaxy_does_not_depend_on_its_company(sets, tmp_path):
    alone = write_galaxyset(tmp_path / "alone.h5", [galaxy(3, stars=660, magnitudes=True)])
    assert _render([sets[0], alone], tmp_path) == 0
    np.testing.assert_array_equal(
        _content(tmp_path / "0.h5")[0][6:8], _content(tmp_path / "alone.h5")[0]
    )


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_results_do_not_depend_on_the_number_of_ranks(sets, tmp_path, ranks):
    few = [galaxy(n, magnitudes=True) for n in (7, 8)]
    inputs = [*sets, write_galaxyset(tmp_path / "in" / "2.h5", few)]
    settings = json.dumps(
        {"size": 16, "cameras": {"random": 2, "isotropic": 0}, "observation": {"pixel_scale": 2}}
    )
    assert _render(inputs, tmp_path / "one", settings) == 0
    (tmp_path / "many" / ".0.parts").mkdir(parents=True)  # as a killed run would leave it
    words = ["--ranks", ranks, "--settings", settings, "--input", *inputs]
    done = run_ranks(ranks, ["-m", "morphosphere.render", *words, "--output", tmp_path / "many"])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("rendered 14 images of 7 galaxies") == 1
    assert done.stderr.count("render galaxies") == 1
    names = ["0.h5", "1.h5", "2.h5"]
    assert sorted(p.name for p in (tmp_path / "many").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


@pytest.mark.parametrize(
    ("place", "rank", "fault"),
    [
        *(("render_galaxy", 1, fault) for fault in FAULTS),
        *(("_concatenate", 0, fault) for fault in FAULTS),
    ],
)
def test_one_rank_ends_and_so_do_all(sets, tmp_path, place, rank, fault):
    out = tmp_path / "out"
    done = run_with_fault(
        tmp_path / "told",
        "morphosphere.render",
        f"morphosphere.render.work:{place}",
        fault,
        ["--settings", SETTINGS, "--input", *sets, "--output", out],
        rank=rank,
    )
    check_message(done, "render", fault, rank=rank)
    assert not list(out.glob("[0-9]*")), "something looks finished"
    assert _render(sets, out) == 0
    assert sorted(p.name for p in out.iterdir()) == ["0.h5", "1.h5"]


def test_ranks_that_meet_the_same_fault_say_it_once(sets, tmp_path):
    words = ["--input", tmp_path / "missing.h5", "--output", tmp_path / "out"]
    done = run_ranks(5, ["-m", "morphosphere.render", *words])
    assert done.returncode != 0
    assert done.stderr.count("missing.h5: cannot be read") == 1
    words = ["--settings", '{"size": 2}', "--input", sets[0], "--output", tmp_path / "out"]
    done = run_ranks(5, ["-m", "morphosphere.render", *words])
    assert done.returncode != 0
    assert done.stderr.count("size: ") == 1


def test_galaxies_are_shared_by_their_size():
    cost = np.array([10, 1, 1, 1, 1, 1, 1, 4])
    edges = share_by_work(cost, 3)
    assert list(edges[[0, 1, -1]]) == [0, 1, 8]
    assert (np.diff(edges) >= 0).all()
    assert list(share_by_work(np.zeros(0), 3)) == [0, 0, 0, 0]
    few = share_by_work(np.ones(2), 5)
    assert sorted(np.diff(few)) == [0, 0, 0, 1, 1]


def test_files_are_not_divided_for_little():
    cost = np.ones(200)
    assert list(share_by_work(cost, 2, np.array([0, 97, 200]))) == [0, 97, 200]
    assert list(share_by_work(cost, 2, np.array([0, 80, 200]))) == [0, 100, 200]
    assert list(share_by_work(cost, 1, np.array([0, 80, 200]))) == [0, 200]
    assert list(share_by_work(np.zeros(0), 2, np.array([0, 0]))) == [0, 0, 0]


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_each_galaxy_is_rendered_by_one_rank(sets, tmp_path, ranks):
    few = [galaxy(n, magnitudes=True) for n in (7, 8, 9)]
    inputs = [*sets, write_galaxyset(tmp_path / "in" / "2.h5", few)]
    shares = shares_of(inputs, ranks)
    for ranges, count in zip(shares, (5, 0, 3)):
        assert len(ranges) == ranks
        assert [n for part in ranges for n in part] == list(range(count))


def test_mixed_units(sets, tmp_path):
    assert _render(sets[:1], tmp_path, '{"size": 16, "channels": ["gas", "velocity"]}') == 0
    attributes = _content(tmp_path / "0.h5")[2]
    assert attributes["unit"] == ""
    assert list(attributes["channel_units"]) == ["solMass/kpc2", "km/s"]


def test_mock_observation_says_what_it_is(sets, tmp_path):
    settings = '{"size": 16, "observation": {"survey": "DES", "redshift": 0.1}}'
    assert _render(sets[:1], tmp_path, settings) == 0
    attributes = _content(tmp_path / "0.h5")[2]
    assert attributes["unit"] == "nmgy"
    assert attributes["survey"] == "DES"
    assert attributes["pixel_scale_arcsec"] == 0.2637


def _error(capsys, *arguments):
    assert _render(*arguments) == 1
    return capsys.readouterr().err


def test_inputs_that_cannot_be_read_are_named(sets, tmp_path, capsys):
    out = tmp_path / "out"
    assert "missing.h5: cannot be read" in _error(capsys, [tmp_path / "missing.h5"], out)
    broken = tmp_path / "broken.h5"
    broken.write_bytes(sets[0].read_bytes()[:3000])
    assert "broken.h5: cannot be read" in _error(capsys, [sets[0], broken], out)
    with h5py.File(tmp_path / "other.h5", "w"):
        pass
    assert "other.h5: not a GalaxySet; run the extract stage" in _error(
        capsys, [tmp_path / "other.h5"], out
    )
    assert "0: two inputs have this name" in _error(capsys, [sets[0], sets[0]], out)
    assert not out.exists()


def test_a_failure_leaves_earlier_results_whole(sets, tmp_path, capsys):
    assert _render(sets[:1], tmp_path) == 0
    before = (tmp_path / "0.h5").read_bytes()
    poor = galaxy(9)
    del poor.components["stars"]["age"]
    write_galaxyset(sets[0], [poor])
    message = _error(capsys, sets[:1], tmp_path)
    assert "0.h5: no light in i, r, g" in message
    assert "assumed_age" in message
    assert (tmp_path / "0.h5").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.h5", "in"]


def test_particles_left_out_are_told(tmp_path, capsys):
    one = galaxy()
    one.components["stars"]["position"][:5] = np.nan
    path = write_galaxyset(tmp_path / "in" / "a.h5", [one])
    assert _render([path], tmp_path) == 0
    assert "left out 5 particles" in capsys.readouterr().err


def test_impossible_settings_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        check(
            RenderSettings,
            {"size": 2, "channels": ["i", "Q"], "cameras": {"isotropic": 0}, "colour": 1},
            source="config.yaml",
        )
    message = str(caught.value)
    assert "4 mistakes" in message
    assert "channels: no channel Q; there are u, g, r, i, z" in message
    assert "stellar_mass" in message
    assert "cameras: give at least one camera" in message
    assert "colour: unknown key" in message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"channels": []}, "at least 1 item"),
        ({"channels": ["i", "i"]}, "each channel can be named once"),
        (
            {"observation": {"survey": "DES"}, "channels": ["u", "gas"]},
            "DES does not observe u, gas",
        ),
        ({"observation": {"survey": "2MASS"}}, "'SDSS', 'DES'"),
        ({"observation": {"redshift": None}}, "give redshift or distance"),
        ({"field_of_view": -1}, "greater than 0"),
    ],
)
def test_settings_that_contradict(value, expected):
    with pytest.raises(ConfigError, match=expected):
        check(RenderSettings, value, source="config.yaml")
