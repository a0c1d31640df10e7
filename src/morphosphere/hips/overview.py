"""Overviews: Allsky files of small tiles, and a preview of the whole sphere."""

from __future__ import annotations

from pathlib import Path

import hpgeom
import numpy as np

from morphosphere.files import atomic_path
from morphosphere.hips.tiles import TileFormat, tile_path

#: Width of a tile in an Allsky file (HiPS 1.0).
THUMBNAIL = 64
#: Deepest order that has an Allsky file.
ALLSKY_ORDER = 3
#: Order whose tiles are seen in the preview: galaxies are large enough to be recognised.
PREVIEW_ORDER = 1
PREVIEW = (1024, 512)


def thumbnails(root: Path, order: int, form: TileFormat) -> np.ndarray:
    """All tiles of an order, reduced by averaging; shape (12 * 4**order, 64, 64, 3), uint8."""
    out = np.empty((12 * 4**order, THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for n in range(len(out)):
        tile = form.decode(tile_path(root, order, n, form.extension).read_bytes())
        step = len(tile) // THUMBNAIL
        parts = tile.reshape(THUMBNAIL, step, THUMBNAIL, step, 3)
        out[n] = (parts.mean(axis=(1, 3), dtype=np.float32) + 0.5).astype(np.uint8)
    return out


def allsky(small: np.ndarray) -> np.ndarray:
    """Tiles side by side, as many in a row as the root of their number, rounded down."""
    columns = int(np.sqrt(len(small)))
    rows = -(-len(small) // columns)
    out = np.zeros((rows, columns, *small.shape[1:]), np.uint8)
    out.reshape(rows * columns, *small.shape[1:])[: len(small)] = small
    return out.swapaxes(1, 2).reshape(rows * THUMBNAIL, columns * THUMBNAIL, 3)


def read_tiles(root: Path, order: int, form: TileFormat) -> np.ndarray:
    """All tiles of an order, shape (12 * 4**order, width, width, 3), uint8."""
    paths = [tile_path(root, order, n, form.extension) for n in range(12 * 4**order)]
    return np.stack([form.decode(path.read_bytes()) for path in paths])


def preview(tiles: np.ndarray, *, blank: int = 255) -> np.ndarray:
    """The whole sphere in Mollweide projection, longitude 0 in the middle, east to the left.

    Parameters
    ----------
    tiles : ndarray of uint8, shape (12 * 4**order, width, width, 3)
    blank : int
        Grey level outside of the ellipse.
    """
    width, height = PREVIEW
    over = 3  # samples along each side of a pixel
    lon, lat, inside = mollweide(width * over, height * over)
    order = (len(tiles) // 12).bit_length() // 2
    bits = tiles.shape[1].bit_length() - 1
    pixels = hpgeom.angle_to_pixel(1 << (order + bits), lon[inside], lat[inside])
    tile, within = pixels >> (2 * bits), pixels & ((1 << 2 * bits) - 1)
    out = np.full((height * over, width * over, 3), blank, np.uint8)
    out[inside] = tiles[tile, gather_bits(within), gather_bits(within >> 1)]
    parts = out.reshape(height, over, width, over, 3)
    return (parts.mean(axis=(1, 3)) + 0.5).astype(np.uint8)


def mollweide(width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees of pixels (height, width), and which are on the sphere.

    Inverse of Snyder (1987), USGS Professional Paper 1395, equations 31-6 and 31-7.
    """
    x = 2 * (np.arange(width) + 0.5) / width - 1
    y = 1 - 2 * (np.arange(height) + 0.5) / height
    x, y = np.meshgrid(x, y)
    inside = x**2 + y**2 < 1
    theta = np.arcsin(np.clip(y, -1, 1))
    lat = np.degrees(np.arcsin(np.clip((2 * theta + np.sin(2 * theta)) / np.pi, -1, 1)))
    lon = -180 * x / np.maximum(np.cos(theta), 1e-12)
    return lon % 360, lat, inside


def gather_bits(values: np.ndarray) -> np.ndarray:
    """Every second bit, from bit 0 on, of values below 2**32, moved together."""
    out = np.asarray(values, np.int64) & 0x5555555555555555
    for shift, mask in (
        (1, 0x3333333333333333),
        (2, 0x0F0F0F0F0F0F0F0F),
        (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF),
    ):
        out = (out | (out >> shift)) & mask
    return out


def write_overviews(root: Path, order: int, form: TileFormat) -> None:
    """Write ``Allsky`` of the orders to 3, and ``preview.jpg`` from order 1."""
    for k in range(min(order, ALLSKY_ORDER) + 1):
        with atomic_path(root / f"Norder{k}" / f"Allsky.{form.extension}") as path:
            path.write_bytes(form.encode(allsky(thumbnails(root, k, form))))
    write_preview(root, preview(read_tiles(root, min(order, PREVIEW_ORDER), form)))


def write_preview(root: Path, pixels: np.ndarray) -> None:
    """Write ``preview.jpg``."""
    with atomic_path(root / "preview.jpg") as path:
        path.write_bytes(TileFormat("jpeg", 90).encode(pixels))
