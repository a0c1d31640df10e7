"""Read images and bring them to one size: what one thread does with a few items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphosphere.collect.fault import Fault
from morphosphere.collect.frame import fit
from morphosphere.collect.hdf5 import read_rows
from morphosphere.collect.items import Item, Reject
from morphosphere.collect.pictures import read_picture
from morphosphere.config.collect import SurveySettings


@dataclass(frozen=True)
class Collected:
    """One image of the survey's size.

    Attributes
    ----------
    index : int
        Its item's place in the list of items.
    pixels : ndarray, shape (C, size, size)
    picture : bool
        Whether the file holds 8-bit pixels.
    facts : dict
        ``bad_pixels``, and what `fit` and the file's header say.
    """

    index: int
    pixels: np.ndarray
    picture: bool
    facts: dict[str, Any]


def read_items(items: list[Item], start: int, settings: SurveySettings) -> list[Collected | Reject]:
    """Read items whose first is number `start` of the list; a faulty one becomes a reject."""
    out: list[Collected | Reject] = []
    for index, item in enumerate(items, start):
        try:
            pixels, facts = _pixels(item, settings)
            _check_channels(pixels, settings)
            image, about = fit(pixels, settings)
            picture = pixels.dtype == np.uint8
            # A cut is copied: it would keep the whole image, and the next one needs its memory.
            out.append(Collected(index, np.ascontiguousarray(image), picture, {**facts, **about}))
        except Fault as fault:
            out.append(Reject(item.files[0], item.id, " ".join(str(fault).split())))
        except OSError as error:
            reason = f"unreadable: {error.strerror or error}"
            out.append(Reject(item.files[0], item.id, reason))
    return out


def _pixels(item: Item, settings: SurveySettings) -> tuple[np.ndarray, dict[str, Any]]:
    """Pixels (C, H, W), uint8 or float32, of an item and what its header says."""
    planes, facts = [], {}
    for file in item.files:
        if item.kind == "picture":
            pixels = read_picture(file, settings.colour, _least(settings))
        elif item.kind == "fits":
            from morphosphere.collect.fits import read_fits

            hdu = settings.hdu if item.part is None else item.part
            pixels, said = read_fits(file, hdu, wcs=settings.wcs)
            facts = facts or said
        else:
            pixels = read_rows(file, settings.dataset, item.part or 0, (item.part or 0) + 1)[0]
        planes.append(pixels)
    if len(planes) == 1:
        return planes[0], facts
    if any(len(p) != 1 for p in planes):
        raise Fault("wrong number of channels: a file of one band holds several")
    if len({p.shape for p in planes}) > 1:
        raise Fault("its bands have images of different sizes")
    return np.concatenate(planes), facts


def _least(settings: SurveySettings) -> int | None:
    """Least side at which a large JPEG may be decoded without loss to the result."""
    if settings.fit != "resample" or settings.subtract_sky:
        return None
    return math.ceil(settings.size / settings.crop) + 1


def _check_channels(pixels: np.ndarray, settings: SurveySettings) -> None:
    if settings.bands and len(pixels) != len(settings.bands):
        raise Fault(f"wrong number of channels: {len(pixels)}, not {len(settings.bands)}")
    if len(pixels) > 12:
        raise Fault(f"wrong number of channels: {len(pixels)}, at most 12 are understood")
