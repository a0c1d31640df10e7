"""One real image: read, made linear, cleaned, and cut to the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from morphosphere.collect.fault import Fault
from morphosphere.collect.fits import read_fits
from morphosphere.collect.items import Item
from morphosphere.collect.pictures import read_picture
from morphosphere.config.merger_sources import RealMergersSettings
from morphosphere.mergers.real.geometry import distances, kpc_per_pixel, nuclei_of, within
from morphosphere.mergers.real.known import Known
from morphosphere.mergers.real.sources import brightest_pair, centre_of_light, clean, sky

#: Pixels of an image that the frame may be wide: its memory grows with the square.
_WIDEST = 16_000

#: Magnitude of flux 1.
ZERO_POINT = 22.5


@dataclass(frozen=True)
class Frame:
    """The frame that images are brought into: channels, pixels, and width in kpc."""

    channels: tuple[str, ...]
    size: int
    width: float


def frame_image(
    item: Item, known: Known, settings: RealMergersSettings, frame: Frame
) -> tuple[np.ndarray, dict[str, Any]]:
    """Pixels (C, size, size), float32, linear in flux, and facts about them.

    Raises
    ------
    Fault
        If the image cannot be read, or a value that it needs is missing.
    """
    planes = _channels(_linear(_read(item, settings), item, settings), frame)
    seen = np.isfinite(planes).all(axis=0)
    if not seen.any():
        raise Fault("no pixel is a finite number")
    planes = np.where(seen, planes, 0).astype(np.float32)
    redshift, scale = distances(known, settings)
    pixel = kpc_per_pixel(known, settings, scale)
    shape = planes.shape[1:]
    nuclei = nuclei_of(known, settings, shape=shape, fits=item.kind == "fits", pixel=pixel)
    there = within(nuclei, shape)
    if settings.subtract_sky:
        planes -= np.array([sky(plane, seen)[0] for plane in planes])[:, None, None]
        planes[:, ~seen] = 0
    scatter = sky(planes.mean(axis=0), seen)[1]
    on_light = np.nan
    if there.all():
        first = planes.mean(axis=0)
        on_light = float(all(_shines(first, place, scatter) for place in nuclei))
    # nuclei that shine nowhere are not where they are said to be: they guide nothing
    sound = nuclei if on_light == 1 else None
    masked = np.zeros(shape, dtype=bool)
    if settings.mask_stars:
        planes, masked = clean(planes, planes.mean(axis=0), seen, sound)
    light = planes.mean(axis=0)
    if not (light > 0).any():
        raise Fault("there is no light above the sky")
    centre = _centre(light, seen, nuclei, sound, settings)
    images, covered = _cut(planes, centre, frame.width / pixel, frame.size)
    separation = np.nan
    if there.all():
        separation = float(np.hypot(*(nuclei[1] - nuclei[0]))) * pixel
    pair = brightest_pair(light, pixel)
    by_light = np.nan if pair is None else float(np.hypot(*(pair[1] - pair[0]))) * pixel
    middle = np.array([frame.size / 2] * 2)
    places = np.full((2, 2), np.nan)
    if nuclei is not None:
        places = (nuclei - centre) * pixel * frame.size / frame.width + middle
    return images, {
        "redshift": redshift,
        "pixel_scale": frame.width / frame.size,
        "field_of_view": frame.width,
        "separation_projected": separation,
        "separation_light": by_light,
        "nuclei_in_image": np.nan if nuclei is None else float(there.sum()),
        "nuclei_on_light": on_light,
        **{
            f"nucleus_{i + 1}_{axis}": float(places[i, k])
            for i in (0, 1)
            for k, axis in ((0, "x"), (1, "y"))
        },
        "covered": covered,
        "masked": float(masked.mean()),
        "bad_pixels": float(1 - seen.mean()),
    }


def _read(item: Item, settings: RealMergersSettings) -> np.ndarray:
    planes = []
    for file in item.files:
        if item.kind == "picture":
            planes.append(read_picture(file).astype(np.float32))
        elif item.kind == "fits":
            planes.append(read_fits(file, settings.hdu)[0])
        else:
            raise Fault(f"is of kind {item.kind}; real images are pictures or FITS files")
    if len({p.shape[1:] for p in planes}) > 1:
        raise Fault("its bands have images of different sizes")
    return np.concatenate(planes)


def _linear(planes: np.ndarray, item: Item, settings: RealMergersSettings) -> np.ndarray:
    """Fluxes of magnitudes, or of a picture whose stretch is known."""
    planes = planes.astype(np.float64)
    if settings.pixels == "magnitudes":
        with np.errstate(over="ignore"):
            return 10.0 ** (-0.4 * (planes - ZERO_POINT))
    if settings.lupton_q is not None and item.kind == "picture":
        # all channels of a pixel were multiplied by one factor, f(I) / I
        stretched = settings.lupton_q * planes.mean(axis=0) / 255
        factor = np.sinh(stretched) / np.maximum(stretched, 1e-12)
        return planes * np.where(stretched > 0, factor, 1.0)
    return planes


def _channels(planes: np.ndarray, frame: Frame) -> np.ndarray:
    """As many channels as the frame has: all, or their mean."""
    if len(planes) == len(frame.channels):
        return planes
    if len(frame.channels) == 1:
        return planes.mean(axis=0, keepdims=True)
    raise Fault(
        f"wrong number of channels: {len(planes)}, not {len(frame.channels)} "
        f"({', '.join(frame.channels)})"
    )


def _centre(
    light: np.ndarray,
    seen: np.ndarray,
    nuclei: np.ndarray | None,
    sound: np.ndarray | None,
    settings: RealMergersSettings,
) -> np.ndarray:
    if settings.centre == "image":
        return np.array([light.shape[1] / 2, light.shape[0] / 2])
    if settings.centre == "nuclei":
        if nuclei is None or not within(nuclei, light.shape).all():
            raise Fault("a nucleus lies outside of the image; set centre to light")
        return nuclei.mean(axis=0)
    return centre_of_light(light, seen, sound)


def _shines(light: np.ndarray, place: np.ndarray, scatter: float) -> bool:
    """Whether there is light within three pixels of a position."""
    row, column = int(place[1]), int(place[0])
    window = light[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4]
    limit = max(5 * scatter, 1e-3 * float(light.max()))
    return bool(window.size and window.mean() > limit)


def _cut(
    planes: np.ndarray, centre: np.ndarray, side: float, size: int
) -> tuple[np.ndarray, float]:
    """A square of `side` pixels around a position, resampled; zero outside of the image.

    Returns
    -------
    images : ndarray of float32, shape (C, size, size)
    covered : float
        Share of the square that the image covers.
    """
    height, width = planes.shape[1:]
    left, top = centre[0] - side / 2, centre[1] - side / 2
    # a margin of a pixel of the result on all sides, for the interpolation
    margin = int(np.ceil(side / size)) + 1
    low_x, low_y = int(np.floor(left)) - margin, int(np.floor(top)) - margin
    count = int(np.ceil(side)) + 2 * margin + 1
    if count > _WIDEST:
        raise Fault(f"the frame is {count} of its pixels wide; check pixel_scale, or bin the image")
    wide = np.zeros((len(planes) + 1, count, count), dtype=np.float32)
    from_x, from_y = max(low_x, 0), max(low_y, 0)
    to_x, to_y = min(low_x + count, width), min(low_y + count, height)
    if from_x < to_x and from_y < to_y:
        rows = slice(from_y - low_y, to_y - low_y)
        columns = slice(from_x - low_x, to_x - low_x)
        wide[:-1, rows, columns] = planes[:, from_y:to_y, from_x:to_x]
        wide[-1, rows, columns] = 1
    box = (left - low_x, top - low_y, left - low_x + side, top - low_y + side)
    out = np.stack(
        [
            np.asarray(
                Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR, box=box)
            )
            for plane in wide
        ]
    )
    return out[:-1], float(out[-1].mean())
