"""From an image of any size to one of the survey's size: sky, window, resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from morphosphere.collect.fault import Fault
from morphosphere.collect.objects import border_level, central_object
from morphosphere.config.collect import SurveySettings

#: Magnitude of flux 1, so that fluxes are nanomaggies (per area).
ZERO_POINT = 22.5


def fit(pixels: np.ndarray, settings: SurveySettings) -> tuple[np.ndarray, dict[str, Any]]:
    """Bring one image to the survey's size.

    Parameters
    ----------
    pixels : ndarray, shape (C, H, W)
        uint8 or float32; NaN and infinite pixels are "not known".
    settings : SurveySettings

    Returns
    -------
    image : ndarray, shape (C, size, size)
        Pixels that are mostly not known are NaN.
    facts : dict
        ``bad_pixels`` (fraction that is NaN or infinite); for "object" also ``crop_width`` and
        ``object_radius`` in pixels of the file and ``object_found``.

    Raises
    ------
    Fault
        If the image is too small, holds no finite pixel or is constant.
    """
    height, width = pixels.shape[1:]
    if min(height, width) < settings.min_side:
        raise Fault(f"too small: {width} x {height} pixels, the least is {settings.min_side}")
    if settings.magnitudes:
        pixels = _flux(pixels)
    known = None
    if pixels.dtype.kind == "f" and not (finite := np.isfinite(pixels)).all():
        if not finite.any():
            raise Fault("all pixels are NaN or infinite")
        pixels, known = np.where(finite, pixels, np.float32(0)), finite
    _refuse_constant(pixels, known)
    facts: dict[str, Any] = {"bad_pixels": 0.0 if known is None else float(1 - known.mean())}
    if settings.subtract_sky:
        pixels = _without_sky(pixels, known)
    if settings.fit in ("crop", "pad"):
        return _cut(pixels, known, settings), facts
    if settings.fit == "object":
        left, top, side, about = _object_window(pixels, settings)
        facts.update(about)
    else:
        side = max(1, round(min(height, width) * settings.crop))
        left, top = (width - side) // 2, (height - side) // 2
    return _resample(pixels, known, left, top, side, settings.size), facts


def _flux(magnitudes: np.ndarray) -> np.ndarray:
    """Fluxes of magnitudes; +inf is no flux, NaN and -inf are not known."""
    with np.errstate(over="ignore"):
        flux = 10.0 ** (-0.4 * (magnitudes.astype(np.float64) - ZERO_POINT))
    return flux.astype(np.float32)


def _refuse_constant(pixels: np.ndarray, known: np.ndarray | None) -> None:
    if known is None and pixels[0, 0, 0] != pixels[-1, -1, -1]:
        return
    values = pixels if known is None else pixels[known]
    if (first := values.flat[0]) == values.flat[-1] and (values == first).all():
        raise Fault(f"constant: every pixel is {first:g}")


def _without_sky(pixels: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    out = pixels.astype(np.float32, order="C")
    for c, plane in enumerate(out):
        plane -= border_level(plane, None if known is None else known[c])[0]
    if pixels.dtype == np.uint8:
        return np.clip(out, 0, 255)
    return out


def _cut(pixels: np.ndarray, known: np.ndarray | None, settings: SurveySettings) -> np.ndarray:
    size = settings.size
    channels, height, width = pixels.shape
    if settings.fit == "crop" and min(height, width) < size:
        raise Fault(f"too small: {width} x {height} pixels for a crop of {size}")
    image = pixels if known is None else np.where(known, pixels, np.float32(np.nan))
    if min(height, width) >= size:
        top, left = (height - size) // 2, (width - size) // 2
        return image[:, top : top + size, left : left + size]
    out = np.empty((channels, size, size), dtype=pixels.dtype)
    for c in range(channels):
        level = border_level(pixels[c], None if known is None else known[c])[0]
        out[c] = np.rint(level) if pixels.dtype == np.uint8 else level
    from_y, to_y = _overlap(height, size)
    from_x, to_x = _overlap(width, size)
    out[:, to_y, to_x] = image[:, from_y, from_x]
    return out


def _overlap(old: int, new: int) -> tuple[slice, slice]:
    """Central parts of a side of `old` and of `new` pixels that lie on each other."""
    common = min(old, new)
    return tuple(slice((n - common) // 2, (n - common) // 2 + common) for n in (old, new))


def _object_window(
    pixels: np.ndarray, settings: SurveySettings
) -> tuple[float, float, float, dict[str, Any]]:
    height, width = pixels.shape[1:]
    most = float(min(height, width))
    found = central_object(pixels.mean(axis=0, dtype=np.float32))
    if found is None:
        if settings.object_required:
            raise Fault("no object at the centre")
        side = most * settings.crop
        x, y, radius = width / 2, height / 2, float("nan")
    else:
        x, y, radius = found.x, found.y, found.radius
        side = min(max(2 * radius * settings.object_scale, settings.object_smallest), most)
    left = min(max(x - side / 2, 0.0), width - side)
    top = min(max(y - side / 2, 0.0), height - side)
    about = {"crop_width": side, "object_radius": radius, "object_found": found is not None}
    return left, top, side, about


def _resample(
    pixels: np.ndarray,
    known: np.ndarray | None,
    left: float,
    top: float,
    side: float,
    size: int,
) -> np.ndarray:
    if side == size and left == int(left) and top == int(top):
        cut = (slice(None), slice(int(top), int(top) + size), slice(int(left), int(left) + size))
        return pixels[cut] if known is None else np.where(known[cut], pixels[cut], np.nan)
    box = (left, top, left + side, top + side)
    from morphosphere.collect.resize import resized, resized_plane

    if pixels.dtype == np.uint8 and len(pixels) == 3:
        return resized(pixels.transpose(1, 2, 0), box, size)
    each = resized_plane if pixels.dtype == np.float32 else _resized
    image = np.stack([each(plane, box, size) for plane in pixels])
    if known is None:
        return image
    weight = np.stack([resized_plane(plane.astype(np.float32), box, size) for plane in known])
    return np.divide(image, weight, out=np.full_like(image, np.nan), where=weight > 0.5)


def _resized(pixels: np.ndarray, box: tuple[float, float, float, float], size: int) -> np.ndarray:
    """Resample a box of 8-bit pixels (H, W).

    Pillow's BILINEAR is what `morphosphere.artefacts.transform.resample` does: a triangle as wide
    as a pixel of either grid. It also takes a box between pixels, and threads do not wait for it.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
