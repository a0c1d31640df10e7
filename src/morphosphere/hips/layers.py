"""The four layers: from images, model and catalogue to a complete HiPS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.hips import HipsSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.files import digest
from morphosphere.hips import folder, metadata, sources
from morphosphere.hips.loop import block_size, blocks, draw_galaxies, make_tiles
from morphosphere.hips.overview import write_overviews, write_preview
from morphosphere.hips.painter import Painter
from morphosphere.hips.partition import places
from morphosphere.hips.pictures import GeneratedPictures, Pictures
from morphosphere.hips.real import real_pictures
from morphosphere.hips.tiles import TileFormat
from morphosphere.parallel import World

_IMAGE_KEYS = ("order", "tile_width", "tile_format", "jpeg_quality")
_CELL_KEYS = (*_IMAGE_KEYS, "cells", "fill", "background")
#: The settings that each layer's tiles depend on.
KEYS = {
    "generated": _CELL_KEYS,
    "real": (*_CELL_KEYS, "align", "unique", "reach"),
    "density": (*_IMAGE_KEYS, "density_fwhm", "density_colors"),
    "catalogue": ("catalogue_rank", "catalogue_rows"),
}


@dataclass(frozen=True)
class Inputs:
    """Where a layer's inputs are, and where it goes.

    Attributes
    ----------
    images, model, catalogue, output : Path
    threads : int
        That draw tiles, in each rank.
    """

    images: Path
    model: Path
    catalogue: Path
    output: Path
    threads: int


def make_layer(layer: str, inputs: Inputs, settings: HipsSettings, ranks: World) -> dict[str, Any]:
    """Make one layer, or complete what an earlier run left; return facts for the run record."""
    catalogue = open_catalogue(inputs.catalogue)
    check_columns(layer, catalogue, settings)
    if ranks.first:
        kept = folder.prepare(inputs.output, _fingerprint(layer, inputs, settings))
        folder.clean(inputs.output, scratch=not kept)
    ranks.barrier()
    if layer == "catalogue":
        facts = _catalogue_layer(inputs, settings, catalogue) if ranks.first else {}
    else:
        facts = _image_layer(layer, inputs, settings, catalogue, ranks)
    ranks.barrier()
    return facts


def open_catalogue(path: Path) -> Catalogue:
    """A Catalogue that has rows with positions.

    Raises
    ------
    InputError
        If it has none.
    """
    catalogue = Catalogue(path)
    if missing := [name for name in ("lon", "lat") if name not in catalogue.columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; run the predict stage again")
    placed = 0
    for _, lat in places(catalogue, ("lon", "lat")):
        placed += len(lat)
        if (np.abs(lat) > 90).any():
            raise InputError(
                f"{path}: a latitude is beyond 90 degrees; run the predict stage again"
            )
    if not placed:
        raise InputError(f"{path}: no image has a position; run the predict stage again")
    return catalogue


def check_columns(layer: str, catalogue: Catalogue, settings: HipsSettings) -> None:
    """Raise InputError or ConfigError if `layer` needs a column that is not there."""
    needed = {"real": ["image_id", "galaxy_id"], "catalogue": ["image_id"]}.get(layer, [])
    if layer == "real" and settings.align:
        needed += ["angle", "flip"]
    for name in needed:
        if name not in catalogue.columns:
            raise InputError(f"{catalogue.path}: no column {name!r}; run the predict stage again")
    rank = settings.catalogue_rank.removeprefix("-")
    if layer == "catalogue" and rank not in catalogue.properties:
        raise ConfigError(
            f"hips.catalogue_rank: {rank!r} is no number in the catalogue; "
            f"choose one of {', '.join(catalogue.properties)}"
        )
    if layer == "density":
        from morphosphere.hips.density import colour_names

        if settings.density_colors not in colour_names():
            raise ConfigError(
                f"hips.density_colors: {settings.density_colors!r} is no colour map of matplotlib; "
                "for example viridis, magma or cividis"
            )


def _fingerprint(layer: str, inputs: Inputs, settings: HipsSettings) -> dict[str, Any]:
    digests: dict[str, Any] = {}
    if layer != "generated":
        digests["catalogue"] = digest(inputs.catalogue)
    if layer == "generated":
        digests["decoder"] = digest(ModelBundle.load(inputs.model).path / "decoder.onnx")
    if layer == "real":
        digests["transform"] = digest(ModelBundle.load(inputs.model).path / "transform.json")
        with ImageSet(inputs.images) as images:
            digests["images"] = folder.digest_images(images)
    return {
        "layer": layer,
        "drawing": folder.DRAWING_VERSION,
        "settings": {key: getattr(settings, key) for key in KEYS[layer]},
        "inputs": digests,
    }


def _progenitors(layer: str, inputs: Inputs) -> list[Path]:
    if layer == "generated":
        return [inputs.model]
    return [inputs.images, inputs.catalogue] if layer == "real" else [inputs.catalogue]


def _image_layer(
    layer: str, inputs: Inputs, settings: HipsSettings, catalogue: Catalogue, ranks: World
) -> dict[str, Any]:
    root = inputs.output
    form = TileFormat(settings.tile_format, settings.jpeg_quality)
    facts: dict[str, Any] = {}
    note = ""
    if layer == "density":
        from morphosphere.hips.density import colour_table, density_map, draw_density

        place = catalogue.read(["lon", "lat"])
        density = density_map(place["lon"], place["lat"], settings.density_fwhm)
        draw = draw_density(density, colour_table(settings.density_colors), settings.tile_width)
        work = blocks(settings.order, 16)
        facts["images_per_square_degree"] = {"largest": density.top}
        note = (
            f"Smoothed by a Gaussian of {density.fwhm:g} degrees; the colours "
            f"({settings.density_colors}) run from 0 to {density.top:.4g} images per square degree."
        )
    else:
        side = _picture_side(settings)
        bundle = ModelBundle.load(inputs.model, threads=1)
        if layer == "generated":
            pictures: Pictures = GeneratedPictures(bundle, side)
        else:
            pictures, facts = real_pictures(
                inputs.images,
                root,
                settings=settings,
                catalogue=catalogue,
                transform=bundle.transform,
                side=side,
                ranks=ranks,
            )
        sky = pictures.sky()
        painters = [
            Painter(
                order=order,
                width=settings.tile_width,
                cells=settings.cells,
                fill=settings.fill,
                seamless=settings.background == "seamless",
                sky=sky,
            )
            for order in range(settings.order + 1)
        ]
        draw = draw_galaxies(painters, pictures)
        work = blocks(settings.order, block_size(settings.cells))
    written = make_tiles(
        root,
        draw,
        work,
        form=form,
        threads=inputs.threads,
        ranks=ranks,
        description=f"{layer} tiles",
    )
    counts = ranks.gather(written)
    if ranks.first:
        write_overviews(root, settings.order, form, inputs.threads)
        metadata.write_moc(root)
        metadata.write_votable(
            root,
            ["metadata.xml"],
            f"{settings.title}: {layer}",
            f"{metadata.DESCRIPTIONS[layer]} {note}".strip(),
            {key: getattr(settings, key) for key in KEYS[layer]},
        )
        folder.clean(root, scratch=True)
        metadata.write_properties(
            root,
            layer,
            settings,
            metadata.image_properties(settings),
            progenitors=_progenitors(layer, inputs),
            note=note,
        )
        facts["tiles_written"] = sum(counts or [])
    return facts


def _rank_in_words(rank: str) -> str:
    name = rank.removeprefix("-")
    return f"The {'smallest' if rank.startswith('-') else 'largest'} {name} first."


def _picture_side(settings: HipsSettings) -> int:
    """Width in pixels that a picture has on a tile, rounded up to an even number."""
    return 2 * int(np.ceil(settings.fill * settings.tile_width / settings.cells / 2))


def _catalogue_layer(
    inputs: Inputs, settings: HipsSettings, catalogue: Catalogue
) -> dict[str, Any]:
    root = inputs.output
    fields = sources.fields_of(catalogue)
    order = sources.write_sources(
        root, catalogue, fields, rank=settings.catalogue_rank, rows=settings.catalogue_rows
    )
    write_preview(root, sources.preview_of(places(catalogue, ("lon", "lat"))))
    metadata.write_moc(root)
    metadata.write_votable(
        root,
        ["metadata.xml", "Metadata.xml"],
        f"{settings.title}: catalogue",
        metadata.DESCRIPTIONS["catalogue"],
        {"hips_order": order},
        fields,
    )
    folder.clean(root, scratch=True)
    metadata.write_properties(
        root,
        "catalogue",
        settings,
        {
            "dataproduct_type": "catalog",
            "hips_order": order,
            "hips_order_min": 0,
            "hips_tile_format": "tsv",
            "hips_cat_nrows": len(catalogue),
        },
        progenitors=_progenitors("catalogue", inputs),
        note=_rank_in_words(settings.catalogue_rank),
    )
    return {"sources": len(catalogue), "order": order}
