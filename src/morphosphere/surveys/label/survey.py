"""What is needed of a survey's images to label and to match them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_label import LabelSettings
from morphosphere.errors import InputError


@dataclass(frozen=True)
class Survey:
    """A survey's images, of which some are to be labelled.

    Attributes
    ----------
    path : Path
    ids, galaxies : ndarray of str, shape (N,)
    position : pair of ndarray, or None
        Right ascension and declination in degrees.
    """

    path: Path
    ids: np.ndarray
    galaxies: np.ndarray
    position: tuple[np.ndarray, np.ndarray] | None

    @property
    def sky(self) -> tuple[np.ndarray, np.ndarray]:
        """The position, which surveys that are matched have."""
        assert self.position is not None
        return self.position


def check_bands(a: ImageSet, b: ImageSet) -> None:
    """Raise InputError if survey B has other bands than A, or in another order."""
    if a.channels == b.channels:
        return
    same = sorted(a.channels) == sorted(b.channels)
    what = "in another order" if same else "other bands"
    raise InputError(
        f"{b.path}: channels {', '.join(b.channels)}, but the labelled survey {a.path} has "
        f"{', '.join(a.channels)}: {what}; collect both with the same `bands` in the same order"
    )


def check_pixels(a: ImageSet, b: ImageSet) -> None:
    """Raise InputError if one survey has pictures of 8 bits and the other fluxes.

    A model scales the one by a fixed number and the other by each image's brightness, unless it is
    told what to do.
    """
    kinds = [images.images.dtype == np.uint8 for images in (a, b)]
    if kinds[0] != kinds[1]:
        words = ["pictures of 8 bits" if kind else "fluxes" for kind in kinds]
        raise InputError(
            f"{b.path}: holds {words[1]}, but the labelled survey {a.path} {words[0]}, which a "
            "model scales in another way; collect both with `dtype: float32`"
        )


def read_survey(images: ImageSet, settings: LabelSettings) -> Survey:
    """Ids and positions of the images.

    Raises
    ------
    InputError
        If there are no images, an id stands twice, or positions are missing that are needed.
    """
    ids = images.column("image_id").astype(object)
    if not len(ids):
        raise InputError(f"{images.path}: holds no images; look at the stages before")
    names, counts = np.unique(ids.astype(str), return_counts=True)
    if (counts > 1).any():
        twice = names[counts > 1]
        raise InputError(
            f"{images.path}: ids of images that stand more than once: {len(twice)}, as "
            f"{str(twice[0])!r}; make the set again with an id for each image"
        )
    galaxies = images.column("galaxy_id").astype(object)
    return Survey(images.path, ids, galaxies, _position(images, settings))


def _position(images: ImageSet, settings: LabelSettings) -> tuple[np.ndarray, np.ndarray] | None:
    """Positions in degrees; None where there are none and none are needed."""
    from astropy import units as u

    there = [name in images.columns for name in (settings.ra, settings.dec)]
    if not all(there):
        if settings.overlap:
            name = (settings.ra, settings.dec)[there.index(False)]
            raise InputError(
                f"{images.path}: no column {name!r} to match the surveys by; it has "
                f"{', '.join(images.columns)}. Give transfer.label.ra and dec, or overlap: false"
            )
        return None
    by_position = settings.table is not None and settings.table.by == "position"
    if not (settings.overlap or by_position) and not all(
        images.column(name, slice(0, 1)).dtype.kind in "iuf" for name in (settings.ra, settings.dec)
    ):
        return None  # columns of these names that are not asked for may be anything
    found = []
    for name in (settings.ra, settings.dec):
        values = images.column(name)
        if values.dtype.kind not in "iuf":
            raise InputError(f"{images.path}: column {name!r} holds text, not degrees")
        unit = images.column_attributes(name).get("unit") or "deg"
        try:
            found.append(u.Quantity(values.astype(np.float64), unit).to_value(u.deg))
        except (ValueError, TypeError, u.UnitConversionError):
            raise InputError(
                f"{images.path}: column {name!r} is in {unit!r}, which is no unit of an angle"
            ) from None
    return found[0], found[1]
