"""The Catalogue of structural parameters: columns, flags, ranks, bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy import units
from astropy.io.votable.ucd import parse_ucd

from factories_sersic_stamps import NOISE, taken, write_sersic_stub, write_stamps
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.files import digest, read_json
from morphosphere.sersic.predict.__main__ import main
from morphosphere.structure.facts import FACTS, facts_of
from morphosphere.structure.flags import BITS, names_of
from morphosphere.structure.parameters import Space
from ranks import run_ranks

from .conftest import COUNT, Scene

FAULTS = ("blank", "masked", "saturated", "neighbour", "truncated")


def _run(scene: Scene, output: Path, *, images: Path | None = None, **settings: object) -> int:
    words = ["--images", images or scene.images, "--model", scene.model, "--output", output]
    return main([*map(str, words), "--settings", json.dumps(settings)])


@pytest.fixture(scope="module")
def catalogue(scene: Scene) -> Catalogue:
    output = scene.root / "predictions.parquet"
    words = ["--provenance", str(scene.root / "predict.json"), "--settings", '{"chunk": 7}']
    given = ["--images", scene.images, "--model", scene.model, "--output", output]
    assert main([*map(str, given), *words]) == 0
    return Catalogue(output)


@pytest.fixture(scope="module")
def table(catalogue: Catalogue) -> dict[str, np.ndarray]:
    return catalogue.read(catalogue.columns)


def _copy(scene: Scene, folder: Path, column: str, values: object) -> Path:
    """The images with another column, or without it."""
    path = folder / "images.h5"
    shutil.copy(scene.images, path)
    with h5py.File(path, "r+") as file:
        if values is None:
            del file["table"][column]
        else:
            file["table"][column][:] = values
    return path


def test_every_parameter_has_its_intervals(catalogue: Catalogue, table) -> None:
    sound = table["sound"].astype(bool)
    assert sound.sum() >= 0.9 * (COUNT - len(FAULTS))
    for name in Space(1).columns:
        ends = [f"{name}_{end}" for end in ("low95", "low68", "median", "high68", "high95")]
        values = np.stack([table[end][sound] for end in ends])
        assert (np.diff(values, axis=0) >= 0).all()
        assert (table[f"{name}_std"][sound] > 0).all()
    for name, kind in {"flags": np.int32, "magnitude_median": np.float32}.items():
        assert table[name].dtype == kind
    assert table["covariance"].shape == (COUNT, 25)
    assert table["latent"].shape == (COUNT, 5)
    assert catalogue.metadata["latents"].split(", ") == list(Space(1).latents)


def test_the_table_of_the_images_comes_first(scene: Scene, catalogue, table) -> None:
    assert catalogue.columns[0] == "image_id"
    np.testing.assert_allclose(table["magnitude"], [v["magnitude"] for v in scene.truth])
    np.testing.assert_array_equal(table["split"], np.array(SPLITS)[split_of(table["galaxy_id"])])
    close = table["sound"].astype(bool)
    assert np.corrcoef(table["magnitude_median"][close], table["magnitude"][close])[0, 1] > 0.98


def test_columns_have_units_and_words(catalogue: Catalogue) -> None:
    made = catalogue.columns[catalogue.columns.index("magnitude_median") :]
    for name in made:
        about = catalogue.about(name)
        assert about["description"]
        units.Unit(about.get("unit", ""), format="vounit")
        if ucd := about.get("ucd"):
            parse_ucd(ucd, check_controlled_vocabulary=True)
    assert catalogue.about("radius_std")["unit"] == "arcsec"


def test_images_with_faults_are_never_sound(table) -> None:
    for row, fault in zip(range(COUNT - len(FAULTS), COUNT), FAULTS):
        assert fault in names_of(table["flags"][row])
        assert not table["sound"][row]
    assert (table["sound"] == (table["flags"] == 0)).all()


def test_of_blank_images_nothing_is_told(table) -> None:
    row = COUNT - len(FAULTS)
    assert np.isnan(table["magnitude_median"][row])
    assert np.isnan(table["axis_ratio_std"][row])
    assert np.isnan(table["covariance"][row]).all()


def test_the_record_counts_flags(scene: Scene, table) -> None:
    facts = read_json(scene.root / "predict.json")["notes"]
    assert facts["images"] == COUNT
    assert facts["sound"] == table["sound"].sum()
    for name, bit in BITS.items():
        assert facts["flagged"][name] == np.count_nonzero(table["flags"] & bit)


def test_ranks_and_chunks_write_the_same(scene: Scene, catalogue: Catalogue) -> None:
    output = scene.root / "two.parquet"
    words = ["--images", scene.images, "--model", scene.model, "--output", output]
    words += ["--settings", '{"chunk": 7}', "--ranks", 2]
    done = run_ranks(2, ["-m", "morphosphere.sersic.predict", *words])
    assert done.returncode == 0, done.stderr
    assert digest(output) == digest(catalogue.path)


def test_unknown_noise_scale_and_psf_are_flagged(scene: Scene, tmp_path: Path) -> None:
    wanted = {"sky_noise": "no_scale", "zero_point": "no_scale", "psf_ee_2": "no_psf"}
    for name, flag in wanted.items():
        with h5py.File(scene.images) as file:
            values = file["table"][name][:]
        values[[2, 3]] = np.nan
        images = _copy(scene, tmp_path, name, values)
        assert _run(scene, tmp_path / "p.parquet", images=images) == 0
        found = Catalogue(tmp_path / "p.parquet").read(["flags", "sound", "magnitude_median"])
        for row in (2, 3):
            assert flag in names_of(found["flags"][row])
            assert not found["sound"][row]
            assert np.isnan(found["magnitude_median"][row])
        assert np.isfinite(found["magnitude_median"][4])


@pytest.mark.parametrize("column", ["zero_point", "pixel_size", "sky_noise", "psf_ee_4"])
def test_missing_columns_are_an_error(scene: Scene, tmp_path: Path, column: str, capfd) -> None:
    images = _copy(scene, tmp_path, column, None)
    assert _run(scene, tmp_path / "p.parquet", images=images) == 1
    said = capfd.readouterr().err
    assert f"{images}: no column {column};" in said
    assert "zero point, pixel size, noise" in said
    assert not (tmp_path / "p.parquet").exists()


def test_what_is_unlike_training_is_flagged(scene: Scene, tmp_path: Path) -> None:
    """Limits of the model, one after the other, so tight that all images are beyond them."""
    ends = {name: [-1.0, 2.0] for name in Space(1).latents}
    for flag, info in (
        ("unlike", {"domain": {"limit": 0.01}}),
        ("outside_prior", {"prior": {**ends, "instrumental_magnitude": [-30.0, -20.0]}}),
    ):
        model = write_sersic_stub(tmp_path / flag, **info)
        words = ["--images", scene.images, "--model", model, "--output", tmp_path / "p.parquet"]
        assert main([*map(str, words)]) == 0
        found = Catalogue(tmp_path / "p.parquet").read(["flags", "sound"])
        assert not found["sound"].any()
        told = found["flags"] & BITS["blank"] == 0
        assert (found["flags"][told] & BITS[flag] > 0).all()


def test_a_psf_unlike_those_of_training_is_flagged(scene: Scene, tmp_path: Path) -> None:
    facts = facts_of(taken(1), 128)[0]
    ends = {name: [-1.0, 2.0] for name in Space(1).latents}
    ends |= {"instrumental_magnitude": [-14.0, -2.0]}
    ends |= {name: [float(x) - 0.03, float(x) + 0.03] for name, x in zip(FACTS, facts)}
    ends["stamp_share"] = [0.7, 1.0]
    model = write_sersic_stub(tmp_path / "model", prior=ends)
    with h5py.File(scene.images) as file:
        energy = file["table"]["psf_ee_3"][:]
    energy[1] -= 0.2
    images = _copy(scene, tmp_path, "psf_ee_3", energy)
    words = ["--images", images, "--model", model, "--output", tmp_path / "p.parquet"]
    assert main([*map(str, words)]) == 0
    flags = Catalogue(tmp_path / "p.parquet").read(["flags"])["flags"]
    assert names_of(flags[1]) == ["outside_prior"]
    assert not (flags[[0, 2, 3]] & BITS["outside_prior"]).any()


def test_a_level_of_saturation_is_used_where_it_is_told(scene: Scene, tmp_path: Path) -> None:
    with h5py.File(scene.images) as file:
        stamps = file["images"][:6, 0].astype(np.float64)
    level = np.full(6, np.nan)
    level[4] = stamps[4].max() * 0.99
    images = write_stamps(tmp_path / "images.h5", list(stamps), saturation=level)
    assert _run(scene, tmp_path / "p.parquet", images=images) == 0
    flags = Catalogue(tmp_path / "p.parquet").read(["flags"])["flags"]
    assert [bool(f & BITS["saturated"]) for f in flags] == [False] * 4 + [True, False]


def test_images_in_colour_or_as_pictures_are_an_error(scene: Scene, tmp_path: Path, capfd) -> None:
    images = tmp_path / "images.h5"
    shutil.copy(scene.images, images)
    with h5py.File(images, "r+") as file:
        file.attrs["channels"] = ["g", "r"]
    assert _run(scene, tmp_path / "p.parquet", images=images) == 1
    assert "2 channels (g, r)" in capfd.readouterr().err
    with h5py.File(images, "r+") as file:
        file.attrs["channels"] = ["g"]
        stamps = file["images"][:]
        del file["images"]
        file["images"] = np.clip(np.nan_to_num(stamps) / NOISE, 0, 255).astype(np.uint8)
    assert _run(scene, tmp_path / "p.parquet", images=images) == 1
    assert "pixels are uint8" in capfd.readouterr().err


def test_images_that_are_no_squares_are_an_error(scene: Scene, tmp_path: Path, capfd) -> None:
    path = tmp_path / "wide.h5"
    shutil.copyfile(scene.images, path)
    with h5py.File(path, "r+") as file:
        pixels = file["images"][:]
        del file["images"]
        file["images"] = pixels[:, :, 10:-10]
    assert _run(scene, tmp_path / "p.parquet", images=path) == 1
    assert "images are 128 pixels wide and 108 high" in capfd.readouterr().err
