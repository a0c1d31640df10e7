"""The catalogue of structural parameters: what it holds, its forms, bad input."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.io.votable.ucd import parse_ucd

from factories_sersic_stamps import (
    galaxy_values,
    light_of,
    observed,
    write_sersic_stub,
    write_stamps,
)
from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.sersic.catalogue.__main__ import main
from morphosphere.sersic.predict.__main__ import main as predict
from morphosphere.structure.intervals import interval_columns
from morphosphere.structure.parameters import Space

COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of a dozen galaxies with places on the sky, of which the last shows nothing."""
    root = tmp_path_factory.mktemp("sersic_catalogue")
    random = np.random.default_rng(4)
    truth = [galaxy_values(random, magnitude=20.0, radius=0.4) for _ in range(COUNT)]
    images = [observed(light_of(values), random) for values in truth]
    images[-1] = random.normal(0, 0.0077, images[-1].shape)
    ra, dec = random.uniform(-1, 1, COUNT), random.uniform(-1, 1, COUNT)
    ra[3] = np.nan
    write_stamps(
        root / "images.h5", images, truth, ra=ra, dec=dec, **{"red-shift": np.arange(COUNT) / 10}
    )
    write_sersic_stub(root / "model")
    assert _predict(root, root / "images.h5", root / "predictions.parquet") == 0
    return root


def _predict(root: Path, images: Path, output: Path) -> int:
    return predict([*map(str, ["--images", images, "--model", root / "model", "--output", output])])


def _run(folder: Path, output: Path, *, predictions: Path | None = None, **settings) -> int:
    given = ["--predictions", predictions or folder / "predictions.parquet", "--output", output]
    return main([*map(str, given), "--settings", json.dumps(settings)])


@pytest.fixture(scope="module")
def output(folder: Path) -> Path:
    output = folder / "catalogue"
    assert _run(folder, output, columns=["red-shift", "magnitude"]) == 0
    return output


def test_it_holds_what_was_predicted(folder: Path, output: Path) -> None:
    source, found = (
        Catalogue(folder / "predictions.parquet"),
        Catalogue(output / "catalogue.parquet"),
    )
    names = [*interval_columns(Space(1)), "flags", "sound", "covariance", "galaxy_id", "magnitude"]
    wanted, table = source.read([*names, "image_id", "ra"]), found.read(found.columns)
    for name in names:
        np.testing.assert_array_equal(table[name], wanted[name])
    np.testing.assert_array_equal(table["id"], wanted["image_id"])
    np.testing.assert_allclose(table["ra"], wanted["ra"] % 360)
    assert (table["ra"] > 359).any()
    np.testing.assert_allclose(table["red_shift"], np.arange(COUNT) / 10)
    assert "latent" not in table
    assert "sky_noise" not in table
    assert not table["sound"][-1]
    assert np.isnan(table["radius_median"][-1])
    assert found.metadata["band"] == "F814W"
    assert found.metadata["title"] == "Structural parameters"


def test_columns_have_units_and_ucds(output: Path) -> None:
    found = Catalogue(output / "catalogue.parquet")
    wanted = {
        "magnitude_median": ("mag", "phot.mag;stat.median"),
        "radius_low68": ("arcsec", "phys.angSize.smajAxis;stat.min"),
        "position_angle_std": ("deg", "stat.stdev;pos.posAng"),
        "ra": ("deg", "pos.eq.ra;meta.main"),
        "sersic_index_high95": (None, "src.morph.param;stat.max"),
    }
    for name, (unit, ucd) in wanted.items():
        assert (found.about(name).get("unit"), found.about(name)["ucd"]) == (unit, ucd)
    for name in found.columns:
        if ucd := found.about(name).get("ucd"):
            parse_ucd(ucd, check_controlled_vocabulary=True)


def test_all_forms_hold_the_same(output: Path) -> None:
    found = Catalogue(output / "catalogue.parquet")
    names = [name for name in found.columns if name != "covariance"]
    table = found.read(names)
    votable = parse_single_table(output / "catalogue.vot", verify="exception")
    with fits.open(output / "catalogue.fits") as file:
        assert file[1].header["BAND"] == "F814W"
        assert file[1].header["RADESYS"] == "ICRS"
        assert file[1].columns.names == names
        for name in names:
            for data in (file[1].data[name], votable.array[name].data):
                if table[name].dtype == object:
                    assert [str(x) for x in data] == list(table[name])
                else:
                    np.testing.assert_array_equal(np.asarray(data), table[name])


@pytest.mark.stilts
def test_votlint_finds_nothing_to_complain_of(output: Path) -> None:
    command = ["stilts", "-Djava.awt.headless=true", "votlint", "ucd=true", "unit=true"]
    said = subprocess.run(
        [*command, str(output / "catalogue.vot")], capture_output=True, text=True, check=True
    )
    assert said.stdout + said.stderr == ""


def test_flagged_galaxies_can_be_left_out_and_forms_too(folder: Path, tmp_path: Path) -> None:
    assert _run(folder, tmp_path, formats=["fits"]) == 0
    assert (tmp_path / "catalogue.fits").exists()
    assert _run(folder, tmp_path, flagged=False, formats=["votable"]) == 0
    found = Catalogue(tmp_path / "catalogue.parquet").read(["sound", "id"])
    assert found["sound"].all()
    assert 0 < len(found["id"]) < COUNT
    assert not (tmp_path / "catalogue.fits").exists()


def test_without_positions_there_is_no_frame(folder: Path, tmp_path: Path) -> None:
    assert _run(folder, tmp_path, ra="nowhere") == 0
    assert "ra" not in Catalogue(tmp_path / "catalogue.parquet").columns
    assert "COOSYS" not in (tmp_path / "catalogue.vot").read_text()
    assert "RADESYS" not in fits.getheader(tmp_path / "catalogue.fits", 1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": ["redshift"]}, "no column 'redshift'; did you mean red-shift"),
        ({"columns": ["flags"]}, "'flags' is in the catalogue anyway"),
        ({"columns": ["image_id"]}, "'image_id' is in the catalogue anyway"),
        ({"formats": ["fits", "fits"]}, "name each of them once"),
        ({"form": "fits"}, "form: unknown key"),
    ],
)
def test_mistakes_in_settings_are_told(folder, tmp_path, capfd, settings, said) -> None:
    assert _run(folder, tmp_path, **settings) == 1
    assert said in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_other_tables_are_an_error(folder: Path, tmp_path: Path, capfd) -> None:
    with CatalogueWriter(tmp_path / "map.parquet") as out:
        out.append({"image_id": np.array(["a"], dtype=object), "lon": np.zeros(1)})
    assert _run(folder, tmp_path / "c", predictions=tmp_path / "map.parquet") == 1
    assert "no structural parameters; give what sersic.predict wrote" in capfd.readouterr().err


def test_an_empty_catalogue_is_not_written(folder: Path, tmp_path: Path, capfd) -> None:
    random = np.random.default_rng(1)
    write_stamps(tmp_path / "images.h5", [random.normal(0, 0.0077, (128, 128)) for _ in range(2)])
    assert _predict(folder, tmp_path / "images.h5", tmp_path / "p.parquet") == 0
    output = tmp_path / "catalogue"
    assert _run(folder, output, predictions=tmp_path / "p.parquet", flagged=False) == 1
    assert "no galaxy is sound" in capfd.readouterr().err
    assert not (output / "catalogue.parquet").exists()
