"""Galaxies of any size come back from a GalaxySet as they went in."""

from __future__ import annotations

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySet, GalaxySetWriter


def test_galaxies_larger_and_smaller_than_a_chunk(tmp_path):
    rng = np.random.default_rng(1)
    sizes = [40_000, 70_000, 0, 200_000, 1, 21_072]
    stars = [
        {"position": rng.random((n, 3), dtype=np.float32), "mass": rng.random(n, dtype=np.float32)}
        for n in sizes
    ]
    with GalaxySetWriter(tmp_path / "0.h5", {}) as writer:
        for i, fields in enumerate(stars):
            gas = {"gas": {"position": np.ones((3, 3))}} if i in (1, 4) else {}
            writer.add(Galaxy({"galaxy_id": f"g{i}"}, {"stars": fields, **gas}))
    with GalaxySet(tmp_path / "0.h5") as galaxies:
        assert galaxies.count("stars").tolist() == sizes
        assert galaxies.count("gas").tolist() == [0, 3, 0, 0, 3, 0]
        for galaxy, fields in zip(galaxies, stars):
            for name, values in fields.items():
                np.testing.assert_array_equal(galaxy.components["stars"][name], values)
