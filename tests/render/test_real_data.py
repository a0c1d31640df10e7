"""Real simulations through extract and render."""

from __future__ import annotations

import json

import numpy as np
import pytest

from morphosphere.artefacts.galaxyset import GalaxySet
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.extract.__main__ import main as extract
from morphosphere.render.__main__ import main as render

CASES = {
    "gadget4_box": (1, {}),
    "tng_galaxy_394242": (99, {"channels": ["stellar_mass", "velocity"]}),
    "simspin": (78, {"channels": ["i", "r", "g", "age"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_real_galaxies_are_in_the_middle_of_their_pictures(real_data, tmp_path, name):
    snapshot, settings = CASES[name]
    source = ["--input", str(real_data / "snapshots" / name), "--output", str(tmp_path / "sets")]
    few = json.dumps({"shards": 1, "min_stars": 1000})
    assert (
        extract([*source, "--simulation", "real", "--snapshot", str(snapshot), "--settings", few])
        == 0
    )
    galaxies = tmp_path / "sets" / "0.h5"
    settings = {"size": 48, "cameras": {"isotropic": 3}, **settings}
    done = render(
        ["--input", str(galaxies), "--output", str(tmp_path), "--settings", json.dumps(settings)]
    )
    assert done == 0
    with GalaxySet(galaxies) as found, ImageSet(tmp_path / "0.h5") as images:
        assert len(images) == 3 * len(found) > 0
        light = images.read(0, len(images))[:, 0]
        total = light.sum(axis=(1, 2))
        assert (total > 0).all()
        # half of the light is within the middle half of the picture
        assert np.median(light[:, 12:36, 12:36].sum(axis=(1, 2)) / total) > 0.5
        mass = light[0].sum() * images.column("pixel_scale")[0] ** 2
        if name == "tng_galaxy_394242":
            whole = found.galaxy(0).components["stars"]["mass"].sum()
            assert 0.8 * whole < mass <= whole * 1.001
