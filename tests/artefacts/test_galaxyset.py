import numpy as np
import pytest

from morphosphere.artefacts.galaxyset import FIELDS, Galaxy, GalaxySet, GalaxySetWriter
from morphosphere.errors import InputError


def galaxy(number, stars=5, gas=0):
    random = np.random.default_rng(number)
    components = {
        name: {"position": random.normal(size=(n, 3)), "mass": random.random(n)}
        for name, n in (("stars", stars), ("gas", gas))
        if n
    }
    frame = np.linalg.qr(random.normal(size=(3, 3)))[0]
    properties = {"galaxy_id": f"box_99_{number}", "stellar_mass": 1e9 * number, "n": number}
    return Galaxy(properties, components, frame)


def write(path, galaxies, **attributes):
    with GalaxySetWriter(path, attributes) as out:
        for each in galaxies:
            out.add(each)
    return path


def test_galaxies_come_back_one_by_one(tmp_path):
    written = [galaxy(0, 5, 3), galaxy(1, 1), galaxy(2, 0, 4), galaxy(3, 100_000)]
    with GalaxySet(write(tmp_path / "a.h5", written, redshift=0.5)) as galaxies:
        assert len(galaxies) == 4
        assert galaxies.attributes["redshift"] == 0.5
        assert galaxies.count("stars").tolist() == [5, 1, 0, 100_000]
        assert galaxies.count("dark_matter").tolist() == [0, 0, 0, 0]
        for before, after in zip(written, galaxies):
            assert after.properties == before.properties
            np.testing.assert_array_equal(after.frame, before.frame)
            for name, fields in after.components.items():
                for key, values in fields.items():
                    empty = np.empty((0, *values.shape[1:]))
                    expected = before.components.get(name, {}).get(key, empty)
                    np.testing.assert_allclose(values, expected, rtol=1e-6)
        assert set(galaxies.galaxy(0, ("gas",)).components) == {"gas"}
        assert galaxies.properties()["galaxy_id"].tolist()[2] == "box_99_2"


def test_units_are_written(tmp_path):
    with GalaxySet(write(tmp_path / "a.h5", [galaxy(1)])) as galaxies:
        assert galaxies._file["stars/position"].attrs["unit"] == FIELDS["position"] == "kpc"
        assert galaxies._file["galaxies/stellar_mass"].attrs["unit"] == "solMass"


def test_a_shard_without_galaxies(tmp_path):
    with GalaxySet(write(tmp_path / "a.h5", [])) as galaxies:
        assert len(galaxies) == 0
        assert list(galaxies) == []
        assert galaxies.properties() == {}


def test_galaxies_of_one_set_have_the_same_properties(tmp_path):
    other = Galaxy({"galaxy_id": "x"}, {})
    with pytest.raises(ValueError, match="same properties"):
        write(tmp_path / "a.h5", [galaxy(0), other])
    assert list(tmp_path.iterdir()) == []


def test_fields_of_a_component_are_equally_long(tmp_path):
    wrong = Galaxy({"galaxy_id": "x"}, {"stars": {"position": np.ones((3, 3)), "mass": np.ones(2)}})
    with pytest.raises(ValueError, match="stars/mass: 2 rows, position has 3"):
        write(tmp_path / "a.h5", [wrong])


def test_files_that_are_no_galaxysets(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a GalaxySet"):
        GalaxySet(tmp_path / "missing.h5")
    whole = write(tmp_path / "a.h5", [galaxy(0, 10_000)]).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.h5: cannot be read"):
        GalaxySet(tmp_path / "cut.h5")


def test_an_imageset_is_no_galaxyset(tmp_path):
    from factories_images import make_imageset

    with pytest.raises(InputError, match="not a GalaxySet; run the extract stage"):
        GalaxySet(make_imageset(tmp_path / "a.h5", 1, size=8))
