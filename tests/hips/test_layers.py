"""Whole layers: every file is there, whole, and says what it should."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import healpy
import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from mocpy import MOC
from PIL import Image

from factories_hips import make_catalogue
from factories_images import make_imageset
from factories_models import write_small_bundle
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.hips.density import density_map
from morphosphere.pictures import rgb

from .conftest import Scene, read_jpeg, read_properties, tree

IMAGE_LAYERS = ("generated", "real", "density")
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
Made = Callable[[str], Path]


@pytest.mark.parametrize("layer", IMAGE_LAYERS)
def test_every_tile_decodes_whole(made: Made, layer: str) -> None:
    root = made(layer)
    for order in (0, 1):
        for tile in range(12 * 4**order):
            path = root / f"Norder{order}" / "Dir0" / f"Npix{tile}.jpg"
            assert path.read_bytes().endswith(b"\xff\xd9")
            with Image.open(path) as image:
                image.load()  # raises for truncated data
                assert (image.size, image.mode) == ((64, 64), "RGB")
    assert len(list(root.glob("Norder*/Dir*/*"))) == 60
    assert not list(root.rglob(".*"))


@pytest.mark.parametrize("layer", IMAGE_LAYERS)
def test_overviews_are_the_tiles_side_by_side(made: Made, layer: str) -> None:
    root = made(layer)
    allsky = read_jpeg(root / "Norder1" / "Allsky.jpg")
    assert allsky.shape == (8 * 64, 6 * 64, 3)  # 48 tiles, 6 in a row
    tile = read_jpeg(root / "Norder1" / "Dir0" / "Npix20.jpg").astype(int)
    part = allsky[3 * 64 : 4 * 64, 2 * 64 : 3 * 64]
    assert np.abs(part - tile).mean() < 8
    assert np.abs(part[::-1] - tile).mean() > 12
    with Image.open(root / "preview.jpg") as image:
        assert image.size == (1024, 512)


@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, "catalogue"])
def test_properties_and_coverage(made: Made, layer: str) -> None:
    root = made(layer)
    properties = read_properties(root)
    assert properties["hips_version"] == "1.4"
    assert properties["creator_did"] == f"ivo://morphosphere.local/P/Galaxy-morphology/{layer}"
    assert properties["hips_order_min"] == "0"
    deepest = max(int(path.name.removeprefix("Norder")) for path in root.glob("Norder*"))
    assert int(properties["hips_order"]) == deepest
    moc = MOC.from_fits(root / "Moc.fits")
    assert moc.sky_fraction == 1
    assert fits.getheader(root / "Moc.fits", 1)["MOCORD_S"] == 29
    parse_single_table(root / "metadata.xml")


@pytest.mark.hipsgen
@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, "catalogue"])
def test_hipsgen_finds_nothing_to_complain_of(made: Made, layer: str) -> None:
    command = ["java", "-Djava.awt.headless=true", "-Xmx256m", "-cp", "/usr/share/java/aladin.jar"]
    said = subprocess.run(
        [*command, "cds.allsky.HipsGen", f"out={made(layer)}", "LINT"],
        capture_output=True,
        text=True,
        check=True,
    )
    text = said.stdout + said.stderr
    assert "is fully IVOA HiPS 1.0 compatible" in text, text
    assert "tile test hierarchy" in text, text
    assert "*WARN*" not in text, text
    assert "*ERROR" not in text, text


def test_generated_cells_hold_what_the_decoder_draws(made: Made, scene: Scene) -> None:
    bundle = ModelBundle.load(scene.model)
    vectors = np.stack(healpy.pix2vec(4, np.arange(192), nest=True), axis=-1)
    drawn = rgb(bundle.decode(vectors)).astype(float)[:, 14:18, 14:18].mean(axis=(1, 2))
    seen = []
    for cell in range(192):
        tile = read_jpeg(made("generated") / "Norder1" / "Dir0" / f"Npix{cell // 4}.jpg")
        x, y = cell & 1, (cell >> 1) & 1
        seen.append(tile[x * 32 + 14 : x * 32 + 18, y * 32 + 14 : y * 32 + 18].mean(axis=(0, 1)))
    error = np.abs(seen - drawn).mean()
    assert error < 12
    assert error < 0.5 * np.abs(np.roll(seen, 96, axis=0) - drawn).mean()


def test_real_cells_hold_the_galaxies_named_beside_them(made: Made, scene: Scene) -> None:
    root = made("real")
    bundle = ModelBundle.load(scene.model)
    orders = json.loads((root / "cells.json").read_text())["orders"]
    assert [entry["cell_order"] for entry in orders] == [1, 2]
    rows = np.fromfile(root / "Norder1" / "cells.bin", "<i4")
    assert len(rows) == 12 * 4**2
    assert (rows >= 0).sum() == orders[1]["shown"] > 60
    with ImageSet(scene.images) as images:
        galaxies = images.column("galaxy_id")[rows[rows >= 0]]
        assert len(set(galaxies)) == len(galaxies)
        errors = []
        for cell in np.flatnonzero(rows >= 0):
            row = rows[cell]
            expected = rgb(bundle.transform(images.read(row, row + 1)))[0].astype(float)
            tile = read_jpeg(root / "Norder1" / "Dir0" / f"Npix{cell // 4}.jpg")
            x, y = cell & 1, (cell >> 1) & 1
            middle = tile[x * 32 + 14 : x * 32 + 18, y * 32 + 14 : y * 32 + 18].mean(axis=(0, 1))
            errors.append(np.abs(middle - expected[14:18, 14:18].mean(axis=(0, 1))).mean())
    assert np.mean(errors) < 10


def test_views_are_shown_apart_if_asked(scene: Scene, tmp_path: Path) -> None:
    root = scene.make("real", tmp_path / "real", unique="image", align=True)
    rows = np.fromfile(root / "Norder1" / "cells.bin", "<i4")
    rows = rows[rows >= 0]
    assert len(np.unique(rows)) == len(rows) > len(np.unique(rows // 2))


def test_density_keeps_the_number_of_images(scene: Scene) -> None:
    place = Catalogue(scene.catalogue).read(["lon", "lat"])
    density = density_map(place["lon"], place["lat"], 10.0)
    whole_sky = 4 * np.pi * np.degrees(1) ** 2
    assert density.values.mean() * whole_sky == pytest.approx(240, rel=0.01)


def test_density_is_brightest_where_the_images_are(scene: Scene, tmp_path: Path) -> None:
    where = healpy.pix2ang(2, 17, nest=True, lonlat=True)
    lon, lat = np.full(240, where[0]), np.full(240, where[1])
    catalogue = make_catalogue(tmp_path / "c.parquet", scene.images, lon=lon, lat=lat)
    root = Scene(scene.images, scene.model, catalogue).make("density", tmp_path / "density")
    bright = [
        read_jpeg(root / "Norder1" / "Dir0" / f"Npix{tile}.jpg").astype(int).sum(axis=2)
        for tile in range(48)
    ]
    peak = np.unravel_index(np.argmax(bright), (48, 64, 64))
    assert peak[0] == 17
    assert abs(peak[1] - 31.5) < 4
    assert abs(peak[2] - 31.5) < 4


def test_sources_stand_once_each_the_highest_rank_first(scene: Scene, tmp_path: Path) -> None:
    root = scene.make("catalogue", tmp_path / "c", catalogue_rows=3, catalogue_rank="-redshift")
    root = scene.make("catalogue", tmp_path / "c", catalogue_rows=3)
    table = Catalogue(scene.catalogue).read(["lon", "lat", "outlier_score", "image_id"])
    names = [field.name for field in parse_single_table(root / "Metadata.xml").fields]
    assert names[0] == "row"
    assert {"image_id", "lon", "lat", "outlier_score", "stellar_mass"} < set(names)
    assert "features" not in names
    seen: dict[int, int] = {}
    for path in root.glob("Norder*/Dir*/Npix*.tsv"):
        order = int(path.parts[-3].removeprefix("Norder"))
        first, header, *lines = path.read_text().splitlines()
        tile = int(path.stem.removeprefix("Npix"))
        assert header.split("\t") == names
        below = healpy.ang2pix(2**order, table["lon"], table["lat"], nest=True, lonlat=True) == tile
        assert first.startswith("# Completeness = ")
        assert first.endswith(f" / {below.sum()}")
        rows = [int(line.split("\t")[0]) for line in lines]
        assert rows
        assert below[rows].all()
        scores = table["outlier_score"][rows]
        assert (np.diff(scores) <= 0).all()
        for line, row in zip(lines, rows, strict=True):
            assert line.split("\t")[names.index("image_id")] == table["image_id"][row]
            assert row not in seen
            seen[row] = order
    assert sorted(seen) == list(range(240))
    orders = np.array([seen[row] for row in range(240)])
    assert max(np.bincount(orders)[1:3]) > 12
    # In each base pixel those at order 0 outrank all others.
    base = healpy.ang2pix(1, table["lon"], table["lat"], nest=True, lonlat=True)
    for pixel in range(12):
        scores = table["outlier_score"][base == pixel]
        top = table["outlier_score"][(base == pixel) & (orders == 0)]
        assert len(top) == min(3, len(scores))
        np.testing.assert_array_equal(np.sort(top), np.sort(scores)[-len(top) :])


def test_overviews_of_sources_hold_orders_to_two(made: Made) -> None:
    root = made("catalogue")
    rows = []
    for order in (1, 2):
        completeness, _, *lines = (root / f"Norder{order}" / "Allsky.tsv").read_text().splitlines()
        rows += [line.split("\t")[0] for line in lines]
        assert completeness == f"# Completeness = {len(rows)} / 240"
    assert len(set(rows)) == len(rows)


def test_few_sources_stand_at_every_order_that_viewers_read(scene: Scene, tmp_path: Path) -> None:
    root = scene.make("catalogue", tmp_path / "c", catalogue_rows=1000)
    for order in range(3):
        lines = [p.read_text().splitlines()[2:] for p in root.glob(f"Norder{order}/Dir0/*.tsv")]
        assert sum(map(len, lines)) == 80


def test_png_tiles(scene: Scene, tmp_path: Path) -> None:
    root = scene.make("density", tmp_path / "d", tile_format="png", order=0)
    assert read_properties(root)["hips_tile_format"] == "png"
    with Image.open(root / "Norder0" / "Dir0" / "Npix11.png") as image:
        image.load()
        assert image.size == (64, 64)
    assert (root / "Norder0" / "Allsky.png").exists()


@pytest.mark.parametrize("channels", [1, 5])
def test_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    names = tuple("abcde"[:channels])
    images = make_imageset(tmp_path / "images.h5", 12, size=21, channels=names)
    catalogue = make_catalogue(tmp_path / "c.parquet", images)
    write_small_bundle(tmp_path / "model", channels=names, size=16)
    scene = Scene(images, tmp_path / "model", catalogue)
    for layer in ("generated", "real"):
        root = scene.make(layer, tmp_path / layer, order=0)
        tile = read_jpeg(root / "Norder0" / "Dir0" / "Npix4.jpg").astype(int)
        assert tile.max() > 100
        grey = np.abs(tile - tile.mean(axis=2, keepdims=True)).max() <= 2
        assert grey == (channels == 1)


@pytest.mark.parametrize("layer", ["generated", "real"])
def test_ranks_and_threads_do_not_change_a_byte(
    made: Made, scene: Scene, tmp_path: Path, layer: str
) -> None:
    arguments = ["-m", "morphosphere.hips", *scene.arguments(layer, tmp_path / "out")]
    arguments[arguments.index("--threads") + 1] = "1"
    command = [MPIEXEC, "-n", "2", sys.executable, *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert tree(tmp_path / "out") == tree(made(layer))
