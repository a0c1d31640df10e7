"""Snapshots of a run of a merger become a GalaxySet."""

import json
import shutil
import tracemalloc

import h5py
import numpy as np
import pytest

from morphosphere.artefacts.galaxyset import GalaxySet
from morphosphere.mergers.runs.__main__ import main

GALAXY_1 = [[1, 600], [1001, 1600]]


def start(output, folder, **settings):
    text = json.dumps({"path": str(folder), **settings})
    return main(["--name", "flyby", "--settings", text, "--output", str(output)])


@pytest.fixture
def made(run_folder, tmp_path):
    def make(**settings):
        output = tmp_path / "out.h5"
        assert start(output, run_folder, **settings) == 0
        with GalaxySet(output) as galaxies:
            return galaxies.properties(), [galaxies.galaxy(i) for i in range(len(galaxies))]

    return make


def test_with_a_table(made):
    table, galaxies = made(table="encounter.csv", mass_ratio=0.5, size_ratio=0.8)
    assert table["galaxy_id"].tolist() == [f"flyby_{i:04d}" for i in range(9)]
    assert set(table["encounter_id"]) == {"flyby"}
    assert table["snapshot"].tolist() == list(range(9))
    np.testing.assert_allclose(table["time_since_pericentre"], np.arange(9) * 40 - 150, atol=0.2)
    np.testing.assert_allclose(table["pericentre"], 6, atol=0.05)
    assert set(table["mass_ratio"]) == {0.5}
    assert set(table["size_ratio"]) == {0.8}
    assert np.isnan(table["eccentricity"]).all()
    assert np.isnan(table["time_of_coalescence"]).all()
    assert table["phase"].tolist() == ["approach"] * 4 + ["passage"] * 5
    assert set(table["is_encounter"]) == {1.0}
    for one in galaxies:
        stars = one.components["stars"]
        centre = (stars["position"] * stars["mass"][:, None]).sum(0) / stars["mass"].sum()
        np.testing.assert_allclose(centre, 0, atol=1e-4)
        np.testing.assert_allclose(one.frame[2], [0, 0, -1], atol=1e-6)
        assert len(one.components["dark_matter"]["mass"]) == 900


def test_ids_measure_what_the_table_says(made):
    by_table, _ = made(table="encounter.csv")
    by_ids, galaxies = made(galaxy_1=GALAXY_1)
    assert np.isnan(by_table["mass_ratio"]).all()
    np.testing.assert_allclose(by_ids["mass_ratio"], 0.5, rtol=1e-6)
    # a nucleus of some hundred stars is known to a fraction of a kpc; 0.2 kpc pass in a Myr
    for name, slack in (("time_since_pericentre", 4), ("separation", 0.6), ("pericentre", 0.6)):
        np.testing.assert_allclose(by_ids[name], by_table[name], atol=slack)
    np.testing.assert_allclose(galaxies[0].frame[2], [0, 0, -1], atol=0.02)


def test_the_particles_are_those_of_the_snapshot(made, run_folder):
    _, galaxies = made(table="encounter.csv", snapshots=[4, 2])
    assert [one.properties["galaxy_id"] for one in galaxies] == ["flyby_0002", "flyby_0004"]
    with h5py.File(run_folder / "snapshot_002.hdf5") as file:
        stored = file["PartType2/Coordinates"][()].astype(np.float64)
    position = galaxies[0].components["stars"]["position"]
    np.testing.assert_allclose(position, stored - stored.mean(axis=0), atol=1e-4)
    assert galaxies[0].components["stars"]["mass"][0] == pytest.approx(1e7, rel=1e-3)


def test_a_number_stands_for_the_file(made, copied, tmp_path):
    text = (copied / "encounter.csv").read_text()
    for number in range(9):
        text = text.replace(f"snapshot_{number:03d}.hdf5", str(number))
    (copied / "numbers.csv").write_text(text)
    assert start(tmp_path / "a.h5", copied, table="numbers.csv") == 0


def test_gigayears_and_other_names(made, copied, tmp_path):
    lines = (copied / "encounter.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    text = ["snap,t,ax,ay,az,bx,by,bz"]
    text += [",".join([r[0], str(float(r[1]) / 1000), *r[2:8]]) for r in rows]
    (copied / "other.csv").write_text("\n".join(text))
    columns = {
        "file": "snap",
        "time": "t",
        "time_unit": "Gyr",
        "position_1": ["ax", "ay", "az"],
        "position_2": ["bx", "by", "bz"],
    }
    assert start(tmp_path / "a.h5", copied, table="other.csv", columns=columns) == 0
    with GalaxySet(tmp_path / "a.h5") as galaxies:
        time = galaxies.properties()["time_since_pericentre"]
    np.testing.assert_allclose(time, np.arange(9) * 40 - 150, atol=0.2)


def test_folders_of_snapshots(run_folder, tmp_path):
    for number in range(9):
        folder = tmp_path / "run" / f"snapdir_{number:03d}"
        folder.mkdir(parents=True)
        shutil.copy(run_folder / f"snapshot_{number:03d}.hdf5", folder)
    assert start(tmp_path / "a.h5", tmp_path / "run", galaxy_1=GALAXY_1) == 0


def test_headers_of_older_codes(copied, tmp_path, capfd):
    """GADGET-2 does not say units nor whether a run is cosmological; one moment is at time 1."""
    for number in range(9):
        with h5py.File(copied / f"snapshot_{number:03d}.hdf5", "r+") as file:
            del file["Parameters"]
            header = file["Header"].attrs
            header["Time"] = 0.9 + 0.05 * number
            header.update({"Omega0": 0.0, "OmegaLambda": 0.0, "HubbleParam": 1.0})
    assert start(tmp_path / "a.h5", copied, galaxy_1=GALAXY_1) == 0
    assert "does not say its units" in capfd.readouterr().err
    with GalaxySet(tmp_path / "a.h5") as galaxies:
        table = galaxies.properties()
    assert set(table["n_stars"]) == {900}
    np.testing.assert_allclose(np.diff(table["time"]), 0.05 * 977.8, rtol=1e-3)


def test_memory_is_that_of_one_snapshot(run_folder, tmp_path):
    def peak(numbers):
        tracemalloc.start()
        assert start(tmp_path / "a.h5", run_folder, table="encounter.csv", snapshots=numbers) == 0
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak([0, 1])  # what is imported and cached counts only once
    assert peak(list(range(9))) < 1.5 * peak([0, 1])


def damage(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def bad_positions(file):
    file["PartType2/Coordinates"][7, 1] = np.nan


def no_ids(file):
    del file["PartType2/ParticleIDs"]


def no_stars(file):
    del file["PartType2"]
    for name in ("NumPart_ThisFile", "NumPart_Total"):
        counts = file["Header"].attrs[name]
        counts[2] = 0
        file["Header"].attrs[name] = counts


def earlier(file):
    file["Header"].attrs["Time"] = 0.0


def cut_short(folder):
    path = folder / "snapshot_003.hdf5"
    path.write_bytes(path.read_bytes()[:4000])


def drop_row(folder):
    lines = (folder / "encounter.csv").read_text().splitlines()
    (folder / "encounter.csv").write_text("\n".join(lines[:4] + lines[5:]))


def blank(folder):
    text = (folder / "encounter.csv").read_text().splitlines()
    cells = text[4].split(",")
    cells[3] = ""
    text[4] = ",".join(cells)
    (folder / "encounter.csv").write_text("\n".join(text))


TABLE = {"table": "encounter.csv"}
IDS = {"galaxy_1": GALAXY_1}
FAULTS = {
    "truncated": (cut_short, TABLE, ["snapshot_003.hdf5", "truncated"]),
    "no row": (drop_row, TABLE, ["encounter.csv", "no row for snapshot_003.hdf5", "'file'"]),
    "no file": (
        lambda f: (f / "snapshot_003.hdf5").unlink(),
        TABLE,
        ["no snapshot snapshot_003", "encounter.csv", "`snapshots`"],
    ),
    "empty cell": (blank, TABLE, ["encounter.csv", "'y1_kpc'", "snapshot_003.hdf5"]),
    "no column": (lambda f: None, {**TABLE, "columns": {"time": "t"}}, ["encounter.csv", "'t'"]),
    "no table": (lambda f: None, {"table": "none.csv"}, ["none.csv", "no such file"]),
    "missing": (lambda f: None, {**TABLE, "snapshots": [3, 77]}, ["no snapshot 77", "`snapshots`"]),
    "units": (
        lambda f: None,
        {**TABLE, "columns": {"time_unit": "Gyr"}},
        ["encounter.csv", "columns.time_unit"],
    ),
    "NaN": (
        lambda f: damage(f / "snapshot_003.hdf5", bad_positions),
        TABLE,
        ["snapshot_003.hdf5", "PartType2/Coordinates", "not finite"],
    ),
    "no ids": (
        lambda f: damage(f / "snapshot_003.hdf5", no_ids),
        IDS,
        ["snapshot_003.hdf5", "ParticleIDs"],
    ),
    "ids of nobody": (
        lambda f: None,
        {"galaxy_1": [[90_000, 95_000]]},
        ["snapshot_000.hdf5", "galaxy_1", "1001 to"],
    ),
    "ids of all": (
        lambda f: None,
        {"galaxy_1": [[0, 95_000]]},
        ["snapshot_000.hdf5", "galaxy_2"],
    ),
    "no stars": (
        lambda f: damage(f / "snapshot_003.hdf5", no_stars),
        TABLE,
        ["snapshot_003.hdf5", "no stars"],
    ),
    "times": (
        lambda f: damage(f / "snapshot_003.hdf5", earlier),
        IDS,
        ["snapshot_003.hdf5", "not after"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_one_line_and_leaves_what_was_there(fault, copied, tmp_path, capfd):
    change, settings, said = FAULTS[fault]
    change(copied)
    output = tmp_path / "out.h5"
    output.write_text("earlier")
    assert start(output, copied, **settings) == 1
    errors = [line for line in capfd.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1
    for word in said:
        assert word in errors[0]
    assert output.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "table"),
        ({"galaxy_1": [[5, 2]]}, "galaxy_1"),
        ({"galaxy_1": [[1, 9]], "galaxy_2": [[5, 20]]}, "galaxy_2"),
        ({"galaxy_2": [[5, 20]], "table": "a.csv"}, "galaxy_2"),
        ({"table": "a.csv", "mass_ratio": 1.5}, "mass_ratio"),
        ({"table": "a.csv", "snapshots": [1, 1]}, "snapshots"),
        ({"table": "a.csv", "columns": {"position_1": None}}, "position_2"),
    ],
)
def test_impossible_settings_name_their_key(settings, key, run_folder, tmp_path, capfd):
    assert start(tmp_path / "out.h5", run_folder, **settings) == 1
    assert key in capfd.readouterr().err


def test_an_empty_folder(tmp_path, capfd):
    assert start(tmp_path / "out.h5", tmp_path, table="a.csv") == 1
    assert "snap*_NNN" in capfd.readouterr().err
