"""The whole stage on small snapshots whose every number is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from factories_arepo import BOX, KPC, H, Object, write_arepo
from morphosphere.artefacts.galaxyset import GalaxySet
from ranks import FAULTS, check_message, run_ranks, run_with_fault

GROUPS = [
    [Object(axis=(1, 2, 3)), Object((300, 200, 100), stars=0, gas=40)],
    [Object((999.9, 0.0, 400.0), stars=301, winds=17), Object((700, 700, 700), stars=1)],
    [Object((600, 400, 300), stars=150, gas=0, flag=False), Object((20, 30, 40), stars=120, gas=0)],
]


def groups() -> list[list[Object]]:
    """Fresh objects: writing fills them."""
    return [
        [Object(o.centre, o.stars, o.gas, o.dark_matter, o.winds, o.axis, o.velocity, o.flag)
         for o in group]
        for group in GROUPS
    ]  # fmt: skip


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    write_arepo(folder, groups(), files=3)
    return folder


def rows(output: Path) -> dict[str, list]:
    return pq.read_table(output / "galaxies.parquet").to_pydict()


def test_galaxies_have_the_masses_and_motions_that_were_put_in(box, tmp_path, run):
    status, log = run(box, tmp_path / "out", min_stars=100, dark_matter=True)
    assert status == 0, log
    table = rows(tmp_path / "out")
    assert table["galaxy_id"] == ["sim_7_0", "sim_7_2", "sim_7_5"]
    assert table["n_stars"] == [200, 301, 120]
    np.testing.assert_allclose(table["stellar_mass"], 5e-4 * np.array([200, 301, 120]) * 1e10 / H)
    np.testing.assert_allclose(table["gas_mass"], 1e-4 * np.array([50, 50, 0]) * 1e10 / H)
    np.testing.assert_allclose(table["sfr"], [5, 5, 0])
    np.testing.assert_allclose(table["half_mass_radius"], 5 * KPC, rtol=0.2)
    np.testing.assert_allclose(table["rotation_fraction"], 1, atol=1e-3)
    np.testing.assert_allclose(table["axis_ratio"], 0, atol=1e-3)
    np.testing.assert_allclose(table["metallicity"], 0.02, rtol=1e-6)
    # 0.3/0.7, h = 0.5: from a = 0.4 to a = 0.5, by astropy's own functions.
    from astropy.cosmology import FlatLambdaCDM

    times = FlatLambdaCDM(50, 0.3, Tcmb0=0).age([1.0, 1.5]).value
    np.testing.assert_allclose(table["mean_age"], times[0] - times[1], rtol=1e-4)
    assert np.isnan(table["half_light_radius"]).all()


def test_discs_lie_in_the_plane_of_their_frame_and_turn_about_its_axis(box, tmp_path, run):
    run(box, tmp_path / "out", shards=1, dark_matter=True)
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        axes = [(1, 2, 3), (0, 0, 1), (0, 0, 1)]
        for galaxy, axis in zip(galaxies, axes):
            np.testing.assert_allclose(galaxy.frame @ galaxy.frame.T, np.eye(3), atol=1e-6)
            assert np.linalg.det(galaxy.frame) == pytest.approx(1)
            np.testing.assert_allclose(galaxy.frame[2], axis / np.linalg.norm(axis), atol=1e-3)
            for name in ("stars", "dark_matter"):
                particles = galaxy.components[name]
                placed = particles["position"] @ galaxy.frame.T
                assert np.abs(placed[:, 2]).max() < 0.01
                assert np.linalg.norm(placed, axis=1).max() < 10 * KPC * 1.001
                # 200 km/s, once the motion of the galaxy is taken away; one star has no partner.
                speed = np.linalg.norm(particles["velocity"], axis=1)
                np.testing.assert_allclose(speed, 200, rtol=0.02)


def test_a_galaxy_across_the_periodic_edge_is_whole(box, tmp_path, run):
    run(box, tmp_path / "out", ids=[2], shards=1)
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        stars = galaxies.galaxy(0).components["stars"]
    assert np.linalg.norm(stars["position"], axis=1).max() < 10 * KPC * 1.001
    with h5py.File(box / "snapdir_007" / "snap_007.1.hdf5") as raw:
        x = raw["PartType4/Coordinates"][:, 0]
    assert x.min() < 10
    assert x.max() > BOX - 10


def test_a_coordinate_equal_to_the_box_is_next_to_zero(tmp_path, run):
    write_arepo(tmp_path / "box", [[Object((0.0, 500.0, 500.0))]], files=1)
    with h5py.File(tmp_path / "box/snapdir_007/snap_007.0.hdf5", "r+") as out:
        out["PartType4/Coordinates"][0] = (BOX, 500.0, 500.0)
    run(tmp_path / "box", tmp_path / "out", shards=1)
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        first = galaxies.galaxy(0).components["stars"]["position"][0]
    np.testing.assert_allclose(first, 0, atol=1e-4)


def test_winds_are_not_stars(box, tmp_path, run):
    run(box, tmp_path / "out", ids=[2], shards=1)
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        ages = galaxies.galaxy(0).components["stars"]["age"]
    assert len(ages) == 301
    assert (ages > 0).all()


def test_zero_and_one_star(box, tmp_path, run):
    status, log = run(box, tmp_path / "out", min_stars=1)
    assert status == 0, log
    table = rows(tmp_path / "out")
    one = table["galaxy_id"].index("sim_7_3")
    assert "sim_7_1" not in table["galaxy_id"]
    assert table["n_stars"][one] == 1
    assert table["half_mass_radius"][one] >= 0
    assert np.isnan(table["velocity_dispersion"][one])
    with GalaxySet(tmp_path / "out" / "1.h5") as last:
        for galaxy in last:
            np.testing.assert_allclose(galaxy.frame @ galaxy.frame.T, np.eye(3), atol=1e-6)


def test_cuts_and_what_each_removed(box, tmp_path, run):
    status, log = run(box, tmp_path / "out", min_stars=100, ids=[0, 1, 4, 5])
    assert status == 0
    assert rows(tmp_path / "out")["subhalo_id"] == [0, 5]
    assert "ids removed 2" in log
    assert "require_flag removed 1" in log
    assert "min_stars 100 removed 1" in log
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["notes"]["removed"] == {"ids": 2, "require_flag": 1, "min_stars 100": 1}
    assert len(record["inputs"]) == 6
    run(box, tmp_path / "out", require_flag=False, maximum=2)
    assert rows(tmp_path / "out")["subhalo_id"] == [0, 2]
    run(box, tmp_path / "out", min_stellar_mass=1e9 * 200 * 1e-2 - 1, max_stellar_mass=2.5e9)
    assert rows(tmp_path / "out")["subhalo_id"] == [0]


def test_the_aperture_keeps_what_is_inside(box, tmp_path, run):
    run(box, tmp_path / "out", ids=[0], shards=1, min_stars=1, aperture=5 * KPC)
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        galaxy = galaxies.galaxy(0)
        radius = np.linalg.norm(galaxy.components["stars"]["position"], axis=1)
        assert radius.max() <= 5 * KPC
        n = len(radius)
        assert galaxy.properties["n_stars"] == n
        assert galaxy.properties["stellar_mass"] == pytest.approx(n * 5e-4 * 1e10 / H)
    run(box, tmp_path / "out", ids=[0], shards=1, aperture=1.0, aperture_unit="half_mass_radius")
    assert rows(tmp_path / "out")["n_stars"] == [100]


def test_no_galaxy_left_names_the_cuts(box, tmp_path, run):
    run(box, tmp_path / "out")
    before = (tmp_path / "out" / "galaxies.parquet").read_bytes()
    status, log = run(box, tmp_path / "out", min_stars=250, max_stellar_mass=1e9)
    assert status == 1
    assert "no galaxy left of 6 subhalos" in log
    assert "min_stars 250 removed 4" in log
    assert "max_stellar_mass 1e+09 removed 1" in log
    assert (tmp_path / "out" / "galaxies.parquet").read_bytes() == before


def test_no_galaxy_left_once_the_particles_are_read(box, tmp_path, run):
    status, log = run(box, tmp_path / "out", aperture=1e-6)
    assert status == 1
    assert "reading the particles removed 3" in log
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rejects.csv"]


def test_ids_that_are_not_in_the_catalogue_and_ids_twice(box, tmp_path, run):
    status, log = run(box, tmp_path / "out", ids=[0, 6, 99])
    assert status == 1
    assert "2 of the listed ids are not in the catalogue of 6 subhalos: 6, 99" in log
    status, log = run(box, tmp_path / "out", ids=[0, 3, 3], shards=0)
    assert status == 1
    assert "ids: 3 is listed more than once" in log
    assert "shards" in log


def test_positions_that_are_not_numbers_reject_the_galaxy_and_say_where(box, tmp_path, run):
    shutil.copytree(box, tmp_path / "box")
    with h5py.File(tmp_path / "box/snapdir_007/snap_007.0.hdf5", "r+") as out:
        out["PartType4/Coordinates"][3] = np.nan
    status, log = run(tmp_path / "box", tmp_path / "out")
    assert status == 0
    assert "sim_7_0: rejected, 1 particles of stars have no finite position" in log
    assert "snap_007.0.hdf5: PartType4/Coordinates" in log
    assert rows(tmp_path / "out")["subhalo_id"] == [2, 5]
    assert "sim_7_0" in (tmp_path / "out" / "rejects.csv").read_text()


def test_there_are_always_as_many_shards_as_asked_for(box, tmp_path, run):
    run(box, tmp_path / "out", shards=5)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["0.h5", "1.h5", "2.h5", "3.h5", "4.h5", "galaxies.parquet", "rejects.csv"]
    sets = [GalaxySet(tmp_path / "out" / f"{i}.h5") for i in range(5)]
    ids = [name for s in sets for name in s.properties().get("galaxy_id", [])]
    assert ids == rows(tmp_path / "out")["galaxy_id"]
    for part in sets:
        part.__exit__()
    run(box, tmp_path / "out", shards=1)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["0.h5", "galaxies.parquet", "rejects.csv"]


def test_small_chunks_change_nothing(box, tmp_path, run):
    run(box, tmp_path / "a", shards=1, min_stars=1)
    run(box, tmp_path / "b", shards=1, min_stars=1, chunk=1000)
    assert (tmp_path / "a/0.h5").read_bytes() == (tmp_path / "b/0.h5").read_bytes()


def options(box: Path, output: Path, settings: str) -> list[object]:
    """Words of the stage's command line."""
    words = ["--simulation", "sim", "--snapshot", "7", "--input", box, "--output", output]
    return [*words, "--settings", settings]


@pytest.mark.parametrize(("ranks", "shards"), [(1, 3), (2, 3), (5, 3), (5, 1), (5, 2)])
def test_results_do_not_depend_on_the_number_of_ranks(box, tmp_path, run, ranks, shards):
    shutil.copytree(box, tmp_path / "box")
    with h5py.File(tmp_path / "box/snapdir_007/snap_007.0.hdf5", "r+") as out:
        out["PartType4/Coordinates"][3] = np.nan  # a reject, of whichever rank
    run(tmp_path / "box", tmp_path / "one", shards=shards, min_stars=1)
    settings = json.dumps({"shards": shards, "min_stars": 1})
    words = options(tmp_path / "box", tmp_path / "many", settings)
    done = run_ranks(ranks, ["-m", "morphosphere.extract", "--ranks", ranks, *words])
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(names) == shards + 2
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_an_error_on_the_ranks_ends_all_of_them(box, tmp_path):
    shutil.copytree(box, tmp_path / "box")
    with h5py.File(tmp_path / "box/snapdir_007/snap_007.1.hdf5", "r+") as out:
        del out["PartType4/Velocities"]
    words = options(tmp_path / "box", tmp_path / "out", "{}")
    done = run_ranks(2, ["-m", "morphosphere.extract", *words])
    assert done.returncode != 0
    assert "snap_007.1.hdf5: PartType4 has no Velocities" in done.stderr


@pytest.mark.parametrize("shards", [2, 1])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_rank_ends_and_so_do_all(box, tmp_path, run, fault, shards):
    output, settings = tmp_path / "out", json.dumps({"shards": shards, "min_stars": 1})
    done = run_with_fault(
        tmp_path / "told",
        "morphosphere.extract",
        "morphosphere.extract.shard:make_galaxy",
        fault,
        options(box, output, settings),
    )
    check_message(done, "extract", fault)
    assert not list(output.glob("*.*[5tv]")), "something looks finished"
    status, log = run(box, output, shards=shards, min_stars=1)
    assert status == 0, log
    assert not [path for path in output.iterdir() if path.name.startswith(".")]


def test_output_that_cannot_be_written(box, tmp_path, run):
    (tmp_path / "file").write_text("")
    status, log = run(box, tmp_path / "file" / "out")
    assert status == 1
    assert f"{tmp_path / 'file'}: File exists" in log
    assert "Traceback" not in log


def test_units_stand_in_the_table(box, tmp_path, run):
    run(box, tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out" / "galaxies.parquet")
    assert schema.field("stellar_mass").metadata[b"unit"] == b"solMass"
    assert schema.field("half_mass_radius").metadata[b"unit"] == b"kpc"
    assert schema.metadata[b"simulation"] == b"sim"


def test_what_a_killed_run_left_does_not_matter(box, tmp_path, run):
    (tmp_path / "out" / ".partial").mkdir(parents=True)
    (tmp_path / "out" / ".partial" / "0.h5").write_bytes(b"half")
    status, log = run(box, tmp_path / "out", shards=1)
    assert status == 0, log
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["0.h5", "galaxies.parquet", "rejects.csv"]


def test_without_gas_in_the_snapshot_nothing_is_said_of_it(tmp_path, run):
    write_arepo(tmp_path / "box", [[Object(gas=0)]], files=1, fuzz=0)
    status, log = run(tmp_path / "box", tmp_path / "out")
    assert status == 0, log
    assert "no gas in this snapshot" in log
    table = rows(tmp_path / "out")
    for name in ("gas_mass", "gas_fraction", "sfr"):
        assert np.isnan(table[name][0])


def test_the_centre_of_a_cutout_is_where_the_potential_is_lowest(box, tmp_path, run):
    (tmp_path / "cutouts").mkdir()
    with (
        h5py.File(box / "snapdir_007/snap_007.0.hdf5") as whole,
        h5py.File(tmp_path / "cutouts/cutout_5.hdf5", "w") as cutout,
    ):
        whole.copy("Header", cutout)
        whole.copy("PartType4", cutout)
        n = len(cutout["PartType4/Coordinates"])
        depth = np.zeros(n, dtype=np.float32)
        depth[17] = -1
        cutout["PartType4/Potential"] = depth
    status, log = run(tmp_path / "cutouts", tmp_path / "out", shards=1, min_stars=1)
    assert status == 0, log
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        stars = galaxies.galaxy(0).components["stars"]["position"]
        assert galaxies.galaxy(0).properties["galaxy_id"] == "sim_7_5"
    np.testing.assert_array_equal(stars[17], 0)
