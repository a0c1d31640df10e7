"""Damaged, incomplete and contradictory snapshots: one clear error that names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from factories_arepo import Object, write_arepo
from morphosphere.errors import InputError
from morphosphere.snapshots.families import open_snapshot
from morphosphere.snapshots.tng import subhalo_offsets


@pytest.fixture
def box(tmp_path: Path) -> Path:
    write_arepo(tmp_path / "box", [[Object(), Object((1, 2, 3), stars=10)], [Object()]], files=3)
    return tmp_path / "box"


def snap(box: Path, index: int) -> Path:
    return box / "snapdir_007" / f"snap_007.{index}.hdf5"


def table(box: Path, index: int) -> Path:
    return box / "groups_007" / f"fof_subhalo_tab_007.{index}.hdf5"


def use(box: Path, family: str = "auto") -> None:
    """Open and read everything."""
    snapshot = open_snapshot(box, 7, family)
    subhalos = snapshot.subhalos()
    for name in ("stars", "gas", "dark_matter"):
        fields = snapshot.fields(name)
        stop = int((subhalos.offset[name] + subhalos.count[name]).max())
        snapshot.read(name, fields, 0, stop)


def test_a_sound_box_can_be_used(box):
    use(box)


def test_a_missing_snapshot_file(box):
    snap(box, 1).unlink()
    with pytest.raises(InputError, match=r"snap_007\.1\.hdf5: missing; .* there are 3 files"):
        use(box)


def test_a_missing_catalogue_file(box):
    table(box, 2).unlink()
    with pytest.raises(InputError, match=r"fof_subhalo_tab_007\.2\.hdf5: missing"):
        use(box)


def test_a_truncated_file(box):
    whole = snap(box, 2).read_bytes()
    snap(box, 2).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"snap_007\.2\.hdf5: truncated"):
        use(box)


def test_a_file_that_is_not_hdf5(box):
    table(box, 0).write_text("not HDF5")
    with pytest.raises(InputError, match=r"fof_subhalo_tab_007\.0\.hdf5: cannot be read as HDF5"):
        use(box)


def test_an_empty_file(box):
    snap(box, 0).write_bytes(b"")
    with pytest.raises(InputError, match=r"snap_007\.0\.hdf5: "):
        use(box)


def test_header_and_datasets_disagree(box):
    with h5py.File(snap(box, 1), "r+") as file:
        counts = file["Header"].attrs["NumPart_ThisFile"]
        counts[4] += 1
        file["Header"].attrs["NumPart_ThisFile"] = counts
    with pytest.raises(InputError, match=r"snap_007\.1\.hdf5: the header says .* PartType4"):
        use(box)


def test_a_dataset_is_shorter_than_the_coordinates(box):
    with h5py.File(snap(box, 1), "r+") as file:
        short = file["PartType4/Masses"][:-3]
        del file["PartType4/Masses"]
        file["PartType4/Masses"] = short
    with pytest.raises(InputError, match=r"snap_007\.1\.hdf5: PartType4/Masses: has \d+ rows"):
        use(box)


def test_the_total_disagrees_with_the_files(box):
    for index in range(3):
        with h5py.File(snap(box, index), "r+") as file:
            total = file["Header"].attrs["NumPart_Total_HighWord"]
            total[0] = 1
            file["Header"].attrs["NumPart_Total_HighWord"] = total
    with pytest.raises(InputError, match=r"headers say 4294967\d+ in total"):
        use(box)


def test_the_catalogue_is_of_another_time(box):
    with h5py.File(table(box, 0), "r+") as file:
        file["Header"].attrs["Time"] = 0.9
    with pytest.raises(InputError, match="they do not belong together"):
        use(box)


def test_the_catalogue_is_of_a_larger_snapshot(box):
    for index in range(3):
        with h5py.File(table(box, index), "r+") as file:
            if "Group" in file:
                file["Group/GroupLenType"][:] += 10_000
            if "Subhalo" in file:
                file["Subhalo/SubhaloLenType"][:] += 1000
    with pytest.raises(InputError, match="catalogue and snapshot do not belong together"):
        use(box)


def test_subhalos_larger_than_their_group(box):
    with h5py.File(table(box, 1), "r+") as file:
        file["Subhalo/SubhaloLenType"][:] += 1000
    with pytest.raises(InputError, match="more particles in subhalos than its GroupLenType"):
        use(box)


def test_a_catalogue_column_is_missing_or_short(box):
    with h5py.File(table(box, 1), "r+") as file:
        del file["Subhalo/SubhaloPos"]
    with pytest.raises(InputError, match=r"tab_007\.1\.hdf5: has no Subhalo/SubhaloPos"):
        use(box)


@pytest.mark.parametrize("name", ["Coordinates", "Velocities", "Masses"])
def test_a_needed_dataset_is_missing(box, name):
    for index in range(3):
        with h5py.File(snap(box, index), "r+") as file:
            del file[f"PartType4/{name}"]
    with pytest.raises(InputError, match=rf"PartType4 has no {name}"):
        use(box)


def test_an_optional_dataset_is_missing(box):
    for index in range(3):
        with h5py.File(snap(box, index), "r+") as file:
            del file["PartType4/GFM_Metallicity"]
    assert "metallicity" not in open_snapshot(box, 7).fields("stars")
    use(box)


def test_a_unit_that_cannot_be_one(box):
    with h5py.File(snap(box, 0), "r+") as file:
        file["PartType4/Velocities"].attrs.update(to_cgs=np.nan, a_scaling=0.5, h_scaling=0.0)
    with pytest.raises(InputError, match=r"snap_007\.0\.hdf5: PartType4/Velocities: unknown unit"):
        use(box)


def test_header_units_that_cannot_be_units(box):
    with h5py.File(snap(box, 0), "r+") as file:
        file["Header"].attrs["UnitMass_in_g"] = 0.0
    with pytest.raises(InputError, match=r"snap_007\.0\.hdf5: unknown units"):
        use(box)


def test_units_that_the_files_do_not_state_are_said(box):
    for index in range(3):
        with h5py.File(snap(box, index), "r+") as file:
            for name in ("UnitLength_in_cm", "UnitMass_in_g", "UnitVelocity_in_cm_per_s"):
                del file["Header"].attrs[name]
    assert "does not say its units" in open_snapshot(box, 7).remarks[0]


def test_units_of_megaparsecs_in_the_header(box):
    before = open_snapshot(box, 7)
    old = before.read("stars", ["position"], 0, 100)["position"]
    before.close()
    for index in range(3):
        with h5py.File(snap(box, index), "r+") as file:
            file["Header"].attrs["UnitLength_in_cm"] = 3.085678e24
            file["Header"].attrs["BoxSize"] /= 1000
            for kind in (0, 1, 4):
                file[f"PartType{kind}/Coordinates"][:] /= 1000
    after = open_snapshot(box, 7)
    assert after.header.box_size == pytest.approx(before.header.box_size)
    new = after.read("stars", ["position"], 0, 100)["position"]
    np.testing.assert_allclose(new, old, rtol=1e-5)


def test_no_catalogue(box):
    shutil.rmtree(box / "groups_007")
    with pytest.raises(InputError, match=r"has no group catalogue .* set family to isolated"):
        use(box)
    assert len(open_snapshot(box, 7, "isolated").subhalos()) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_snapshot(tmp_path / "nowhere", 7)
    with pytest.raises(InputError, match=r"no snapshot 7 there; looked for snapdir_007"):
        open_snapshot(tmp_path, 7)


def test_another_number_than_there_is(box):
    with pytest.raises(InputError, match=r"no snapshot 70 there"):
        open_snapshot(box, 70)


def test_a_file_of_no_known_family(tmp_path):
    with h5py.File(tmp_path / "snap_007.hdf5", "w") as file:
        file.create_group("Header").attrs["BoxSize"] = 1.0
    with pytest.raises(InputError, match="no family of files fits; set family to one of tng"):
        open_snapshot(tmp_path, 7)


def test_a_single_file_snapshot_beside_its_catalogue(tmp_path):
    things = write_arepo(tmp_path / "box", [[Object()]], files=1)
    shutil.move(tmp_path / "box/snapdir_007/snap_007.0.hdf5", tmp_path / "snap_007.hdf5")
    shutil.move(
        tmp_path / "box/groups_007/fof_subhalo_tab_007.0.hdf5",
        tmp_path / "fof_subhalo_tab_007.hdf5",
    )
    for path in (tmp_path, tmp_path / "snap_007.hdf5"):
        snapshot = open_snapshot(path, 7)
        assert snapshot.family == "tng"
        assert snapshot.subhalos().count["stars"].tolist() == [things[0].stars]


def test_offsets_add_up_in_the_order_of_the_groups():
    length = np.array([[5] * 6, [2] * 6, [7] * 6, [1] * 6])
    group = np.array([0, 0, 2, 2])
    group_length = np.array([[10] * 6, [4] * 6, [9] * 6])
    offset = subhalo_offsets(length, group, group_length, Path("groups"))
    assert offset[:, 0].tolist() == [0, 5, 14, 21]


def test_offsets_beyond_32_bits():
    length = np.full((2, 6), 2_000_000_000)
    group_length = np.full((2, 6), 3_000_000_000)
    offset = subhalo_offsets(length, np.array([0, 1]), group_length, Path("groups"))
    assert offset[1, 0] == 3_000_000_000
