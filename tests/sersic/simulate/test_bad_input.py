"""What the simulation says of settings and files that it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from astropy.io import fits
from astropy.table import Table

from factories_sersic_simulated import SETTINGS, Simulate, words
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.base import check
from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.errors import ConfigError
from morphosphere.sersic.psfs.__main__ import main as psfs
from morphosphere.sersic.simulate.__main__ import main

ROWS = pandas.DataFrame(
    {
        "magnitude": [20.0, 21.0, 22.0],
        "radius": [0.3, 0.5, 0.9],
        "sersic_index": [1.0, 2.0, 4.0],
        "axis_ratio": [0.3, 0.6, 0.9],
        "name": ["a", "b", "c"],
    }
)


def write(path: Path, rows: pandas.DataFrame) -> Path:
    if path.suffix == ".csv":
        rows.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        rows.to_parquet(path)
    else:
        Table.from_pandas(rows).write(path)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"magnitude": [23, 18]}, "magnitude: the first number must not be above the second"),
        ({"radius": [0, 1]}, "radius: both numbers must be above 0"),
        ({"sersic_index": [0.5, 9]}, "sersic_index must be within 0.3 and 6.2"),
        ({"axis_ratio": [0.5, 1.2]}, "axis_ratio must be within 0.05 and 1"),
        ({"bulge_to_total": [-0.1, 1]}, "bulge_to_total must be within 0 and 1"),
        ({"stamp_size": [97, 128]}, "stamp_size must be even"),
        ({"stamp_size": [128, 96]}, "stamp_size must be two rising numbers"),
        ({"size": 127}, "size: input should be a multiple of 2"),
        ({"pixel_size": 0}, "pixel_size: input should be greater than 0"),
        ({"sky": 0, "read_noise": 0}, "images need some noise"),
        ({"number": 3, "shards": 4}, "more shards than galaxies"),
        ({"components": 3}, "components: input should be 1 or 2"),
        ({"zero_point": "unknown"}, "zero_point: input should be a valid number"),
        ({"psf": {"kind": "file"}}, "kind: file and the name of a file go together"),
        ({"psf": {"file": "psf.fits"}}, "kind: file and the name of a file go together"),
        ({"psf": {"beta": [1.0, 2.0]}}, "beta must be above 1.1"),
        ({"psf": {"fwhm": [0.2, 0.1]}}, "the first number must not be above the second"),
        ({"components": 2, "real": {"catalog": "a.fits"}}, "labels of one component"),
        ({"magnitud": [18, 23]}, "magnitud: unknown key"),
    ],
)
def test_settings_that_cannot_be(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(SimulateSettings, changes, source="test")
    assert said in str(error.value)


@pytest.mark.parametrize("kind", ["csv", "fits", "parquet"])
def test_parameters_are_rows_of_a_table(simulate: Simulate, tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"rows.{kind}", ROWS)
    seen, _ = simulate(table=str(path), number=40, shards=1)
    with ImageSet(seen) as images:
        table = images.table()
    for magnitude, rows in zip(table["magnitude"], np.arange(40)):
        row = ROWS[ROWS["magnitude"] == magnitude].iloc[0]
        for name in ("radius", "sersic_index", "axis_ratio"):
            assert table[name][rows] == row[name]
    assert len(set(table["magnitude"])) == 3
    assert np.ptp(table["position_angle"]) > 90  # not in the table, so it is drawn


def test_the_angle_is_that_of_the_table(simulate: Simulate, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ROWS.assign(position_angle=33.0))
    with ImageSet(simulate(table=str(path))[0]) as images:
        assert (images.column("position_angle") == 33.0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="radius"), "no column radius; it has magnitude, sersic_index"),
        (lambda t: t.iloc[:0], "has no rows"),
        (lambda t: t.assign(radius=[0.3, np.nan, 0.5]), "radius is nan in row 1"),
        (lambda t: t.assign(axis_ratio=[0.3, 0.5, 1.4]), "axis_ratio is 1.4 in row 2"),
        (lambda t: t.assign(sersic_index=[9.0, 1, 7]), "wrong in 2 of 3 rows; it must be from 0.3"),
        (lambda t: t.assign(magnitude=["x", "y", "z"]), "magnitude holds something else than"),
    ],
)
def test_tables_that_cannot_be_used(
    library: Path, tmp_path: Path, capfd: pytest.CaptureFixture, change, said: str
) -> None:
    path = write(tmp_path / "rows.csv", change(ROWS))
    assert main(words(tmp_path, library, table=str(path))) == 1
    error = capfd.readouterr().err
    assert f"error: {path}: " in error
    assert said in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rows.csv"]


@pytest.mark.parametrize("name", ["nowhere.csv", "broken.fits", "broken.parquet", "rows.txt"])
def test_files_that_are_no_tables(
    library: Path, tmp_path: Path, capfd: pytest.CaptureFixture, name: str
) -> None:
    if name != "nowhere.csv":
        (tmp_path / name).write_text("nothing\n")
    assert main(words(tmp_path, library, table=str(tmp_path / name))) == 1
    assert f"{tmp_path / name}: " in capfd.readouterr().err


def test_a_library_for_other_pixels_is_an_error(
    library: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    assert main(words(tmp_path, library, pixel_size=0.05)) == 1
    assert "made for pixels of 0.06 arcsec, but pixel_size is 0.05" in capfd.readouterr().err
    assert main(words(tmp_path, tmp_path / "nowhere.h5")) == 1
    assert "nowhere.h5: cannot be read as point-spread functions" in capfd.readouterr().err


def test_no_such_shard(library: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    assert main(words(tmp_path, library, 2)) == 1
    assert "--shard 2: there are shards 0 to 1" in capfd.readouterr().err


def library_of(folder: Path, **changes: object) -> int:
    settings = {**SETTINGS, "psf": changes}
    return psfs(["--settings", json.dumps(settings), "--output", str(folder / "psf.h5")])


def test_the_sampling_of_a_file_must_be_known(
    library: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    from morphosphere.structure.psf import PSFSet

    known = PSFSet.read(library)
    path = tmp_path / "psf.fits"
    fits.PrimaryHDU(known.images[:2]).writeto(path)
    assert library_of(tmp_path, kind="file", file=str(path)) == 1
    assert f"{path}: its sampling is unknown" in capfd.readouterr().err
    assert not (tmp_path / "psf.h5").exists()
    assert library_of(tmp_path, kind="file", file=str(path), scale=known.scale) == 0
    found = PSFSet.read(tmp_path / "psf.h5")
    assert len(found) == 2
    assert found.fwhm(1) == pytest.approx(known.fwhm(1), rel=0.01)
    # told to be twice as coarse, it is twice as wide: the sampling counts
    assert library_of(tmp_path, kind="file", file=str(path), scale=2 * known.scale) == 0
    twice = PSFSet.read(tmp_path / "psf.h5")
    assert twice.scale == found.scale
    assert twice.fwhm(1) == pytest.approx(2 * known.fwhm(1), rel=0.01)


def test_airy_profiles_have_the_width_that_is_asked_for(tmp_path: Path) -> None:
    from morphosphere.structure.psf import PSFSet

    width = [0.1, 0.1]
    assert library_of(tmp_path, kind="airy", fwhm=width, obscuration=0.33, number=2) == 0
    found = PSFSet.read(tmp_path / "psf.h5")
    assert [found.fwhm(0), found.fwhm(1)] == pytest.approx(width, rel=0.03)


def test_real_galaxies_have_the_labels_of_their_fits(
    simulate: Simulate, real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "cosmos"
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    # the images of one catalogue with the fits of another, whose images are not there
    fitted = Table.read(folder / "real_galaxy_catalog_23.5_example_fits.fits")
    with fits.open(folder / "real_galaxy_catalog_26_extension_example.fits") as catalogue:
        fitted["IDENT"] = catalogue[1].data["IDENT"]
        catalogue.writeto(tmp_path / "mixed.fits")
    fitted.write(tmp_path / "mixed_fits.fits")
    real = {"catalog": str(tmp_path / "mixed.fits"), "fraction": 0.5}
    seen, clean = simulate(real=real, number=24, shards=1)
    _, drawn = simulate(folder="drawn", number=24, shards=1)
    with ImageSet(clean) as images, ImageSet(drawn) as others:
        differs = (images.images[:] != others.images[:]).any(axis=(1, 2, 3))
        table = images.table()
        assert np.isfinite(images.images[:]).all()
    assert 0 < differs.sum() < 24
    index = np.asarray(fitted["sersicfit"])[:, 2]
    assert np.isin(table["sersic_index"][differs], index).all()
    assert not np.isin(table["sersic_index"][~differs], index).any()
    assert seen.exists()


def test_real_galaxies_without_fits_are_an_error(
    library: Path, real_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    folder = real_data / "cosmos"
    for name, said in (
        ("real_galaxy_catalog_26_extension_example.fits", "no column sersicfit"),
        ("real_galaxy_catalog_23.5_example.fits", "cannot be read"),
    ):
        real = {"catalog": str(folder / name), "fraction": 1.0}
        assert main(words(tmp_path, library, real=real)) == 1
        assert said in capfd.readouterr().err
