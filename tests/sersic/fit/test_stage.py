"""The stage: which galaxies it fits, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from factories_sersic_fits import GALAXY, PIXEL, observed, some_galaxies, write_galaxies
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.sersic.fit.__main__ import main
from morphosphere.sersic.fit.work import choose_rows
from morphosphere.structure.facts import PSF_COLUMNS
from morphosphere.structure.parameters import Space
from morphosphere.structure.psf import PSFSet
from ranks import run_ranks

QUICK = {"tools": ["galsim"]}


def words(images: Path, psf: Path, output: Path, **settings: object) -> list[str]:
    return [
        *("--images", str(images), "--psf", str(psf), "--output", str(output)),
        *("--settings", json.dumps({**QUICK, **settings})),
    ]


def read(path: Path) -> dict[str, np.ndarray]:
    table = Catalogue(path)
    return table.read(table.columns)


def test_each_tool_tells_of_each_galaxy(tmp_path: Path):
    galaxies = some_galaxies(3)
    images, psf = write_galaxies(tmp_path, galaxies)
    output = tmp_path / "fits.parquet"
    assert main(words(images, psf, output, tools=["galsim", "statmorph"])) == 0
    found = read(output)
    assert found["tool"].tolist() == ["galsim", "statmorph"] * 3
    truth = np.repeat([g["magnitude"] for g in galaxies], 2)
    assert not found["failed"].any()
    assert set(found["reason"]) == {""}
    assert found["magnitude"] == pytest.approx(truth, abs=0.1)
    assert (found["seconds"] > 0).all()
    ours = found["tool"] == "galsim"
    for name in Space(1).columns:
        assert (found[f"{name}_std"][ours] > 0).all()
        assert np.isnan(found[f"{name}_std"][~ours]).all()
    assert Catalogue(output).about("radius")["unit"] == "arcsec"


def test_what_cannot_be_fitted_does_not_end_the_others(tmp_path: Path):
    pictures = np.stack([observed(GALAXY, k) for k in range(4)])
    pictures[1] = 0.0
    pictures[2, 20:44, 20:44] = np.nan
    images, psf = write_galaxies(
        tmp_path, [GALAXY] * 4, pictures, sky_noise=np.array([0.008, 0.008, 0.008, np.nan])
    )
    output = tmp_path / "fits.parquet"
    assert main(words(images, psf, output)) == 0
    found = read(output)
    assert found["failed"].tolist() == [False, True, True, True]
    assert found["reason"].tolist() == ["", "blank", "masked", "unknown sky_noise"]
    for name in Space(1).columns:
        assert np.isfinite(found[name]).tolist() == [True, False, False, False]


def test_an_unknown_psf_is_a_failure_of_its_galaxy(tmp_path: Path):
    images, psf = write_galaxies(tmp_path, [GALAXY] * 2, psf=np.array([0, 7]))
    output = tmp_path / "fits.parquet"
    assert main(words(images, psf, output)) == 0
    assert read(output)["reason"].tolist() == ["", "unknown psf"]


def test_psfs_of_other_images_are_refused(tmp_path: Path, capfd):
    galaxies = some_galaxies(2)
    images, path = write_galaxies(tmp_path, galaxies)
    told = PSFSet.read(path).encircled(0, PIXEL)
    more = {name: np.full(2, value) for name, value in zip(PSF_COLUMNS, told)}
    images, path = write_galaxies(tmp_path, galaxies, **more)
    output = tmp_path / "fits.parquet"
    assert main(words(images, path, output)) == 0
    images, path = write_galaxies(tmp_path, galaxies, **more, psf=np.array([5, 7]))
    assert main(words(images, path, output)) == 1
    assert "no point-spread function 7" in capfd.readouterr().err
    images, path = write_galaxies(tmp_path, galaxies, **more | {"psf_ee_2": np.full(2, 0.2)})
    assert main(words(images, path, output)) == 1
    assert "is not the one that" in capfd.readouterr().err


def test_ranks_tell_the_same(tmp_path: Path):
    images, psf = write_galaxies(tmp_path, some_galaxies(4))
    alone, shared = tmp_path / "alone.parquet", tmp_path / "shared.parquet"
    assert main(words(images, psf, alone)) == 0
    done = run_ranks(2, ["-m", "morphosphere.sersic.fit", *words(images, psf, shared)])
    assert done.returncode == 0, done.stderr
    one, two = read(alone), read(shared)
    for name in set(one) - {"seconds"}:
        assert np.array_equal(one[name], two[name], equal_nan=one[name].dtype.kind == "f"), name


def test_rows_are_spread_over_magnitude(tmp_path: Path):
    galaxies = [
        {**GALAXY, "magnitude": 18 + 0.1 * k} for k in np.random.default_rng(0).permutation(40)
    ]
    pictures = np.zeros((40, 16, 16))
    images, _ = write_galaxies(tmp_path, galaxies, pictures)
    with ImageSet(images) as opened:
        rows = choose_rows(opened, 5)
        chosen = np.sort(opened.column("magnitude")[rows])
        assert len(choose_rows(opened, None)) == 40
    assert chosen == pytest.approx([18, 19, 19.95, 20.95, 21.9], abs=0.11)


def test_of_real_images_those_for_tests_are_fitted(tmp_path: Path):
    use = np.array(["adapt", "test", "adapt"], dtype=object)
    images, _ = write_galaxies(tmp_path, [GALAXY] * 3, np.zeros((3, 16, 16)), use=use)
    with ImageSet(images) as opened:
        assert choose_rows(opened, None).tolist() == [1]


def test_noise_around_a_stamp_is_not_fitted(tmp_path: Path):
    """A picture that was filled up with something else: its own part alone counts."""
    pictures = np.full((1, 64, 64), 0.2)
    pictures[0, 12:52, 12:52] = observed(GALAXY)[12:52, 12:52]
    images, psf = write_galaxies(tmp_path, [GALAXY], pictures, measured_size=np.array([40]))
    output = tmp_path / "fits.parquet"
    assert main(words(images, psf, output)) == 0
    assert read(output)["magnitude"] == pytest.approx([GALAXY["magnitude"]], abs=0.05)


@pytest.mark.parametrize("name", ["zero_point", "pixel_size", "gain", "psf"])
def test_a_missing_column_is_named(name: str, tmp_path: Path, capfd):
    images, psf = write_galaxies(tmp_path, [GALAXY], **{name: None})
    output = tmp_path / "fits.parquet"
    output.write_text("earlier")
    assert main(words(images, psf, output)) == 1
    assert f"no column {name}" in capfd.readouterr().err
    assert output.read_text() == "earlier"


def test_statmorph_has_no_second_component(tmp_path: Path, capfd):
    galaxy = {**GALAXY, "bulge_radius": 0.1, "bulge_to_total": 0.3}
    images, psf = write_galaxies(tmp_path, [galaxy], components=2)
    assert main(words(images, psf, tmp_path / "f.parquet", tools=["statmorph"])) == 1
    assert "one only; add galsim" in capfd.readouterr().err


def test_settings_that_cannot_be(tmp_path: Path, capfd):
    images, psf = write_galaxies(tmp_path, [GALAXY])
    assert main(words(images, psf, tmp_path / "f.parquet", index=[6, 1])) == 1
    assert main(words(images, psf, tmp_path / "f.parquet", tools=["galsim", "galsim"])) == 1
    said = capfd.readouterr().err
    assert "two rising numbers" in said
    assert "name each tool once" in said
