"""Predictions of mergers: the Catalogue, neighbours, ranks, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from factories_mergers import merger_settings, write_encounters
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.learn.training import train
from morphosphere.mergers.predict.__main__ import main
from morphosphere.mergers.reading import MergerModel
from ranks import run_ranks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of 40 encounters and 4 single galaxies, a model, and its predictions."""
    folder = tmp_path_factory.mktemp("predict")
    images = write_encounters(folder / "images.h5", 40, singles=4)
    train(images, output=folder / "model", training=folder / "t", settings=merger_settings())
    assert _predict(folder, "predictions.parquet") == 0
    return folder


def _words(folder, output: str, images: str = "images.h5") -> list[str]:
    return [
        *("--images", str(folder / images), "--model", str(folder / "model")),
        *("--output", str(folder / output)),
    ]


def _predict(folder, output: str, images: str = "images.h5", **settings) -> int:
    import json

    return main(["--settings", json.dumps(settings), *_words(folder, output, images)])


def test_every_image_has_a_row_with_quantiles_in_order(folder) -> None:
    rows = Catalogue(folder / "predictions.parquet")
    with ImageSet(folder / "images.h5") as source:
        assert len(rows) == len(source) == 176
        assert list(rows.read(["image_id"])["image_id"]) == list(source.column("image_id"))
    for label in ("time_since_pericentre", "mass_ratio", "size_ratio", "inclination"):
        names = [f"{label}_{end}" for end in ("low95", "low68", "median", "high68", "high95")]
        found = np.stack(list(rows.read(names).values()))
        assert np.isfinite(found).all()
        assert (np.diff(found, axis=0) >= 0).all()
    assert rows.about("time_since_pericentre_median")["unit"] == "Myr"


def test_neighbours_are_of_other_encounters_and_nearest_first(folder) -> None:
    found = Catalogue(folder / "predictions.parquet").read(
        ["neighbours", "neighbour_distances", "encounter_id", "z"]
    )
    near, z = found["neighbours"], found["z"]
    assert (found["encounter_id"][near] != found["encounter_id"][:, None]).all()
    assert (np.diff(found["neighbour_distances"], axis=1) >= 0).all()
    gap = np.linalg.norm(z[:, None] - z[None], axis=-1)
    gap[found["encounter_id"][:, None] == found["encounter_id"][None]] = np.inf
    np.testing.assert_allclose(gap.min(axis=1), found["neighbour_distances"][:, 0], rtol=1e-4)


def test_the_approximate_search_finds_what_the_exact_one_does(folder) -> None:
    assert _predict(folder, "ann.parquet", exact_up_to=10, probes=1000) == 0
    exact, rough = (
        Catalogue(folder / name).read(["neighbours"])["neighbours"]
        for name in ("predictions.parquet", "ann.parquet")
    )
    np.testing.assert_array_equal(exact, rough)


def test_held_out_images_are_read_from_all_sides(folder) -> None:
    """Their posteriors do not change when the image is turned; those of one view do."""
    model = MergerModel.load(folder / "model")
    with ImageSet(folder / "images.h5") as source:
        images = model.bundle.transform(source.read(0, 4))
    turned = np.ascontiguousarray(np.rot90(images, axes=(2, 3)))
    np.testing.assert_allclose(
        model.read(images).probability, model.read(turned).probability, atol=1e-5
    )
    one, other = (model.read(x, 1).probability for x in (images, turned))
    assert np.abs(one - other).max() > 1e-4


def test_ranks_write_the_same_catalogue(folder) -> None:
    words = ["--settings", '{"chunk": 16}', "--ranks", "2", *_words(folder, "two.parquet")]
    done = run_ranks(2, ["-m", "morphosphere.mergers.predict", *words])
    assert done.returncode == 0, done.stderr
    assert _predict(folder, "one.parquet", chunk=16) == 0
    one, two = (Catalogue(folder / f"{name}.parquet") for name in ("one", "two"))
    assert one.columns == two.columns
    for name in one.columns:
        np.testing.assert_array_equal(one.read([name])[name], two.read([name])[name])


def test_images_of_other_channels_are_one_clear_error(folder, capsys) -> None:
    with ImageSetWriter(folder / "rgb.h5", channels=["i", "r", "g"], size=32) as out:
        table = {"image_id": ["a"], "galaxy_id": ["a"], "source": ["s"]}
        out.append(np.ones((1, 3, 32, 32), np.float32), table)
    assert _predict(folder, "no.parquet", images="rgb.h5") == 1
    said = capsys.readouterr().err
    assert "rgb.h5: 3 channel(s)" in said
    assert not (folder / "no.parquet").exists()


def test_a_model_of_the_map_is_one_clear_error(folder, tmp_path, capsys) -> None:
    from factories_models import write_small_bundle

    write_small_bundle(tmp_path / "map")
    words = _words(folder, "no.parquet")
    words[3] = str(tmp_path / "map")
    assert main(words) == 1
    assert "a model of the task 'sphere'" in capsys.readouterr().err


def test_images_without_galaxies_are_told_apart(folder) -> None:
    """No galaxy, noise, a saturated and a broken image: read, and said to be unlike training."""
    random = np.random.default_rng(0)
    images = np.zeros((4, 1, 32, 32), np.float32)
    images[1] = random.normal(size=(1, 32, 32))
    images[2] = np.minimum(random.gamma(1, 50000, size=(1, 32, 32)), 60000.0)
    images[3] = np.nan
    names = ["blank", "noise", "saturated", "broken"]
    with ImageSetWriter(folder / "odd.h5", channels=["grey"], size=32) as out:
        out.append(images, {"image_id": names, "galaxy_id": names, "source": ["s"] * 4})
    assert _predict(folder, "odd.parquet", images="odd.h5") == 0
    found = Catalogue(folder / "odd.parquet").read(["outlier", "time_since_pericentre_median"])
    assert found["outlier"].all()
    assert np.isfinite(found["time_since_pericentre_median"]).all()
