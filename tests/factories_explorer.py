"""A small run by hand: images, model, catalogue, plain HiPS layers, and the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import healpy
import numpy as np
import simplejpeg
from mocpy import MOC

from factories_images import make_imageset
from factories_models import write_small_bundle
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.explore import ExploreDataSettings, ExploreSettings
from morphosphere.explorer.site import find_aladin, write_site

COUNT = 150
DATA_SETTINGS = ExploreDataSettings(chunk_rows=64, sheet_side=4)
COLOURS = {"generated": (40, 90, 200), "real": (170, 60, 40)}


@dataclass(frozen=True)
class Run:
    """Paths of a run and what is in it."""

    folder: Path
    catalogue: dict[str, np.ndarray]

    @property
    def images(self) -> Path:
        return self.folder / "images.h5"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def table(self) -> Path:
        return self.folder / "catalogue.parquet"

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def data(self) -> Path:
        return self.folder / "site" / "data"

    @property
    def hips(self) -> list[Path]:
        return [self.folder / "hips" / name for name in ("generated", "real", "catalogue")]


def sphere_positions(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over the sphere, no two close together; degrees."""
    golden = 180 * (3 - np.sqrt(5))
    z = 1 - (2 * np.arange(count) + 1) / count
    order = np.random.default_rng(seed).permutation(count)
    return (golden * np.arange(count) % 360)[order], np.degrees(np.arcsin(z))[order]


def make_catalogue(images: Path, path: Path, *, neighbours: int = 6) -> dict[str, np.ndarray]:
    """A Catalogue for an ImageSet, with places made up but known."""
    with ImageSet(images) as opened:
        table = opened.table()
    count = len(table["image_id"])
    random = np.random.default_rng(1)
    lon, lat = sphere_positions(count)
    score = random.gamma(2.0, 1.0, count)
    mass = np.asarray(table["stellar_mass"], dtype=np.float64).copy()
    mass[min(7, count - 1)] = np.nan
    columns = {
        **table,
        "stellar_mass": mass,
        "note <&>": np.array([f'says "{i}", twice' for i in range(count)], dtype=object),
        "subhalo_id": np.arange(count, dtype=np.int64) + 5_000_000_000,
        "lon": lon,
        "lat": lat,
        "concentration": random.gamma(5.0, 20.0, count).astype(np.float32),
        "angle": random.uniform(0, 360, count).astype(np.float32),
        "flip": random.random(count) < 0.5,
        "reconstruction_error": random.uniform(0.01, 0.1, count).astype(np.float32),
        "outlier_score": score.astype(np.float32),
        "split": np.array(["train", "validation", "test"], dtype=object)[np.arange(count) % 3],
        "features": random.normal(size=(count, 4)).astype(np.float32),
        "neighbours": (np.arange(count)[:, None] + np.arange(1, neighbours + 1)) % count,
        "neighbour_distances": np.tile(np.arange(neighbours, dtype=np.float32), (count, 1)),
    }
    with CatalogueWriter(path) as writer:
        half = count // 2 or 1
        for rows in (slice(0, half), slice(half, count)):
            part = {name: values[rows] for name, values in columns.items()}
            if len(part["lon"]):
                writer.append(part)
    return columns


def make_layer(folder: Path, colour: tuple[int, int, int], *, kind: str = "image") -> None:
    """A HiPS of one colour, order 0, tiles of 512 pixels."""
    folder.mkdir(parents=True)
    if kind == "image":
        tiles = folder / "Norder0" / "Dir0"
        tiles.mkdir(parents=True)
        tile = simplejpeg.encode_jpeg(np.full((512, 512, 3), colour, dtype=np.uint8), 90)
        for number in range(12):
            (tiles / f"Npix{number}.jpg").write_bytes(tile)
        allsky = folder / "Norder3"
        allsky.mkdir()
        picture = np.full((29 * 64, 27 * 64, 3), colour, dtype=np.uint8)
        (allsky / "Allsky.jpg").write_bytes(simplejpeg.encode_jpeg(picture, 90))
    MOC.from_string("0/0-11").save(folder / "Moc.fits", format="fits")
    (folder / "properties").write_text(
        f"creator_did = ivo://test/{folder.name}\n"
        f"obs_title = {folder.name.capitalize()} layer\n"
        f"dataproduct_type = {'image' if kind == 'image' else 'catalog'}\n"
        "hips_version = 1.4\nhips_frame = equatorial\nhips_order = 0\nhips_order_min = 0\n"
        "hips_tile_width = 512\nhips_tile_format = jpeg\nhips_status = public master clonable\n"
        "dataproduct_subtype = color\n"
    )


def make_cells(folder: Path, lon: np.ndarray, lat: np.ndarray, *, order: int = 2) -> np.ndarray:
    """Write which row is shown in which cell; cells without a galaxy show none."""
    cells = np.full(healpy.nside2npix(2**order), -1, dtype="<i4")
    cell = healpy.ang2pix(2**order, lon, lat, nest=True, lonlat=True)
    cells[cell[::-1]] = np.arange(len(lon))[::-1]
    (folder / "Norder0" / "cells.bin").write_bytes(cells.tobytes())
    index = {"orders": [{"order": 0, "cell_order": order}]}
    (folder / "cells.json").write_text(json.dumps(index))
    return cells


def make_run(folder: Path, count: int = COUNT, **kwargs: object) -> Run:
    """Images, model, catalogue and layers; neither data nor page."""
    make_imageset(folder / "images.h5", count, size=32, **kwargs)
    channels = kwargs.get("channels", ("i", "r", "g"))
    write_small_bundle(folder / "model", channels=tuple(channels), size=32)
    columns = make_catalogue(folder / "images.h5", folder / "catalogue.parquet")
    for name, colour in COLOURS.items():
        make_layer(folder / "hips" / name, colour)
    make_layer(folder / "hips" / "catalogue", (0, 0, 0), kind="catalog")
    make_cells(folder / "hips" / "real", columns["lon"], columns["lat"])
    return Run(folder, columns)


def add_page(run: Run, **settings: object) -> dict[str, object]:
    """The page of a run whose data are there."""
    return write_site(
        ExploreSettings(**settings),
        data=run.data,
        hips=run.hips,
        site=run.site,
        aladin=find_aladin(None),
    )
