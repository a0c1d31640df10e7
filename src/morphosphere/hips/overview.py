"""Overviews: Allsky files of small tiles, and a preview of the whole sphere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
#: Samples along each side of a pixel of the preview, and rows of it that are sampled at a time.
_OVER = 3
_BAND = 32


def thumbnails(root: Path, order: int, form: TileFormat, threads: int = 1) -> np.ndarray:
    """All tiles of an order, reduced by averaging; shape (12 * 4**order, 64, 64, 3), uint8."""
    out = np.empty((12 * 4**order, THUMBNAIL, THUMBNAIL, 3), np.uint8)

    def reduce(n: int) -> None:
        data = tile_path(root, order, n, form.extension).read_bytes()
        out[n] = reduced(form.decode(data, least=THUMBNAIL), THUMBNAIL)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(reduce, range(len(out))):
            pass
    return out


def reduced(pixels: np.ndarray, width: int) -> np.ndarray:
    """Pictures (H, W, 3), uint8, averaged over squares of pixels until they are `width` wide."""
    step = pixels.shape[1] // width
    total = np.zeros((len(pixels) // step, width, 3), np.uint32)
    for i in range(step):
        for j in range(step):
            total += pixels[i::step, j::step]
    return ((total + step**2 // 2) // step**2).astype(np.uint8)


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


def preview(tiles: np.ndarray, *, blank: int = 255, threads: int = 1) -> np.ndarray:
    """The whole sphere in Mollweide projection, longitude 0 in the middle, east to the left.

    Parameters
    ----------
    tiles : ndarray of uint8, shape (12 * 4**order, width, width, 3)
    blank : int
        Grey level outside of the ellipse.
    threads : int
        The result does not depend on it.
    """
    width, height = PREVIEW
    order = (len(tiles) // 12).bit_length() // 2
    bits = tiles.shape[1].bit_length() - 1
    out = np.empty((height, width, 3), np.uint8)

    def band(first: int) -> None:
        rows = slice(first * _OVER, (first + _BAND) * _OVER)
        lon, lat, inside = mollweide(width * _OVER, height * _OVER, rows)
        pixels = hpgeom.angle_to_pixel(1 << (order + bits), lon[inside], lat[inside])
        tile, within = pixels >> (2 * bits), pixels & ((1 << 2 * bits) - 1)
        samples = np.full((*inside.shape, 3), blank, np.uint8)
        samples[inside] = tiles[tile, gather_bits(within), gather_bits(within >> 1)]
        out[first : first + _BAND] = reduced(samples, width)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(band, range(0, height, _BAND)):
            pass
    return out


def mollweide(
    width: int, height: int, rows: slice = slice(None)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees of pixels (height, width), and which are on the sphere.

    With `rows`, of these rows only. Inverse of Snyder (1987), USGS Professional Paper 1395,
    equations 31-6 and 31-7.
    """
    x = 2 * (np.arange(width) + 0.5) / width - 1
    y = (1 - 2 * (np.arange(height) + 0.5) / height)[rows, None]
    inside = x**2 + y**2 < 1
    theta = np.arcsin(np.clip(y, -1, 1))
    lat = np.degrees(np.arcsin(np.clip((2 * theta + np.sin(2 * theta)) / np.pi, -1, 1)))
    lon = -180 * x / np.maximum(np.cos(theta), 1e-12)
    return lon % 360, np.broadcast_to(lat, inside.shape), inside


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


def write_overviews(root: Path, order: int, form: TileFormat, threads: int = 1) -> None:
    """Write ``Allsky`` of the orders to 3, and ``preview.jpg`` from order 1."""
    for k in range(min(order, ALLSKY_ORDER) + 1):
        with atomic_path(root / f"Norder{k}" / f"Allsky.{form.extension}") as path:
            path.write_bytes(form.encode(allsky(thumbnails(root, k, form, threads))))
    seen = read_tiles(root, min(order, PREVIEW_ORDER), form)
    write_preview(root, preview(seen, threads=threads))


def write_preview(root: Path, pixels: np.ndarray) -> None:
    """Write ``preview.jpg``."""
    with atomic_path(root / "preview.jpg") as path:
        path.write_bytes(TileFormat("jpeg", 90).encode(pixels))
