"""Structural parameters beside a map's own columns, and what the page makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.explorer.columns import encode
from morphosphere.explorer.data import shown_columns
from morphosphere.sersic.attach import columns as attaching
from morphosphere.sersic.attach.__main__ import main
from morphosphere.structure.intervals import interval_columns
from morphosphere.structure.parameters import Space

COUNT = 50


def _ids(numbers: np.ndarray) -> np.ndarray:
    return np.array([f"i{n:04d}" for n in numbers], dtype=object)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A map of fifty galaxies, and predictions of other fifty in another order; forty are both."""
    random = np.random.default_rng(2)
    with CatalogueWriter(tmp_path / "map.parquet", {"about": "map"}) as out:
        for start in (0, 20):
            numbers = np.arange(start, min(start + 20 if start == 0 else COUNT, COUNT))
            count = len(numbers)
            out.append(
                {
                    "image_id": _ids(numbers),
                    "galaxy_id": _ids(numbers),
                    "lon": random.uniform(0, 360, count),
                    "lat": np.zeros(count),
                    "angle": np.zeros(count, np.float32),
                    "flip": np.zeros(count, bool),
                    "radius_median": np.full(count, 7.0),
                    "features": random.normal(size=(count, 4)).astype(np.float32),
                }
            )
    _write_predictions(tmp_path / "predictions.parquet", random.permutation(COUNT) + 10)
    return tmp_path


def _write_predictions(path: Path, numbers: np.ndarray, **other: np.ndarray) -> None:
    values = dict.fromkeys(interval_columns(Space(1)), numbers + 0.5)
    table = {
        "image_id": _ids(numbers),
        "galaxy_id": _ids(numbers),
        **values,
        "flags": np.where(numbers % 5 == 0, 16, 0).astype(np.int32),
        **other,
    }
    about = {"radius_median": {"unit": "arcsec", "description": "Radius", "ucd": "phys.angSize"}}
    with CatalogueWriter(path, {"task": "sersic", "components": "1"}) as out:
        out.append(table, about)


def _run(folder: Path, **settings: object) -> int:
    names = {"--catalogue": "map", "--predictions": "predictions", "--output": "new"}
    words = [w for k, v in names.items() for w in (k, str(folder / f"{v}.parquet"))]
    return main([*words, "--settings", json.dumps(settings)])


def test_parameters_stand_beside_their_galaxies(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(attaching, "ROWS", 16)
    assert _run(folder) == 0
    before, after = Catalogue(folder / "map.parquet"), Catalogue(folder / "new.parquet")
    assert after.columns[: len(before.columns)] == before.columns
    old, new = before.read(before.columns), after.read(after.columns)
    for name, values in old.items():
        np.testing.assert_array_equal(new[name], values)
    numbers = np.arange(COUNT)
    known, flagged = numbers >= 10, numbers % 5 == 0
    state = np.where(known, np.where(flagged, "flagged", "sound"), "unknown")
    np.testing.assert_array_equal(new["structure"], state)
    wanted = np.where(known & ~flagged, numbers + 0.5, np.nan)
    for name in ("magnitude_median", "sersic_index_std", "structure_radius_median"):
        np.testing.assert_array_equal(new[name], wanted)
    assert after.metadata["about"] == "map"
    assert after.about("structure_radius_median")["unit"] == "arcsec"


def test_flagged_galaxies_have_parameters_where_that_is_wanted(folder: Path) -> None:
    assert _run(folder, flagged=True, by="galaxy_id") == 0
    new = Catalogue(folder / "new.parquet").read(["magnitude_median", "structure_flags"])
    np.testing.assert_array_equal(new["magnitude_median"][10:], np.arange(10, COUNT) + 0.5)
    assert np.isnan(new["structure_flags"][:10]).all()
    assert new["structure_flags"][10:12].tolist() == [16, 0]


def test_the_page_offers_them_for_colouring(folder: Path) -> None:
    assert _run(folder) == 0
    catalogue = Catalogue(folder / "new.parquet")
    shown = shown_columns(catalogue, None)
    assert {"magnitude_median", "sersic_index_median", "structure"} <= set(shown)
    table = catalogue.read(["sersic_index_median", "structure"])
    stored, facts = encode(table["sersic_index_median"])
    assert stored.dtype == np.float32
    assert facts["kind"] == "float32"
    assert facts["minimum"] == 11.5
    assert encode(table["structure"])[1] == {
        "kind": "category",
        "categories": ["flagged", "sound", "unknown"],
    }


def test_lists_and_row_order_of_the_map_stay(folder: Path) -> None:
    assert _run(folder) == 0
    before, after = (pq.read_table(folder / f"{name}.parquet") for name in ("map", "new"))
    assert after.select(before.column_names).equals(before)


def test_no_galaxy_in_common_is_an_error(folder: Path, capfd) -> None:
    _write_predictions(folder / "predictions.parquet", np.arange(500, 510))
    assert _run(folder) == 1
    assert "holds none of the galaxies of" in capfd.readouterr().err
    assert not (folder / "new.parquet").exists()


def test_a_galaxy_with_two_sets_is_an_error(folder: Path, capfd) -> None:
    twice = _ids(np.repeat(np.arange(10), 2))
    _write_predictions(folder / "predictions.parquet", np.arange(20), galaxy_id=twice)
    assert _run(folder) == 0
    (folder / "new.parquet").unlink()
    assert _run(folder, by="galaxy_id") == 1
    assert "galaxy_id is not unique" in capfd.readouterr().err


def test_other_tables_are_an_error(folder: Path, capfd) -> None:
    (folder / "predictions.parquet").write_bytes((folder / "map.parquet").read_bytes())
    assert _run(folder) == 1
    assert "no structural parameters" in capfd.readouterr().err
