"""Pictures of a survey's galaxies for figures and page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.errors import InputError


def shown_as(images: ImageSet, model: Path | None) -> Transform:
    """How images become pictures: as the network sees them if the model is given.

    Without it, pictures (uint8) stay as they are, and fluxes get an asinh stretch of each image.
    """
    if model is not None:
        return ModelBundle.load(model).transform
    if images.images.dtype == np.uint8:
        return Transform(channels=images.channels, size=images.size)
    return Transform(images.channels, images.size, scale="image", stretch="asinh", softening=0.05)


def read_rows(images: ImageSet, rows: np.ndarray) -> np.ndarray:
    """Images of `rows`, in any order, shape (n, C, H, W); consecutive ones are read at once."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    runs = np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1)
    out = np.empty((len(rows), *images.images.shape[1:]), dtype=images.images.dtype)
    if len(rows):
        out[order] = np.concatenate([images.read(int(r[0]), int(r[-1]) + 1) for r in runs])
    return out


def check_same(images: ImageSet, catalogue: Catalogue) -> None:
    """Refuse images and predictions that do not belong together.

    Raises
    ------
    InputError
        Naming both files and the first row that differs.
    """
    again = f"predict {images.path} again"
    if len(images) != len(catalogue):
        raise InputError(
            f"{catalogue.path}: {len(catalogue)} rows for {len(images)} images of "
            f"{images.path}; {again}"
        )
    first = 0
    for batch in catalogue.batches(["image_id"]):
        here = slice(first, first + len(batch["image_id"]))
        if list(map(str, images.column("image_id", here))) != list(map(str, batch["image_id"])):
            raise InputError(
                f"{images.path}: images do not belong to {catalogue.path} (row {first} on); {again}"
            )
        first = here.stop
