"""Real images: their conventions, what is written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from factories_sersic_fits import GAIN, SKY, ZERO_POINT, psf
from factories_sersic_real import SCALE, TRUTH
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.sersic_real import RealSettings
from morphosphere.files import digest
from morphosphere.sersic.real.__main__ import main
from morphosphere.sersic.real.taken import border_of
from morphosphere.sersic.real.write import use_of
from morphosphere.structure.flags import COLUMNS, flags_of_table
from morphosphere.structure.model import draw
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import own_part
from morphosphere.structure.psf import PSFSet

LABELS = {
    "magnitude": "MAG",
    "radius": "RE",
    "sersic_index": "N",
    "axis_ratio": "Q",
    "position_angle": "PA",
}


def run(output: Path, **settings: Any) -> int:
    return main(["--name", "few", "--output", str(output), "--settings", json.dumps(settings)])


def stamp_settings(folder: Path, **more: Any) -> dict[str, Any]:
    given = {
        "kind": "stamps",
        "path": str(folder / "images"),
        "psf": str(folder / "psf.fits"),
        "table": str(folder / "table.csv"),
        "columns": LABELS,
        "zero_point": "MAGZERO",
        "gain": "EXPTIME",
        **more,
    }
    return {key: value for key, value in given.items() if value is not None}


def read(folder: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    with ImageSet(folder / "images.h5") as images:
        return images.images[:, 0], images.table()


def check_labels(table: dict[str, np.ndarray], size: float) -> None:
    """Labels are those that the galaxies were drawn with, within `size`."""
    for k, (radius, index, ratio, angle, magnitude) in enumerate(TRUTH):
        assert table["magnitude"][k] == pytest.approx(magnitude, abs=size)
        assert table["radius"][k] == pytest.approx(radius, rel=size)
        assert table["sersic_index"][k] == pytest.approx(index, rel=2 * size)
        assert table["axis_ratio"][k] == pytest.approx(ratio, abs=size)
        assert table["position_angle"][k] == pytest.approx(angle, abs=100 * size)


def check_model(images: np.ndarray, table: dict[str, np.ndarray], library: PSFSet) -> None:
    """The model of the labels, through the PSF that was written, is the image but for noise."""
    for k, image in enumerate(images):
        model = _model(table, k, library, image.shape[-1])
        sigma = np.sqrt(table["sky_noise"][k] ** 2 + np.maximum(model, 0) / table["gain"][k])
        assert np.mean(((image - model) / sigma) ** 2) == pytest.approx(1, abs=0.08)


def _model(table: dict[str, np.ndarray], k: int, library: PSFSet, size: int) -> np.ndarray:
    return draw(
        {name: float(table[name][k]) for name in Space(1).columns},
        library.galsim(int(table["psf"][k])),
        pixel_size=float(table["pixel_size"][k]),
        size=size,
        zero_point=float(table["zero_point"][k]),
    )


def test_labels_of_a_catalogue_are_in_our_conventions(catalogue: Path, tmp_path: Path):
    assert run(tmp_path / "out", path=str(catalogue)) == 0
    images, table = read(tmp_path / "out")
    assert set(table["label_source"]) == {"catalogue"}
    check_labels(table, 1e-6)
    assert images.shape == (2, 128, 128)
    assert table["pixel_size"] == pytest.approx(2 * SCALE)
    assert table["measured_size"].tolist() == [60, 60]
    assert table["sky_noise"] == pytest.approx(SKY, rel=0.02)
    check_model(images, table, PSFSet.read(tmp_path / "out" / "psf.h5"))


def test_fits_to_stamps_give_labels_too(catalogue: Path, tmp_path: Path):
    assert run(tmp_path / "out", path=str(catalogue), labels="fit") == 0
    _, table = read(tmp_path / "out")
    assert set(table["label_source"]) == {"fit"}
    check_labels(table, 0.04)
    assert (table["magnitude_label_std"] > 0).all()
    assert (table["magnitude_label_std"] < 0.03).all()


def test_what_is_written_can_be_measured(catalogue: Path, tmp_path: Path):
    assert run(tmp_path / "out", path=str(catalogue), labels="none") == 0
    _, table = read(tmp_path / "out")
    assert set(COLUMNS) <= set(table)
    assert not flags_of_table(table).any()
    assert np.isnan(table["magnitude"]).all()
    assert table["image_id"].tolist() == ["few-11", "few-12"]
    library = PSFSet.read(tmp_path / "out" / "psf.h5")
    assert len(library) == 1  # both galaxies have the same
    truth = psf().drawImage(nx=15, ny=15, scale=0.06).array
    ours = library.galsim(0).drawImage(nx=15, ny=15, scale=0.06).array
    assert ours == pytest.approx(truth, abs=0.004)


def test_a_catalogue_may_be_named_from_the_working_folder(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(catalogue.parent.parent)
    relative = Path(catalogue.parent.name, catalogue.name)
    assert run(tmp_path / "out", path=str(relative), labels="none") == 0


def test_edges_are_repeated_where_it_is_asked_for(catalogue: Path, tmp_path: Path):
    assert run(tmp_path / "out", path=str(catalogue), padding="edge", labels="none") == 0
    images, table = read(tmp_path / "out")
    assert table["stamp_size"].tolist() == [60, 60]
    assert np.ptp(images[0, :35, 64]) == 0
    assert run(tmp_path / "noise", path=str(catalogue), labels="none") == 0
    images, table = read(tmp_path / "noise")
    assert table["stamp_size"].tolist() == [128, 128]
    assert images[0, :30].std() == pytest.approx(SKY, rel=0.1)


def test_two_runs_write_the_same(catalogue: Path, tmp_path: Path):
    for name in ("one", "two"):
        assert run(tmp_path / name, path=str(catalogue)) == 0
    for file in ("images.h5", "psf.h5"):
        assert digest(tmp_path / "one" / file) == digest(tmp_path / "two" / file)


def test_half_of_the_galaxies_are_for_tests():
    uses = [use_of(f"few-{k}") for k in range(2000)]
    assert 900 < uses.count("test") < 1100
    assert set(uses) == {"test", "adapt"}


def test_the_noise_of_the_catalogue_is_looked_at(catalogue: Path, tmp_path: Path):
    with fits.open(catalogue, mode="update") as file:
        file[1].data["NOISE_VARIANCE"][0] *= 100
    out = tmp_path / "out"
    record = tmp_path / "record.json"
    words = ["--name", "few", "--output", str(out), "--provenance", str(record)]
    given = json.dumps({"path": str(catalogue), "labels": "none"})
    assert main([*words, "--settings", given]) == 0
    assert read(out)[1]["sky_noise"] == pytest.approx(SKY, rel=0.1)
    assert "noise 0.04 in the catalogue" in record.read_text()


def test_stamps_of_ones_own(stamps: Path, tmp_path: Path):
    assert run(tmp_path / "out", **stamp_settings(stamps)) == 0
    images, table = read(tmp_path / "out")
    check_labels(table, 1e-6)
    assert table["pixel_size"] == pytest.approx(SCALE, rel=1e-4)
    assert table["sky_noise"] == pytest.approx(SKY / 2, rel=0.1)
    assert table["zero_point"].tolist() == [ZERO_POINT] * 2
    assert table["gain"].tolist() == [GAIN] * 2
    assert abs(np.median(images[0, :20])) < 0.001  # the sky is taken off
    check_model(images, table, PSFSet.read(tmp_path / "out" / "psf.h5"))


def test_stamps_may_be_chosen_by_magnitude(stamps: Path, tmp_path: Path):
    assert run(tmp_path / "out", **stamp_settings(stamps, faintest=20.8)) == 0
    assert read(tmp_path / "out")[1]["image_id"].tolist() == ["few-g0"]


def change_header(file: Path, key: str, value: object = None) -> None:
    with fits.open(file, mode="update") as opened:
        if value is None:
            del opened[0].header[key]
        else:
            opened[0].header[key] = value


def no_scale(folder: Path) -> dict[str, Any]:
    change_header(folder / "images" / "g1.fits", "CTYPE1", "LINEAR")
    return {}


def no_zero_point(folder: Path) -> dict[str, Any]:
    change_header(folder / "images" / "g0.fits", "MAGZERO")
    return {}


def no_exposure(folder: Path) -> dict[str, Any]:
    change_header(folder / "images" / "g0.fits", "EXPTIME", 0.0)
    return {}


def no_sampling(folder: Path) -> dict[str, Any]:
    change_header(folder / "psf.fits", "PIXSCALE")
    return {}


def two_samplings(_: Path) -> dict[str, Any]:
    return {"psf_scale": 0.05}


def coarse_psf(folder: Path) -> dict[str, Any]:
    change_header(folder / "psf.fits", "PIXSCALE", 0.06)
    return {}


def flat_border(folder: Path) -> dict[str, Any]:
    fits.PrimaryHDU(
        np.pad(np.ones((20, 20)), 50), fits.getheader(folder / "images" / "g0.fits")
    ).writeto(folder / "images" / "g0.fits", overwrite=True)
    return {}


def truncated(folder: Path) -> dict[str, Any]:
    file = folder / "images" / "g0.fits"
    file.write_bytes(file.read_bytes()[:4000])
    return {}


def twice(folder: Path) -> dict[str, Any]:
    with open(folder / "table.csv", "a", encoding="utf-8") as handle:
        handle.write("g0,20,1,1,1,0\n")
    return {}


STAMP_FAULTS = {
    no_scale: "g1.fits: its pixel scale is unknown",
    no_zero_point: "g0.fits: its zero_point is unknown",
    no_exposure: "g0.fits: its gain is unknown",
    no_sampling: "psf.fits: its sampling is unknown",
    two_samplings: "a sample is 0.03 arcsec by its header, but 0.05",
    coarse_psf: "wider than a pixel of the stamp",
    flat_border: "its noise cannot be measured",
    truncated: "g0.fits: HDU 0 cannot be read",
    twice: "names g0 twice",
}


@pytest.mark.parametrize("fault", STAMP_FAULTS, ids=lambda fault: fault.__name__)
def test_bad_stamps_are_one_clear_error(fault: Any, stamps: Path, tmp_path: Path, capfd):
    more = fault(stamps)
    assert run(tmp_path / "out", **stamp_settings(stamps, **more)) == 1
    said = capfd.readouterr().err
    assert STAMP_FAULTS[fault] in said
    assert "unexpected" not in said
    assert not list((tmp_path / "out").glob("*.h5"))


def test_bad_catalogues_are_one_clear_error(catalogue: Path, tmp_path: Path, capfd):
    out = tmp_path / "out"
    assert run(out, path=str(catalogue.with_name("galaxies_fits.fits"))) == 1
    assert "give the catalogue itself" in capfd.readouterr().err
    assert run(out, path=str(catalogue), faintest=15) == 1
    assert "none of its 2 galaxies is brighter than 15.0" in capfd.readouterr().err
    assert run(out, path=str(catalogue), rebin=16) == 1
    assert "use a smaller rebin" in capfd.readouterr().err
    (catalogue.parent / "galaxies_fits.fits").unlink()
    assert run(out, path=str(catalogue), labels="catalogue") == 1
    assert "galaxies_fits.fits" in capfd.readouterr().err
    (catalogue.parent / "images.fits").unlink()
    assert run(out, path=str(catalogue)) == 1
    assert "its file images.fits is not beside it" in capfd.readouterr().err
    assert not list(out.glob("*.h5"))


def test_a_catalogue_without_pixel_scale(catalogue: Path, tmp_path: Path, capfd):
    with fits.open(catalogue, mode="update") as file:
        file[1].data["PIXEL_SCALE"][1] = 0
    assert run(tmp_path / "out", path=str(catalogue), labels="none") == 1
    assert "galaxy 12 has no pixel scale" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"psf": None}, "psf is required"),
        ({"gain": None}, "gain is required"),
        ({"columns": {"size": "RE"}}, "no parameter 'size'"),
        ({"table": None}, "columns needs table"),
        ({"size": 127}, "size must be even"),
        ({"pixel_size": -1.0}, "pixel_size must be above 0"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, Any], said: str, stamps: Path):
    with pytest.raises(ValueError, match=said):
        RealSettings.model_validate(stamp_settings(stamps, **change))


def test_hst_galaxies(real_data: Path, tmp_path: Path):
    """COSMOS: fits hold the light of the stamps; rows of pictures are the catalogue's."""
    folder = real_data / "cosmos"
    path = folder / "real_galaxy_catalog_26_extension_example.fits"
    assert run(tmp_path / "out", path=str(path), faintest=22.46) == 0
    images, table = read(tmp_path / "out")
    labelled = table["label_source"] == "fit"
    assert len(images) == 4
    assert labelled.sum() >= 3
    library = PSFSet.read(tmp_path / "out" / "psf.h5")
    for k in np.flatnonzero(labelled):
        model = _model(table, k, library, int(table["measured_size"][k]))
        seen = own_part(images[k], table["measured_size"][k])
        assert model.sum() == pytest.approx(seen.sum(), rel=0.06)
    assert table["noise_correlation"] == pytest.approx(1.46, abs=0.03)
    names = [int(str(key).removeprefix("few-")) for key in table["image_id"]]
    rows = {int(key): row for row, key in enumerate(Table.read(path)["IDENT"])}
    catalogue = galsim.RealGalaxyCatalog(str(path), dir=str(folder))
    stamp = catalogue.getGalImage(rows[names[0]]).array
    width = int(table["measured_size"][0])
    first = (128 - width) // 2
    here = images[0, first : first + width, first : first + width]
    cut = (len(stamp) - 2 * width) // 2
    there = stamp[cut : cut + 2 * width, cut : cut + 2 * width]
    assert here[::-1] == pytest.approx(there.reshape(width, 2, width, 2).sum((1, 3)), rel=1e-5)


def test_fits_of_a_catalogue_without_them_are_missed(real_data: Path, tmp_path: Path, capfd):
    path = real_data / "cosmos" / "real_galaxy_catalog_26_extension_example.fits"
    assert run(tmp_path / "out", path=str(path), labels="catalogue") == 1
    assert "no column sersicfit" in capfd.readouterr().err


def test_where_some_parameters_are_known_the_others_decide(stamps: Path, tmp_path: Path):
    some = {name: LABELS[name] for name in ("magnitude", "radius")}
    assert run(tmp_path / "fit", **stamp_settings(stamps, columns=some)) == 0
    assert set(read(tmp_path / "fit")[1]["label_source"]) == {"fit"}
    given = stamp_settings(stamps, columns=some, labels="catalogue")
    assert run(tmp_path / "some", **given) == 0
    table = read(tmp_path / "some")[1]
    assert np.isfinite(table["magnitude"]).all()
    assert np.isnan(table["sersic_index"]).all()
    assert set(table["use"]) == {"test"}  # none of them can be learned from


def test_columns_that_the_table_lacks_are_named(stamps: Path, tmp_path: Path, capfd):
    assert run(tmp_path, **stamp_settings(stamps, columns=LABELS | {"radius": "REFF"})) == 1
    assert "no column 'REFF' (columns.radius)" in capfd.readouterr().err


def test_noise_in_a_border_is_not_made_less_by_leaving_out_what_is_bright():
    border = np.random.default_rng(2).normal(0.1, 0.02, (600, 600))
    level, spread = border_of(border)
    assert level == pytest.approx(0.1, abs=2e-4)
    assert spread == pytest.approx(0.02, rel=0.006)
