"""Tiles on disk: where they lie, how they are encoded, and whether one is whole."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.system import writing

EXTENSIONS = {"jpeg": "jpg", "png": "png"}
_ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}


@dataclass(frozen=True)
class TileFormat:
    """JPEG or PNG tiles.

    Attributes
    ----------
    name : str
        "jpeg" or "png".
    quality : int
        Of JPEG.
    """

    name: str
    quality: int = 90

    @property
    def extension(self) -> str:
        """Ending of file names, without the dot."""
        return EXTENSIONS[self.name]

    def encode(self, pixels: np.ndarray) -> bytes:
        """Encode colour pixels (H, W, 3), uint8."""
        pixels = np.ascontiguousarray(pixels)
        if self.name == "jpeg":
            import simplejpeg

            return simplejpeg.encode_jpeg(
                pixels, quality=self.quality, colorspace="RGB", colorsubsampling="420"
            )
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="png", compress_level=3)
        return buffer.getvalue()

    def decode(self, data: bytes, least: int | None = None) -> np.ndarray:
        """Colour pixels (H, W, 3), uint8.

        With `least`, a JPEG may come at 1/2, 1/4 or 1/8 of its size, which averages over area, as
        long as it stays at least so wide.
        """
        if self.name == "jpeg":
            import simplejpeg

            kept = {"min_height": least, "min_width": least, "min_factor": 1} if least else {}
            return simplejpeg.decode_jpeg(data, colorspace="RGB", **kept)
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def is_whole(self, path: Path) -> bool:
        """Whether a tile is there and ends as its format ends."""
        end = _ENDS[self.name]
        try:
            with open(path, "rb") as handle:
                size = handle.seek(0, os.SEEK_END)
                handle.seek(max(0, size - len(end)))
                return handle.read() == end
        except FileNotFoundError:
            return False


def tile_path(root: Path, order: int, tile: int, extension: str) -> Path:
    """Path of a tile below `root`."""
    folder = root / f"Norder{order}" / f"Dir{tile // 10000 * 10000}"
    return folder / f"Npix{tile}.{extension}"


def make_folders(root: Path, orders: range) -> None:
    """Make the folders of all tiles of some orders."""
    for order in orders:
        for first in range(0, 12 * 4**order, 10000):
            tile_path(root, order, first, "").parent.mkdir(parents=True, exist_ok=True)


def write_tile(path: Path, data: bytes) -> None:
    """Write a tile beside its place and rename it into it.

    It is not flushed to the disk one by one: a tile that a power failure left short is found by
    `TileFormat.is_whole` and made again.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with writing(path):
            temporary.write_bytes(data)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
