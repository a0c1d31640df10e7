"""Overviews: reduced tiles and the preview."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphosphere.hips.overview import preview, reduced, thumbnails
from morphosphere.hips.tiles import TileFormat, make_folders, tile_path, write_tile


def smooth(width: int, seed: int) -> np.ndarray:
    """A colour picture (width, width, 3) with bright spots on noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:width, :width][..., None] / width
    at = random.uniform(0, 1, (2, 3))
    light = 200 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.02)
    return np.clip(light + random.normal(20, 5, light.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("width", "step"), [(96, 3), (128, 2), (512, 8), (64, 1)])
def test_reducing_is_the_rounded_mean(width: int, step: int) -> None:
    pixels = np.random.default_rng(step).integers(0, 256, (width, width, 3), dtype=np.uint8)
    parts = pixels.reshape(width // step, step, width // step, step, 3)
    mean = np.floor(parts.mean(axis=(1, 3)) + 0.5)
    np.testing.assert_array_equal(reduced(pixels, width // step), mean)


@pytest.mark.parametrize("name", ["jpeg", "png"])
@pytest.mark.parametrize("width", [64, 256, 512, 1024])
def test_thumbnails_are_as_if_tiles_were_decoded_whole(
    tmp_path: Path, name: str, width: int
) -> None:
    form = TileFormat(name)
    make_folders(tmp_path, range(1))
    for n in range(12):
        data = form.encode(smooth(width, n))
        write_tile(tile_path(tmp_path, 0, n, form.extension), data)
    small = thumbnails(tmp_path, 0, form, threads=2)
    for n in range(12):
        tile = form.decode(tile_path(tmp_path, 0, n, form.extension).read_bytes())
        difference = np.abs(small[n].astype(int) - reduced(tile, 64))
        assert difference.mean() < (1 if name == "jpeg" else 1e-9)


def test_the_preview_does_not_depend_on_threads() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(preview(tiles), preview(tiles, threads=3))
