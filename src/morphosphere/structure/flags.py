"""Flags of images whose structural parameters cannot be trusted, as bits of a number.

What matters of a galaxy that is cut off is the light that a stamp does not show: of the predicted
profile, the share beyond the stamp (a large share says that the total magnitude is a guess), and on
the image itself, the brightness of each edge (light that goes on there, whatever was predicted) and
how far the galaxy lies from the middle. Faint wings that reach the edge, as of every profile of a
large index, and a disc that just fits are no faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphosphere.config.sersic_predict import FlagSettings
from morphosphere.structure.enclosed import share_outside
from morphosphere.structure.facts import COLUMNS_NEEDED
from morphosphere.structure.pixels import filled, missing, own_part
from morphosphere.structure.saturation import has_plateau
from morphosphere.structure.sources import galaxy_of, second_source

#: What each bit says, in order from the lowest.
FLAGS: dict[str, str] = {
    "blank": "no source in the middle, or one value throughout",
    "masked": "too many pixels without a value",
    "saturated": "the brightest pixels are a plateau, or at the level of saturation",
    "truncated": "much of the galaxy's light lies beyond the stamp, or it is not in the middle",
    "neighbour": "a second source in the stamp",
    "no_psf": "the point-spread function is not known",
    "no_scale": "noise, gain, pixel size, zero point or stamp size is not known",
    "outside_prior": "beyond the parameters, noise or PSF of training",
    "unlike": "the image is unlike those of training",
}
BITS: dict[str, int] = {name: 1 << number for number, name in enumerate(FLAGS)}
#: Columns that say how an image was taken; without one of them nothing can be told.
COLUMNS: tuple[str, ...] = ("zero_point", "pixel_size", *COLUMNS_NEEDED)
#: A column that may say at which pixel value the detector is full.
SATURATION = "saturation"
_EDGE = 3  # pixels


def names_of(flags: int) -> list[str]:
    """Names of the bits that are set."""
    return [name for name, bit in BITS.items() if int(flags) & bit]


def flags_of_table(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Flags of n images by what is known of how they were taken.

    Parameters
    ----------
    columns : mapping of ndarray, each of shape (n,)
        Those of `COLUMNS`.

    Returns
    -------
    ndarray of int32, shape (n,)
    """
    bad = {name: ~np.isfinite(np.asarray(columns[name], np.float64)) for name in COLUMNS}
    for name in COLUMNS:
        if name != "zero_point":
            bad[name] |= ~(np.asarray(columns[name], np.float64) > 0)
    psf = [name for name in COLUMNS if name.startswith("psf_")]
    scale = [name for name in COLUMNS if name not in psf]
    flags = BITS["no_psf"] * np.any([bad[name] for name in psf], axis=0)
    return (flags + BITS["no_scale"] * np.any([bad[name] for name in scale], axis=0)).astype("i4")


@dataclass(frozen=True)
class Seen:
    """What the pixels of an image say.

    Attributes
    ----------
    flags : int
    neighbour_share, neighbour_noise : float
        Light of the second source over that of the galaxy, and its signal-to-noise ratio; 0 where
        none was found, NaN where none was looked for.
    """

    flags: int
    neighbour_share: float = np.nan
    neighbour_noise: float = np.nan


def flags_of_image(
    image: np.ndarray,
    *,
    sky_noise: float,
    gain: float,
    stamp_size: float,
    settings: FlagSettings,
    saturation: float = np.nan,
) -> Seen:
    """Flags of an image by its pixels.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        As stored; pixels without a value are NaN.
    sky_noise, gain, stamp_size : float
        As in the table, positive.
    settings : FlagSettings
    saturation : float
        Pixel value from which the detector is full, NaN where that is not known.
    """
    image = own_part(np.asarray(image, np.float64), stamp_size)
    gone = missing(image)
    values = image[~gone]
    if not len(values) or values.max() == values.min():
        return Seen(BITS["blank"] + (BITS["masked"] if gone.any() else 0))
    flags = BITS["masked"] if _masked(gone, settings) else 0
    known = np.where(gone, np.nan, image)
    if values.max() >= saturation or has_plateau(known, sky_noise, gain, settings.plateau):
        flags |= BITS["saturated"]
    image = filled(image[None, None])[0, 0]
    galaxy = galaxy_of(image, sky_noise, gain)
    if galaxy.noise < settings.faintest:
        return Seen(flags | BITS["blank"])
    away = np.hypot(galaxy.x, galaxy.y) - 3 * galaxy.scale / galaxy.noise
    if away > settings.off_centre or _edge_light(image, sky_noise) > settings.edge_light:
        flags |= BITS["truncated"]
    second = second_source(image, sky_noise, gain, galaxy, settings.neighbour_share)
    share = second.light / galaxy.light
    if second.noise >= settings.neighbour_noise:
        flags |= BITS["neighbour"]
    return Seen(flags, share, second.noise)


def flags_of_prediction(
    columns: Mapping[str, np.ndarray],
    stamp_width: np.ndarray,
    settings: FlagSettings,
) -> np.ndarray:
    """Flags of n galaxies by their predicted profiles.

    Parameters
    ----------
    columns : mapping of ndarray, each of shape (n,)
        Predicted columns of a `parameters.Space`.
    stamp_width : ndarray, shape (n,)
        Width of the part that was measured, in arcsec.
    settings : FlagSettings
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        beyond = share_outside(columns, stamp_width) > settings.outside
    return (BITS["truncated"] * beyond).astype("i4")


def outside(values: np.ndarray, ranges: np.ndarray, margin: float) -> np.ndarray:
    """Which rows of values (n, P) lie beyond ranges (P, 2) by over `margin` of their widths.

    Values that are NaN do not.
    """
    low, high = np.asarray(ranges, np.float64).T
    beyond = margin * (high - low)
    return ((values < low - beyond) | (values > high + beyond)).any(axis=1)


def is_masked(image: np.ndarray, settings: FlagSettings | None = None) -> bool:
    """Whether too many pixels of an image (H, W) have no value."""
    return _masked(missing(image), settings or FlagSettings())


def _masked(gone: np.ndarray, settings: FlagSettings) -> bool:
    if not gone.any():
        return False
    height, width = gone.shape
    rows = np.arange(height)[:, None] - (height - 1) / 2
    columns = np.arange(width)[None, :] - (width - 1) / 2
    away = np.hypot(rows, columns)
    core, middle = away <= max(height, width) / 8, away <= 1.5
    return bool(
        gone[core].mean() > settings.masked_core
        or gone[middle].any()
        or gone.mean() > settings.masked_stamp
    )


def _edge_light(image: np.ndarray, sky_noise: float) -> float:
    """Mean brightness of the brightest edge over that of the stamp; a lower bound at 3 sigma."""
    strips = [image[:_EDGE], image[-_EDGE:], image[:, :_EDGE], image[:, -_EDGE:]]
    mean = image.mean()
    noise = sky_noise / np.sqrt(image.size)
    if mean < 3 * noise:
        return 0.0
    bright = max(strip.mean() - 3 * sky_noise / np.sqrt(strip.size) for strip in strips)
    return float(bright / mean)
