"""Readers on real files: what they give against what the files' own catalogues say."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from morphosphere.errors import InputError
from morphosphere.snapshots.families import open_snapshot

COMPONENTS = ("stars", "gas", "dark_matter")


@pytest.fixture(scope="module")
def gadget(real_data: Path) -> Path:
    return real_data / "snapshots" / "gadget4_box"


@pytest.mark.parametrize(("number", "redshift", "subhalos"), [(0, 2.94, 604), (1, 2.05, 566)])
def test_gadget4_header_and_catalogue(gadget, number, redshift, subhalos):
    snapshot = open_snapshot(gadget, number)
    assert snapshot.family == "gadget4"
    assert snapshot.header.redshift == pytest.approx(redshift, abs=0.01)
    assert snapshot.header.hubble == pytest.approx(0.6774)
    assert snapshot.header.box_size == pytest.approx(7200 / 0.6774 / (1 + redshift), rel=3e-3)
    assert len(snapshot.files) == 4
    table = snapshot.subhalos()
    assert len(table) == subhalos
    if number == 1:
        assert (table.count["stars"] >= 100).sum() == 101
        assert (table.count["stars"] > 1000).sum() == 10


def test_gadget4_particles_are_all_there_once(gadget):
    snapshot = open_snapshot(gadget, 1)
    totals = {"stars": 47803, "gas": 325445, "dark_matter": 373248}
    for component, total in totals.items():
        whole = snapshot.read(component, ["position", "mass"], 0, total)
        assert whole["position"].shape == (total, 3)
        # In pieces that lie across the border between the files.
        pieces = [
            snapshot.read(component, ["position"], low, min(low + 9973, total))["position"]
            for low in range(0, total, 9973)
        ]
        np.testing.assert_array_equal(np.concatenate(pieces), whole["position"])
        raw = 0.0
        for path in snapshot.files[:2]:
            with h5py.File(path) as file:
                kind = {"stars": 4, "gas": 0, "dark_matter": 1}[component]
                part = file[f"PartType{kind}"]
                if "Masses" in part:
                    raw += part["Masses"][()].sum(dtype=float)
                else:
                    raw += len(part["Coordinates"]) * file["Header"].attrs["MassTable"][kind]
        assert whole["mass"].sum(dtype=float) == pytest.approx(raw * 1e10 / 0.6774, rel=1e-6)
    with pytest.raises(InputError, match="do not belong together"):
        snapshot.read("stars", ["mass"], 0, 47804)


def test_gadget4_subhalos_against_their_particles(gadget):
    snapshot = open_snapshot(gadget, 1)
    table = snapshot.subhalos()
    box = snapshot.header.box_size
    straddle = snapshot.particles.files[0].counts[4]
    radius, speed = [], []
    rich = np.flatnonzero(table.count["stars"] >= 300)
    for row in rich:
        sums, mass = np.zeros(3), 0.0
        for name in COMPONENTS:
            low = table.offset[name][row]
            high = low + table.count[name][row]
            part = snapshot.read(name, ["position", "velocity", "mass"], low, high)
            sums += (part["velocity"].astype(float) * part["mass"][:, None]).sum(axis=0)
            mass += part["mass"].sum(dtype=float)
            if name != "stars":
                continue
            assert part["mass"].sum(dtype=float) == pytest.approx(table.stellar_mass[row], rel=1e-5)
            offset = part["position"] - table.position[row]
            offset -= box * np.round(offset / box)
            radius.append(np.median(np.linalg.norm(offset, axis=1)) / table.half_mass_radius[row])
        speed.append(np.abs(sums / mass - table.velocity[row]).max())
    # Equal masses: the median radius is the half-mass radius, physical as the catalogue's.
    np.testing.assert_allclose(radius, 1, atol=0.02)
    assert max(speed) < 0.05
    across = (table.offset["stars"] < straddle) & (
        table.offset["stars"] + table.count["stars"] > straddle
    )
    assert across.sum() <= 1


def test_gadget4_stars_are_younger_than_the_universe(gadget):
    snapshot = open_snapshot(gadget, 1)
    stars = snapshot.read("stars", ["age", "metallicity", "is_star"], 0, 47803)
    assert stars["is_star"].all()
    assert stars["age"].min() >= 0
    assert stars["age"].max() < 3.2
    assert stars["metallicity"].max() < 0.2


def test_cutouts_of_tng_and_eagle(real_data):
    folder = real_data / "snapshots" / "simspin"
    tng = open_snapshot(folder, 78)
    assert tng.family == "cutouts"
    assert tng.subhalos().ids.tolist() == [9]
    assert "1 cutouts of other snapshots are left out (25)" in " ".join(tng.remarks)
    with h5py.File(folder / "SimSpin_example_IllustrisTNG.hdf5") as raw:
        formed = raw["PartType4/GFM_StellarFormationTime"][()]
        x = raw["PartType4/Coordinates"][()]
        v = raw["PartType4/Velocities"][()]
    stars = tng.read("stars", tng.fields("stars"), 0, 2000)
    a = 1 / 1.2977176845
    np.testing.assert_array_equal(stars["is_star"], formed > 0)
    np.testing.assert_allclose(stars["position"], x * a / 0.6774, rtol=1e-8)
    np.testing.assert_allclose(stars["velocity"], v * np.sqrt(a), rtol=1e-5)
    assert np.isnan(stars["age"][formed <= 0]).all()
    eagle = open_snapshot(folder / "SimSpin_example_EAGLE.hdf5", 25)
    assert eagle.subhalos().label(0) == "SimSpin_example_EAGLE"
    stars = eagle.read("stars", eagle.fields("stars"), 0, 2000)
    with h5py.File(folder / "SimSpin_example_EAGLE.hdf5") as raw:
        x, m = raw["PartType4/Coordinates"][()], raw["PartType4/Mass"][()]
        density = raw["PartType0/Density"][()]
        factor = raw["PartType0/Density"].attrs["CGSConversionFactor"][0]
    a, h = 0.7868433, 0.6777
    np.testing.assert_allclose(stars["position"], x * 1000 * a / h, rtol=1e-6)
    np.testing.assert_allclose(stars["mass"], m * 1e10 / h, rtol=1e-5)
    gas = eagle.read("gas", ["density"], 0, 100)
    in_cgs = density * factor * h**2 * a**-3
    np.testing.assert_allclose(
        gas["density"].astype(float) * 1.989e33 / 3.085678e21**3, in_cgs, rtol=1e-5
    )
    with pytest.raises(InputError, match=r"no cutout of snapshot 3; .* snapshot 25, 78"):
        open_snapshot(folder, 3)


def test_galaxy_chop_tables(real_data):
    snapshot = open_snapshot(real_data / "snapshots" / "tng_galaxy_394242", 99)
    assert snapshot.family == "galaxychop"
    table = snapshot.subhalos()
    assert table.label(0) == "394242"
    assert {name: int(n[0]) for name, n in table.count.items()} == {
        "stars": 32067,
        "gas": 4061,
        "dark_matter": 21156,
    }
    assert np.isnan(snapshot.header.redshift)
    assert snapshot.fields("stars") == ("position", "velocity", "mass", "potential")
    stars = snapshot.read("stars", ["mass"], 0, 32067)
    assert stars["mass"].sum(dtype=float) == pytest.approx(3.182e10, rel=1e-3)
    # TNG100-1 has dark matter particles of 7.5e6 solar masses: the masses carry no h.
    dark = snapshot.read("dark_matter", ["mass"], 0, 10)
    np.testing.assert_allclose(dark["mass"], 5.05574e-4 * 1e10 / 0.6774, rtol=1e-4)


def test_a_merger_without_catalogue_is_one_object(real_data):
    folder = real_data / "snapshots" / "gadget4_merger" / "mass_ratio_1to1"
    snapshot = open_snapshot(folder, 11)
    assert snapshot.family == "isolated"
    assert snapshot.header.box_size == 0
    assert not snapshot.header.cosmological
    assert snapshot.header.time == pytest.approx(0.5390625 * 0.978, rel=1e-3)
    stars = snapshot.read("stars", ["age", "metallicity", "mass"], 0, 42877)
    new = np.isfinite(stars["age"])
    # Discs and bulges are of unknown age and metallicity, not from the Big Bang.
    assert new.sum() == 2877
    assert np.isfinite(stars["metallicity"]).sum() == 2877
    assert 0 <= stars["age"][new].min() <= stars["age"][new].max() <= snapshot.header.time
