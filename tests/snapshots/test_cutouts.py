"""Folders of single-galaxy cutouts."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from factories_arepo import KPC, Object, write_cutout  # isort: skip
from morphosphere.errors import InputError
from morphosphere.snapshots.families import open_snapshot


def test_each_file_is_a_subhalo_with_the_number_in_its_name(tmp_path):
    write_cutout(tmp_path / "cutout_12.hdf5", Object(stars=120, gas=0))
    write_cutout(tmp_path / "cutout_7.hdf5", Object(stars=90))
    snapshot = open_snapshot(tmp_path, 99)
    table = snapshot.subhalos()
    assert table.ids.tolist() == [7, 12]
    assert table.count["stars"].tolist() == [90, 120]
    assert table.offset["stars"].tolist() == [0, 90]
    assert table.count["gas"].tolist() == [50, 0]
    second = snapshot.read("stars", ["position"], 90, 210)["position"]
    assert np.linalg.norm(second - 500 * KPC, axis=1).max() < 10 * KPC * 1.01


def test_files_may_differ_in_what_they_have(tmp_path):
    write_cutout(tmp_path / "cutout_1.hdf5", Object(stars=10))
    write_cutout(tmp_path / "cutout_2.hdf5", Object(stars=20))
    with h5py.File(tmp_path / "cutout_2.hdf5", "r+") as out:
        del out["PartType4/GFM_Metallicity"]
    stars = open_snapshot(tmp_path, 1).read("stars", ["metallicity"], 0, 30)
    np.testing.assert_allclose(stars["metallicity"][:10], 0.02)
    assert np.isnan(stars["metallicity"][10:]).all()


def test_the_same_subhalo_twice(tmp_path):
    write_cutout(tmp_path / "cutout_1.hdf5", Object())
    write_cutout(tmp_path / "cutout_01.hdf5", Object())
    with pytest.raises(InputError, match="the same subhalo 1 as"):
        open_snapshot(tmp_path, 1)


def test_different_redshifts_in_one_folder(tmp_path):
    write_cutout(tmp_path / "cutout_1.hdf5", Object())
    write_cutout(tmp_path / "cutout_2.hdf5", Object())
    with h5py.File(tmp_path / "cutout_2.hdf5", "r+") as out:
        out["Header"].attrs.update(Redshift=0.0, Time=1.0)
    with pytest.raises(InputError, match=r"cutout_2\.hdf5: redshift 0, but"):
        open_snapshot(tmp_path, 1)


def test_coordinates_are_missing(tmp_path):
    write_cutout(tmp_path / "cutout_1.hdf5", Object())
    with h5py.File(tmp_path / "cutout_1.hdf5", "r+") as out:
        del out["PartType0/Coordinates"]
    with pytest.raises(InputError, match=r"cutout_1\.hdf5: PartType0 has no Coordinates"):
        open_snapshot(tmp_path, 1)
