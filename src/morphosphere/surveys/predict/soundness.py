"""Images that show nothing, and readings that are no numbers."""

from __future__ import annotations

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import InputError
from morphosphere.surveys.reading import Reading


def broken(images: np.ndarray) -> np.ndarray:
    """Which images (n, C, H, W), as stored, show nothing: of one value, or over 1 % not finite."""
    flat = images.reshape(len(images), -1)
    finite = np.isfinite(flat)
    first = np.take_along_axis(flat, finite.argmax(axis=1)[:, None], axis=1)
    constant = ((flat == first) | ~finite).all(axis=1)
    return constant | (finite.mean(axis=1) < 0.99)


def check_finite(reading: Reading, images: ImageSet, start: int) -> None:
    """Raise InputError, naming the first image, if the model gave numbers that are not finite.

    Parameters
    ----------
    reading : Reading
    images : ImageSet
    start : int
        Row of the first image that was read.
    """
    parts = [reading.probability, reading.std, reading.features, reading.distance[:, None]]
    if reading.type_probability is not None:
        parts.append(reading.type_probability)
    sound = np.all([np.isfinite(part).all(axis=1) for part in parts], axis=0)
    if not sound.all():
        row = start + int(np.flatnonzero(~sound)[0])
        name = images.column("image_id", slice(row, row + 1))[0]
        raise InputError(
            f"{images.path}: the model gives no finite numbers for image {name} (row {row}); "
            "look at the image and at the training's log, and train again"
        )
