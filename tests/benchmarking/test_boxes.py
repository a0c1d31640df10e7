"""Boxes that hold another several times over."""

from __future__ import annotations

import h5py
import numpy as np
from benchmarks.boxes import enlarge, write_offsets

from morphosphere.config.mock import MockSettings
from morphosphere.snapshots.families import open_snapshot
from morphosphere.snapshots.mock.box import write_box
from morphosphere.snapshots.mock.plan import plan_box


def test_each_copy_has_the_galaxies_of_the_box_and_the_peer_finds_them(tmp_path):
    settings = MockSettings(galaxies=4, files=2, stars_range=(30, 60))
    write_box(plan_box(settings, 1), tmp_path / "one", show=False)
    enlarge(tmp_path / "one", tmp_path / "many/output", 3)
    write_offsets(tmp_path / "many/output")
    one = open_snapshot(tmp_path / "one", 99)
    many = open_snapshot(tmp_path / "many/output", 99)
    once, thrice = one.subhalos(), many.subhalos()
    assert len(thrice) == 3 * len(once)
    assert many.header.box_size == one.header.box_size
    for row in range(len(thrice)):
        same = row % len(once)
        for component in ("stars", "gas"):
            ranges = [
                (s.offset[component][i], s.offset[component][i] + s.count[component][i])
                for s, i in ((once, same), (thrice, row))
            ]
            fields = ("position", "mass")
            expected = one.read(component, fields, *ranges[0])
            found = many.read(component, fields, *ranges[1])
            for name in fields:
                np.testing.assert_array_equal(found[name], expected[name])
    with h5py.File(tmp_path / "many/postprocessing/offsets/offsets_099.hdf5") as file:
        first = file["Subhalo/SnapByType"][()]
        files = file["FileOffsets/SnapByType"][()]
    np.testing.assert_array_equal(first[:, 4], thrice.offset["stars"])
    np.testing.assert_array_equal(first[:, 0], thrice.offset["gas"])
    assert files.shape == (6, 6)
    assert (np.diff(files[:, 4]) > 0).all()
