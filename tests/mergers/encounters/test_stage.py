"""The stage that simulates encounters: the GalaxySet it writes, chance, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from morphosphere.artefacts.galaxyset import GalaxySet
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.mergers.encounters.__main__ import main
from morphosphere.render.__main__ import main as render

SETTINGS = {"number": 5, "shards": 2, "stars": 400, "moments": 6, "singles": 0.4}


def simulate(path: Path, shard: int = 0, seed: int = 42, **changes: object) -> Path:
    settings = json.dumps({**SETTINGS, **changes})
    arguments = ["--settings", settings, "--shard", str(shard), "--output", str(path)]
    assert main([*arguments, "--seed", str(seed)]) == 0
    return path


def contents(*paths: Path) -> dict[str, tuple[dict, np.ndarray]]:
    """galaxy_id to properties and places."""
    found = {}
    for path in paths:
        with GalaxySet(path) as galaxies:
            for galaxy in galaxies:
                name = galaxy.properties["galaxy_id"]
                found[name] = (galaxy.properties, galaxy.components["stars"]["position"])
    return found


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name][1], other[name][1]) and str(one[name][0]) == str(other[name][0])
        for name in one
    )


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("encounters") / "0.h5")


def test_columns_of_the_moments(shard: Path) -> None:
    with GalaxySet(shard) as galaxies:
        table = galaxies.properties()
        assert galaxies.attributes["source"] == "encounters"
        assert (galaxies.count("stars") == 400).all()
        assert np.array_equal(galaxies.galaxy(0).frame, np.eye(3))
    names = table["encounter_id"]
    assert sorted(set(names)) == ["e00000", "e00002", "e00004", "s00000"]
    assert len(set(table["galaxy_id"])) == len(names) == 24
    pairs = np.char.startswith(names.astype(str), "e")
    assert np.array_equal(table["is_encounter"], pairs.astype(float))
    for name in ("mass_ratio", "size_ratio", "separation", "pericentre", "eccentricity"):
        assert np.isfinite(table[name][pairs]).all()
        assert np.isnan(table[name][~pairs]).all()
    assert np.isnan(table["time_since_pericentre"][~pairs]).all()
    assert set(table["phase"][~pairs]) == {"none"}
    assert set(table["phase"][pairs]) <= {"approach", "passage", "final", "remnant"}
    ratio = table["mass_ratio"][pairs]
    assert ((ratio >= 0.2) & (ratio <= 1)).all()
    for name in set(names[pairs]):
        rows = names == name
        assert (np.diff(table["time_since_pericentre"][rows]) > 0).all()
        assert list(table["snapshot"][rows]) == list(range(6))
        early = table["time_since_pericentre"][rows] < 0
        assert np.array_equal(early, table["phase"][rows] == "approach")
        merged = table["time_since_pericentre"][rows] >= table["time_of_coalescence"][rows]
        assert np.array_equal(merged, table["phase"][rows] == "remnant")


def test_stars_are_centred_and_weigh_what_the_galaxies_weigh(shard: Path) -> None:
    with GalaxySet(shard) as galaxies:
        for galaxy in galaxies:
            stars = galaxy.components["stars"]
            assert np.isfinite(stars["position"]).all()
            mean = np.average(stars["position"], axis=0, weights=stars["mass"])
            assert np.abs(mean).max() < 1e-3
            assert stars["mass"].sum() == pytest.approx(galaxy.properties["stellar_mass"], rel=1e-5)


def test_the_nuclei_are_as_far_apart_as_is_said(tmp_path: Path) -> None:
    path = simulate(tmp_path / "0.h5", stars=4000, number=1, singles=0, bulge_fraction=[0.3, 0.3])
    with GalaxySet(path) as galaxies:
        galaxy = galaxies.galaxy(0)
    place, mass = (galaxy.components["stars"][name] for name in ("position", "mass"))
    second = mass != mass[0]
    apart = np.median(place[second], axis=0) - np.median(place[~second], axis=0)
    assert np.linalg.norm(apart) == pytest.approx(galaxy.properties["separation"], rel=0.05)


def test_moments_do_not_depend_on_the_number_of_shards(shard: Path, tmp_path: Path) -> None:
    other = simulate(tmp_path / "1.h5", shard=1)
    whole = simulate(tmp_path / "all.h5", shards=1)
    assert same(contents(shard, other), contents(whole))


def test_the_seed_decides(shard: Path, tmp_path: Path) -> None:
    again = simulate(tmp_path / "again.h5")
    assert same(contents(shard), contents(again))
    different = contents(simulate(tmp_path / "other.h5", seed=43))
    name = "e00000_0003"
    assert not np.array_equal(contents(shard)[name][1], different[name][1])


def test_all_moments_are_kept_on_demand(tmp_path: Path) -> None:
    path = simulate(tmp_path / "0.h5", number=1, singles=0, moments=None, interval=20.0, stars=50)
    with GalaxySet(path) as galaxies:
        time = galaxies.properties()["time_since_pericentre"]
    assert len(time) > 20
    assert np.diff(time) == pytest.approx(20.0)


def test_moments_cover_the_time_evenly(tmp_path: Path) -> None:
    path = simulate(tmp_path / "0.h5", number=1, singles=0, moments=10, stars=50)
    with GalaxySet(path) as galaxies:
        table = galaxies.properties()
    time = table["time_since_pericentre"]
    end = table["time_of_coalescence"][0] + 50
    assert time[-1] <= end + 1
    assert np.diff(time).max() < 2.2 * (end - time[0]) / 10


def test_moments_are_rendered(shard: Path, tmp_path: Path) -> None:
    settings = {
        "size": 32,
        "channels": ["stellar_mass"],
        "field_of_view": 120,
        "field_of_view_unit": "kpc",
        "cameras": {"isotropic": 0, "random": 1},
    }
    arguments = ["--input", str(shard), "--output", str(tmp_path)]
    assert render([*arguments, "--settings", json.dumps(settings)]) == 0
    with ImageSet(tmp_path / "0.h5") as images:
        assert len(images) == 24
        assert set(images.columns) >= {"time_since_pericentre", "mass_ratio", "encounter_id"}
        _, pictures = next(iter(images.chunks(24)))
    assert (pictures.sum(axis=(1, 2, 3)) > 0).all()


def test_velocities_are_written_on_demand(tmp_path: Path) -> None:
    path = simulate(tmp_path / "0.h5", number=1, singles=0, moments=1, velocities=True)
    with GalaxySet(path) as galaxies:
        velocity = galaxies.galaxy(0).components["stars"]["velocity"]
    assert 50 < velocity.std() < 400


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mass_ratio": [0.5, 0.2]}, "mass_ratio: the least value comes first"),
        ({"mass_ratio": [0.5, 2]}, "mass_ratio: mass ratios are between 0.001 and 1"),
        ({"eccentricity": [-0.2, 0.5]}, "eccentricity: eccentricities are"),
        ({"pericentre": [5, 90]}, "pericentre must be above 0 and below start_separation"),
        ({"interval": 2.5}, "interval must be a multiple of step"),
        ({"number": 0}, "number: "),
        ({"bulge_fraction": [0.1, 1.4]}, "bulge_fraction: shares are between 0 and 1"),
        ({"masses": 3}, "masses: unknown key"),
    ],
)
def test_bad_settings_are_one_clear_error(
    changes: dict, said: str, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    output = tmp_path / "0.h5"
    arguments = ["--settings", json.dumps(changes), "--output", str(output)]
    assert main(arguments) == 1
    assert said in capfd.readouterr().err
    assert not output.exists()


def test_a_shard_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    arguments = ["--settings", json.dumps(SETTINGS), "--shard", "2"]
    assert main([*arguments, "--output", str(tmp_path / "2.h5")]) == 1
    assert "--shard 2: there are shards 0 to 1" in capfd.readouterr().err


def test_code_is_compiled_where_no_cache_can_be_written(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    program = (
        "from numba.core import caching\n"
        "def refuse(*_): raise OSError('read-only')\n"
        "for kind in vars(caching).values():\n"
        "    if hasattr(kind, 'ensure_cache_path'): kind.ensure_cache_path = refuse\n"
        "from morphosphere.compiled import compiled\n"
        "import morphosphere.mergers.encounters.orbit\n"
        "def double(x):\n"
        "    return 2 * x\n"
        "print(compiled(double)(4))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HOME": str(nowhere), "NUMBA_CACHE_DIR": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "8", done.stderr
