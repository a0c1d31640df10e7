"""The real layer: which galaxy's image is shown in which cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.config.hips import HipsSettings
from morphosphere.errors import InputError
from morphosphere.files import write_json
from morphosphere.hips import folder
from morphosphere.hips.assign import assign_cells
from morphosphere.hips.painter import pose_matrices
from morphosphere.hips.pictures import RealPictures, stage_pictures
from morphosphere.memory import give_back
from morphosphere.parallel import World

#: Rows whose identifiers are read at a time.
ROWS = 8192


def real_pictures(
    path: Path,
    root: Path,
    *,
    settings: HipsSettings,
    catalogue: Catalogue,
    transform: Transform,
    side: int,
    ranks: World,
) -> tuple[RealPictures, dict[str, Any]]:
    """The pictures of the real layer, placed in the cells of all orders.

    Parameters
    ----------
    path : Path
        The ImageSet.
    root : Path
        Folder of the layer; gets ``cells.json`` and ``Norder<k>/cells.bin``.
    settings : HipsSettings
    catalogue : Catalogue
        Row n is image n.
    transform : Transform
        From stored images to pictures.
    side : int
        Width in pixels that is wanted of a picture.
    ranks : World

    Returns
    -------
    RealPictures
    dict
        Facts for the run record: the galaxies shown at each order, and all of them.

    Raises
    ------
    InputError
        If the catalogue is not that of the images.
    """
    with ImageSet(path) as images:
        check_rows(images, catalogue)
        scratch = root / ".pictures"
        side = stage_pictures(images, transform, scratch, side, ranks)
    place = catalogue.read(["lon", "lat"])
    turns = None
    if settings.align:
        pose = catalogue.read(["angle", "flip"])
        turns = pose_matrices(pose["angle"], pose["flip"])
    pictures = RealPictures(scratch, side, turns)
    galaxy = galaxy_numbers(catalogue, settings.unique)
    shown = {}
    bits = settings.cells.bit_length() - 1
    for order in range(settings.order + 1):
        rows = assign_cells(
            place["lon"], place["lat"], galaxy, order=order + bits, reach=settings.reach
        )
        pictures.place(order + bits, rows)
        shown[f"order {order}"] = int((rows >= 0).sum())
        if ranks.first:
            folder.write_cells(root, order, rows)
        give_back()
    if ranks.first:
        write_json(
            root / "cells.json",
            {
                "format": "morphosphere.cells",
                "description": "Norder<k>/cells.bin: little-endian int32, the catalogue row shown "
                "in each cell (nested HEALPix order cell_order), -1 for none.",
                "orders": [
                    {"order": k, "cell_order": k + bits, "shown": shown[f"order {k}"]}
                    for k in range(settings.order + 1)
                ],
            },
        )
    return pictures, {"galaxies_shown": shown, "galaxies": int(galaxy.max()) + 1}


def check_rows(images: ImageSet, catalogue: Catalogue) -> None:
    """Raise InputError unless row n of the catalogue is image n."""
    if len(images) != len(catalogue):
        raise InputError(
            f"{catalogue.path}: {len(catalogue)} rows for {len(images)} images of {images.path}; "
            "run the predict stage again"
        )
    row = 0
    for batch in catalogue.batches(["image_id"], ROWS):
        ours = batch["image_id"]
        theirs = images.column("image_id", slice(row, row + len(ours)))
        differ = np.flatnonzero(ours != theirs)
        if len(differ):
            k = differ[0]
            raise InputError(
                f"{catalogue.path}: row {row + k} is {ours[k]!r}, but image {row + k} of "
                f"{images.path} is {theirs[k]!r}; run the predict stage again"
            )
        row += len(ours)


def galaxy_numbers(catalogue: Catalogue, unique: str) -> np.ndarray:
    """A number from 0 for what may be shown once: each galaxy, or each image; int32, shape (N,)."""
    if unique == "image":
        return np.arange(len(catalogue), dtype=np.int32)
    numbers: dict[str, int] = {}
    out = np.empty(len(catalogue), dtype=np.int32)
    row = 0
    for batch in catalogue.batches(["galaxy_id"], ROWS):
        for name in batch["galaxy_id"]:
            out[row] = numbers.setdefault(name, len(numbers))
            row += 1
    return out
