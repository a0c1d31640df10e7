"""The compiled resampling, held against Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from morphosphere.collect.resize import resized, resized_plane


def pillow(pixels: np.ndarray, box: tuple[float, float, float, float], size: int) -> np.ndarray:
    image = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.moveaxis(np.asarray(image), 2, 0)


@given(
    st.integers(1, 90),
    st.integers(0, 40),
    st.integers(1, 80),
    st.floats(0.05, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_numbers_are_those_of_pillow(height, more, size, part, x, y, seed) -> None:
    """In any box of pictures that are as wide as tall, or wider."""
    random = np.random.default_rng(seed)
    width = height + more
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if seed % 3 == 0:
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    side = height * part
    left, top = x * (width - side), y * (height - side)
    box = (left, top, min(left + side, width), min(top + side, height))
    np.testing.assert_array_equal(resized(pixels, box, size), pillow(pixels, box, size))
    numbers = random.normal(0, 1e3, (height, width)).astype(np.float32)
    image = Image.fromarray(numbers).resize((size, size), Image.Resampling.BILINEAR, box=box)
    ours = resized_plane(numbers, box, size)
    np.testing.assert_allclose(ours, np.asarray(image), rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("size", [20, 64, 110])
def test_of_tall_pictures_they_are_at_most_one_off(size: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 256, (150, 80, 3), dtype=np.uint8)
    box = (0, 35, 80, 115)
    ours, theirs = (f(pixels, box, size).astype(int) for f in (resized, pillow))
    assert np.abs(ours - theirs).max() <= 1
