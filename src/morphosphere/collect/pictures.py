"""PNG, JPEG and other pictures as arrays."""

from __future__ import annotations

import numpy as np
import simplejpeg
from PIL import Image

from morphosphere.collect.fault import Fault

_JPEG = b"\xff\xd8"


def read_picture(path: str, colour: str = "as stored", least: int | None = None) -> np.ndarray:
    """Pixels of a picture, shape (C, H, W), C 1 or 3.

    8-bit pictures are uint8, 16-bit ones float32 on the same scale of 0 to 255. Transparency is
    left out, palettes are resolved.

    Parameters
    ----------
    path : str
    colour : str
        ``as stored``, ``grey`` (C is 1) or ``rgb`` (C is 3).
    least : int or None
        Large JPEGs may be decoded at 1/2, 1/4 or 1/8 of their size, which averages over area, as
        long as both sides keep so many pixels.

    Raises
    ------
    Fault
        If it cannot be decoded.
    """
    with open(path, "rb") as handle:
        data = handle.read()
    if not data:
        raise Fault("the file is empty")
    try:
        if data[:2] == _JPEG and (pixels := _jpeg(data, colour, least)) is not None:
            return pixels.transpose(2, 0, 1)
        return _other(path, colour).transpose(2, 0, 1)
    except Fault:
        raise
    except Exception as error:  # decoders raise many kinds, and every one is the file's fault
        raise Fault(f"unreadable: {error}") from None


def _jpeg(data: bytes, colour: str, least: int | None) -> np.ndarray | None:
    height, width, stored, _ = simplejpeg.decode_jpeg_header(data)
    if stored == "CMYK" or stored == "YCCK":
        return None
    grey = colour == "grey" or (colour == "as stored" and stored == "Gray")
    enough = least is not None and min(height, width) >= 2 * least
    kept = {"min_height": least, "min_width": least, "min_factor": 1} if enough else {}
    return simplejpeg.decode_jpeg(data, colorspace="GRAY" if grey else "RGB", **kept)


def _other(path: str, colour: str) -> np.ndarray:
    with Image.open(path) as image:
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            deep = np.asarray(image, dtype=np.float32)
            if image.mode != "F":
                deep = deep / np.float32(257)
            return np.repeat(deep[..., None], 3 if colour == "rgb" else 1, axis=2)
        if image.mode == "P":
            image = image.convert("RGBA")
        grey = image.mode in ("1", "L", "LA")
        if colour == "grey" or (colour == "as stored" and grey):
            return np.asarray(image.convert("L"))[..., None]
        return np.asarray(image.convert("RGB"))
