"""What the catalogue says of each galaxy, and where that comes from."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
from astropy import units
from astropy.io.votable.ucd import parse_ucd

from factories_classes import CLASSES
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.surveys.facts import model_version

from .conftest import COUNT, Scene


@pytest.fixture(scope="module")
def table(scene: Scene) -> dict[str, np.ndarray]:
    found = Catalogue(scene.output / "catalogue.parquet")
    return found.read(found.columns)


def test_predictions_stand_beside_what_is_known(scene: Scene, table) -> None:
    predicted = Catalogue(scene.root / "predictions.parquet")
    names = ["p_smooth", "p_featured_std", "confidence", "spread", "domain_distance", "split"]
    names += ["predicted", "domain_outlier", "type_median", "type_low95", "type_high68"]
    for name, values in predicted.read(names).items():
        np.testing.assert_array_equal(table[name], values)
    with ImageSet(scene.root / "images.h5") as images:
        known = images.table()
    np.testing.assert_array_equal(table["id"], known["image_id"])
    words = ["" if np.isnan(k) else CLASSES[int(k)] for k in known["label"]]
    assert table["label"].tolist() == words
    assert set(words) == {"", *CLASSES}
    for name in ("galaxy_id", "label_origin", "matched_id", "match_separation", "magnitude"):
        np.testing.assert_array_equal(table[name], known[name])
    assert set(table["model_version"]) == {model_version(scene.root / "model")}
    assert "features" not in table


def test_right_ascensions_run_from_0_to_360(scene: Scene, table) -> None:
    with ImageSet(scene.root / "images.h5") as images:
        ra, dec = images.column("ra"), images.column("dec")
    np.testing.assert_allclose(table["ra"], ra % 360)
    assert (table["ra"] > 357).any()
    np.testing.assert_array_equal(table["dec"], dec)


def test_positions_in_other_units_become_degrees(scene: Scene, tmp_path) -> None:
    copy = tmp_path / "images.h5"
    shutil.copy(scene.root / "images.h5", copy)
    with h5py.File(copy, "r+") as file:
        file["table/ra"].attrs["unit"] = "hourangle"
    words = ("--images", copy)
    assert scene.run(tmp_path / "c", *words, formats=[], hips=False) == 0
    found = Catalogue(tmp_path / "c" / "catalogue.parquet").read(["ra"])["ra"]
    with ImageSet(scene.root / "images.h5") as images:
        np.testing.assert_allclose(found, 15 * images.column("ra") % 360)


def test_places_on_the_sphere_are_found_by_image(table) -> None:
    known = np.isfinite(table["lon"])
    assert known.sum() == COUNT - 10
    np.testing.assert_array_equal(table["lon"][known], np.flatnonzero(known))
    np.testing.assert_array_equal(np.isfinite(table["lat"]), known)


def test_every_column_has_a_description_and_words_that_others_know(scene: Scene, table) -> None:
    """UCDs are of the controlled vocabulary, units are those of VOUnit; one column is the id."""
    found = Catalogue(scene.output / "catalogue.parquet")
    ucds = {}
    for name in set(table) - {"magnitude", "tile", "note"}:
        about = found.about(name)
        assert about["description"], name
        ucds[name] = about["ucd"]
        parse_ucd(about["ucd"], check_controlled_vocabulary=True)
        units.Unit(about.get("unit", ""), format="vounit")
    main = [name for name, ucd in ucds.items() if ucd.endswith(";meta.main")]
    assert sorted(main) == ["dec", "id", "ra"]
    assert found.about("ra")["unit"] == found.about("lat")["unit"] == "deg"
    assert found.about("magnitude")["unit"] == "mag"
    assert found.metadata["classes"] == "smooth, featured"


def test_a_survey_without_positions_or_labels_has_a_catalogue(scene: Scene, tmp_path) -> None:
    settings = {"ra": "alpha", "dec": "delta", "hips": False, "formats": ["fits"]}
    assert scene.run(tmp_path / "plain", **settings) == 0
    found = Catalogue(tmp_path / "plain" / "catalogue.parquet")
    assert np.isnan(found.read(["ra"])["ra"]).all()
    assert "lon" not in found.columns
    assert sorted(p.name for p in (tmp_path / "plain").iterdir()) == [
        "catalogue.fits",
        "catalogue.parquet",
    ]


def test_forms_that_are_no_longer_asked_for_are_removed(scene: Scene, tmp_path) -> None:
    out = tmp_path / "again"
    assert scene.run(out, formats=["votable", "hats"], hips=True) == 0
    assert {p.name for p in out.iterdir()} == {
        "catalogue.parquet",
        "catalogue.vot",
        "hats",
        "hips_sky",
    }
    assert scene.run(out, formats=["votable"], hips=False) == 0
    assert {p.name for p in out.iterdir()} == {"catalogue.parquet", "catalogue.vot"}
