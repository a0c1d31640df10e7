"""What cannot be used is refused in one line that says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from factories_hips import make_catalogue
from factories_images import make_imageset
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.base import check
from morphosphere.config.hips import HipsSettings
from morphosphere.errors import ConfigError
from morphosphere.hips.__main__ import main

from .conftest import Scene, read_jpeg


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tile_width": 100}, ["tile_width", "power of two"]),
        ({"tile_width": 4096}, ["tile_width", "1024"]),
        ({"cells": 3}, ["cells", "power of two"]),
        ({"cells": 64, "tile_width": 256}, ["narrower than 8 px"]),
        ({"order": 11}, ["order", "10"]),
        ({"order": 10, "cells": 4}, ["order 12", "lower order or cells"]),
        ({"order": -1, "fill": 9, "colour": 1}, ["order", "fill", "colour", "3 mistakes"]),
        ({"layers": ["real", "real"]}, ["each layer once"]),
        ({"layers": ["imaginary"]}, ["layers", "generated"]),
        ({"tile_format": "webp"}, ["tile_format", "jpeg"]),
        ({"authority": "a b"}, ["authority"]),
        ({"title": "a = b"}, ["title", "equals sign"]),
        ({"reach": 0}, ["reach"]),
    ],
)
def test_impossible_settings(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        check(HipsSettings, settings, source="test")
    for word in words:
        assert word in str(raised.value)


def refused(scene: Scene, layer: str, tmp_path: Path, capsys, **settings: Any) -> str:
    """The line with which a layer is refused."""
    assert main(scene.arguments(layer, tmp_path / "out", **settings)) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("morphosphere hips: error:"), said
    assert not (tmp_path / "out" / "properties").exists()
    return said[-1]


def without(scene: Scene, column: str, folder: Path) -> Scene:
    """The scene with a catalogue that lacks a column."""
    table = pq.read_table(scene.catalogue)
    path = folder / "lacking.parquet"
    pq.write_table(table.drop_columns([column]), path)
    return Scene(scene.images, scene.model, path)


@pytest.mark.parametrize(
    ("layer", "column"),
    [
        ("density", "lon"),
        ("real", "lat"),
        ("real", "galaxy_id"),
        ("real", "angle"),
        ("catalogue", "image_id"),
        ("catalogue", "outlier_score"),
    ],
)
def test_missing_columns(scene: Scene, tmp_path: Path, capsys, layer: str, column: str) -> None:
    said = refused(without(scene, column, tmp_path), layer, tmp_path, capsys, align=True)
    assert repr(column) in said


def test_missing_and_broken_files(scene: Scene, tmp_path: Path, capsys) -> None:
    for name in ("images", "catalogue"):
        broken = tmp_path / f"broken_{name}"
        broken.write_bytes(getattr(scene, name).read_bytes()[:1000])
        for path in (broken, tmp_path / "missing"):
            paths = {**vars(scene), name: path}
            assert path.name in refused(Scene(**paths), "real", tmp_path, capsys)
    model = tmp_path / "model"
    shutil.copytree(scene.model, model)
    (model / "decoder.onnx").unlink()
    said = refused(Scene(scene.images, model, scene.catalogue), "generated", tmp_path, capsys)
    assert "decoder.onnx" in said


def test_a_catalogue_of_other_images(scene: Scene, tmp_path: Path, capsys) -> None:
    fewer = make_imageset(tmp_path / "fewer.h5", 10, size=40)
    said = refused(Scene(fewer, scene.model, scene.catalogue), "real", tmp_path, capsys)
    assert "240 rows for 10 images" in said
    others = make_imageset(tmp_path / "others.h5", 240, size=40, source="other")
    said = refused(Scene(others, scene.model, scene.catalogue), "real", tmp_path, capsys)
    assert "other_000000" in said
    assert "run the predict stage again" in said


def test_an_empty_catalogue_and_one_without_places(scene: Scene, tmp_path: Path, capsys) -> None:
    table = pq.read_table(scene.catalogue)
    pq.write_table(table.slice(0, 0), tmp_path / "empty.parquet")
    nowhere = np.full(240, np.nan)
    make_catalogue(tmp_path / "nan.parquet", scene.images, lon=nowhere, lat=nowhere)
    for name in ("empty.parquet", "nan.parquet"):
        for layer in ("real", "density", "catalogue"):
            lost = Scene(scene.images, scene.model, tmp_path / name)
            assert "no image has a position" in refused(lost, layer, tmp_path, capsys)
    beyond = np.full(240, 91.0)
    make_catalogue(tmp_path / "beyond.parquet", scene.images, lon=beyond, lat=beyond)
    lost = Scene(scene.images, scene.model, tmp_path / "beyond.parquet")
    assert "beyond 90" in refused(lost, "density", tmp_path, capsys)


def test_a_model_of_other_channels(scene: Scene, tmp_path: Path, capsys) -> None:
    model = tmp_path / "model"
    shutil.copytree(scene.model, model)
    transform = json.loads((model / "transform.json").read_text())
    (model / "transform.json").write_text(json.dumps({**transform, "channels": ["mass"]}))
    lost = Scene(scene.images, model, scene.catalogue)
    assert "channels i, r, g" in refused(lost, "real", tmp_path, capsys)


def test_unknown_colours_and_ranks(scene: Scene, tmp_path: Path, capsys) -> None:
    said = refused(scene, "density", tmp_path, capsys, density_colors="mauve")
    assert "hips.density_colors" in said
    said = refused(scene, "catalogue", tmp_path, capsys, catalogue_rank="split")
    assert "hips.catalogue_rank" in said
    assert "stellar_mass" in said


def test_some_images_without_a_place(scene: Scene, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lon, lat = random.uniform(0, 360, 240), random.uniform(-90, 90, 240)
    lon[::3] = np.nan
    catalogue = make_catalogue(tmp_path / "c.parquet", scene.images, lon=lon, lat=lat)
    some = Scene(scene.images, scene.model, catalogue)
    root = some.make("catalogue", tmp_path / "sources")
    lines = [path.read_text().splitlines()[2:] for path in root.glob("Norder*/Dir*/*.tsv")]
    rows = sorted(int(line.split("\t")[0]) for part in lines for line in part)
    assert rows == [row for row in range(240) if row % 3]
    rows = np.fromfile(some.make("real", tmp_path / "real") / "Norder1" / "cells.bin", "<i4")
    assert (rows[rows >= 0] % 3 > 0).all()


def test_constant_and_broken_images_and_a_single_one(scene: Scene, tmp_path: Path) -> None:
    for name, value in (("zero", 0.0), ("nan", np.nan), ("inf", np.inf), ("grey", 0.3)):
        images = tmp_path / f"{name}.h5"
        with ImageSetWriter(images, channels=("i", "r", "g"), size=20) as out:
            ids = {"image_id": [name], "galaxy_id": [name], "source": ["test"]}
            out.append(np.full((1, 3, 20, 20), value, np.float32), ids)
        catalogue = make_catalogue(tmp_path / f"{name}.parquet", images)
        one = Scene(images, scene.model, catalogue)
        for layer in ("real",) if name != "grey" else ("real", "density", "catalogue"):
            one.make(layer, tmp_path / name / layer, order=0)
        rows = np.fromfile(tmp_path / name / "real" / "Norder0" / "cells.bin", "<i4")
        assert (rows >= 0).sum() == 1
        tiles = [
            read_jpeg(tmp_path / name / "real" / "Norder0" / "Dir0" / f"Npix{n}.jpg")
            for n in range(12)
        ]
        assert np.max(tiles) == (255 if name == "grey" else 0)


def test_text_with_tabs_and_line_ends_stays_in_its_field(scene: Scene, tmp_path: Path) -> None:
    notes = np.asarray(["a\tb\nc"] * 240, dtype=object)
    catalogue = make_catalogue(tmp_path / "c.parquet", scene.images, note=notes)
    root = Scene(scene.images, scene.model, catalogue).make("catalogue", tmp_path / "out")
    for path in root.glob("Norder*/Dir*/*.tsv"):
        _, header, *lines = path.read_text().splitlines()
        column = header.split("\t").index("note")
        assert {line.split("\t")[column] for line in lines} == {"a b c"}
