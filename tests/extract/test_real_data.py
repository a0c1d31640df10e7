"""The stage on real simulations and on the mock box, against what their catalogues say."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from factories_snapshots import write_tiny_box
from morphosphere.artefacts.galaxyset import GalaxySet


def column(folder: Path, name: str) -> np.ndarray:
    """A catalogue column over all files, read without our code."""
    parts = []
    for path in sorted(folder.glob("fof_subhalo_tab_*.hdf5")):
        with h5py.File(path) as file:
            if name in file.get("Subhalo", {}):
                parts.append(file["Subhalo"][name][()])
    return np.concatenate(parts)


def rows(output: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(output / "galaxies.parquet").to_pydict()
    return {name: np.array(values) for name, values in table.items()}


@pytest.mark.parametrize(("number", "a"), [(0, 0.2541044), (1, 0.3275510)])
def test_a_gadget4_box(real_data, tmp_path, run, number, a):
    box = real_data / "snapshots" / "gadget4_box"
    status, log = run(box, tmp_path / "out", number, min_stars=300, dark_matter=True)
    assert status == 0, log
    table = rows(tmp_path / "out")
    ids = table["subhalo_id"]
    groups = box / f"groups_{number:03d}"
    assert (column(groups, "SubhaloLenType")[ids, 4] == table["n_stars"]).all()
    unit = 1e10 / 0.6774
    masses = column(groups, "SubhaloMassType")[ids] * unit
    np.testing.assert_allclose(table["stellar_mass"], masses[:, 4], rtol=1e-5)
    np.testing.assert_allclose(table["gas_mass"], masses[:, 0], rtol=1e-5)
    np.testing.assert_allclose(table["sfr"], column(groups, "SubhaloSFR")[ids], rtol=1e-4)
    radius = column(groups, "SubhaloHalfmassRadType")[ids, 4] / 0.6774
    np.testing.assert_allclose(table["half_mass_radius"], radius, rtol=0.02)
    assert table["mean_age"].max() < 3.3
    assert np.isnan(table["half_light_radius"]).all()
    assert "stars without photometry, smoothing lengths" in log
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        assert galaxies.attributes["scale_factor"] == pytest.approx(a, rel=1e-4)
        for galaxy in galaxies:
            parts = galaxy.components
            row = int(galaxy.properties["subhalo_id"])
            count = [len(parts[name]["mass"]) for name in ("gas", "dark_matter", "stars")]
            assert count == column(groups, "SubhaloLenType")[row, [0, 1, 4]].tolist()
            # The centre of mass of all three, from the centre, is that of the catalogue.
            mass = np.concatenate([p["mass"] for p in parts.values()]).astype(float)
            place = np.concatenate([p["position"] for p in parts.values()])
            moved = np.average(place, axis=0, weights=mass) * 0.6774 / a
            offset = column(groups, "SubhaloCM")[row] - column(groups, "SubhaloPos")[row]
            offset -= 7200 * np.round(offset / 7200)
            np.testing.assert_allclose(moved, offset, atol=0.02)


def test_the_mock_box_comes_out_as_it_was_made(tmp_path, run):
    write_tiny_box(tmp_path / "box")
    status, log = run(tmp_path / "box", tmp_path / "out", 99, min_stars=100)
    assert status == 0, log
    table = rows(tmp_path / "out")
    ids = table["subhalo_id"]
    assert len(ids) >= 10
    groups = tmp_path / "box" / "groups_099"
    with h5py.File(next(groups.iterdir())) as file:
        h = file["Header"].attrs["HubbleParam"]
    mass = column(groups, "SubhaloMassType")[ids, 4] * 1e10 / h
    np.testing.assert_allclose(table["stellar_mass"], mass, rtol=1e-5)
    assert column(groups, "SubhaloFlag")[ids].all()
    assert np.isfinite(table["half_light_radius"]).all()
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        assert list(galaxies.attributes["magnitude_bands"]) == list("UBVKgriz")
        stars = galaxies.galaxy(0).components["stars"]
    wanted = {"position", "velocity", "mass", "initial_mass", "age", "metallicity"}
    assert set(stars) == wanted | {"smoothing_length", "magnitudes"}


def test_a_tng_disc_lies_flat_in_its_frame(real_data, tmp_path, run):
    folder = real_data / "snapshots" / "tng_galaxy_394242"
    status, log = run(folder, tmp_path / "out", 99, shards=1, dark_matter=True)
    assert status == 0, log
    with GalaxySet(tmp_path / "out" / "0.h5") as galaxies:
        galaxy = galaxies.galaxy(0)
    assert galaxy.properties["galaxy_id"] == "sim_99_394242"
    assert galaxy.properties["rotation_fraction"] > 0.6
    assert galaxy.properties["axis_ratio"] < 0.3
    assert np.isnan(galaxy.properties["mean_age"])
    placed = galaxy.components["stars"]["position"] @ galaxy.frame.T
    height, width = np.median(np.abs(placed[:, 2])), np.median(np.abs(placed[:, :2]))
    assert height < 0.25 * width
    # Gas of a disc galaxy turns the same way as its stars.
    gas = galaxy.components["gas"]
    spin = (np.cross(gas["position"], gas["velocity"]) * gas["mass"][:, None]).sum(axis=0)
    assert galaxy.frame[2] @ spin / np.linalg.norm(spin) > 0.9


@pytest.mark.parametrize(("number", "stars"), [(78, 1996), (25, 2000)])
def test_cutouts_of_tng_and_eagle(real_data, tmp_path, run, number, stars):
    status, log = run(real_data / "snapshots" / "simspin", tmp_path / "out", number)
    assert status == 0, log
    table = rows(tmp_path / "out")
    assert table["n_stars"].tolist() == [stars]
    assert 1 < table["mean_age"][0] < 10


def test_a_merger_is_one_object(real_data, tmp_path, run):
    folder = real_data / "snapshots" / "gadget4_merger" / "mass_ratio_1to1"
    status, log = run(folder, tmp_path / "out", 3, shards=1)
    assert status == 0, log
    table = rows(tmp_path / "out")
    assert table["galaxy_id"].tolist() == ["sim_3_0"]
    assert table["stellar_mass"][0] == pytest.approx(8.9e10, rel=0.1)
    assert np.isnan(table["mean_age"][0])
    assert "no group catalogue" in log
