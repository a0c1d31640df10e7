import json

import numpy as np
import pytest
from astropy.units import Unit
from hypothesis import given
from hypothesis import strategies as st

from morphosphere.artefacts.bundle import FILES, ModelBundle, lonlat, unit_vector
from morphosphere.artefacts.columns import COLUMNS, column
from morphosphere.artefacts.transform import Transform
from morphosphere.errors import InputError


def folder(path, **info):
    path.mkdir()
    for name in FILES:
        (path / name).write_bytes(b"")
    info = {"format": "morphosphere.ModelBundle", "version": 1, **info}
    (path / "model.json").write_text(json.dumps(info))
    Transform(channels=("r",), size=8).write(path / "transform.json")
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path, name):
    (folder(tmp_path / "model") / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: missing; train the model"):
        ModelBundle.load(tmp_path / "model")


@pytest.mark.parametrize("info", [{"version": 2}, {"format": "other"}])
def test_another_version_is_refused(tmp_path, info):
    with pytest.raises(InputError, match="not a ModelBundle of version 1"):
        ModelBundle.load(folder(tmp_path / "model", **info))


def test_a_bundle_knows_its_transform(tmp_path):
    bundle = ModelBundle.load(folder(tmp_path / "model", task="sphere"))
    assert bundle.transform.channels == ("r",)
    assert bundle.info["task"] == "sphere"


@given(st.floats(0, 359.999), st.floats(-89.99, 89.99))
def test_longitude_and_latitude_there_and_back(lon, lat):
    back = lonlat(unit_vector(lon, lat))
    assert abs((back[0] - lon + 180) % 360 - 180) < 1e-8
    assert abs(back[1] - lat) < 1e-9


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ([1, 0, 0], (0, 0)),
        ([0, 1, 0], (90, 0)),
        ([0, -2, 0], (270, 0)),
        ([0, 0, 1], (0, 90)),
        ([0, 0, -3], (0, -90)),
    ],
)
def test_axes(position, expected):
    np.testing.assert_allclose(lonlat(np.array(position)), expected, atol=1e-12)


def test_columns_are_described():
    assert all(c.description for c in COLUMNS.values())
    assert column("stellar_mass").unit == "solMass"
    assert column("what is this").description == ""


def test_units_are_those_of_the_virtual_observatory():
    for about in COLUMNS.values():
        Unit(about.unit, format="vounit")
