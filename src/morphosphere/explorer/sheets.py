"""Thumbnails of galaxies and of their reconstructions, many on one JPEG sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import simplejpeg

from morphosphere.artefacts.transform import resample
from morphosphere.files import atomic_path
from morphosphere.pictures import rgb


def sheet_path(folder: Path, kind: str, number: int) -> Path:
    """File of a sheet; `kind` is ``original`` or ``reconstruction``."""
    return folder / kind / f"{number:05d}.jpg"


def draw_sheet(images: np.ndarray, *, side: int, thumbnail: int) -> np.ndarray:
    """Thumbnails in rows from the top left; what is left over is black.

    Parameters
    ----------
    images : ndarray, shape (n, C, S, S)
        In [0, 1], n at most ``side**2``.
    side : int
        Thumbnails along the side of the sheet.
    thumbnail : int
        Width of a thumbnail in pixels.

    Returns
    -------
    ndarray of uint8, shape (side * thumbnail, side * thumbnail, 3)
    """
    small = rgb(resample(images, thumbnail))
    cells = np.zeros((side * side, thumbnail, thumbnail, 3), dtype=np.uint8)
    cells[: len(small)] = small
    grid = cells.reshape(side, side, thumbnail, thumbnail, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(side * thumbnail, side * thumbnail, 3))


def write_sheet(path: Path, picture: np.ndarray, *, quality: int) -> None:
    """Write a picture (H, W, 3) of uint8 as JPEG without chroma subsampling."""
    data = simplejpeg.encode_jpeg(
        picture, quality=quality, colorspace="RGB", colorsubsampling="444"
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
