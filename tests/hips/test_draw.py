"""The compiled drawing, held against arrays of whole tiles in float64."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.hips.draw import draw_cells, fill_cells


def slowly(right, up, creases, pictures, which, window, fade, sky, dark) -> np.ndarray:
    """What `draw_cells` draws, pixel by pixel and rounded once, shape (S, p, S, p, 3)."""
    cells, size, side = len(which), len(window), pictures.shape[1]
    u, v = (np.empty((cells, cells, size, size), np.float32) for _ in range(2))
    fill_cells(right, creases, u)
    fill_cells(up, creases, v)
    inside = np.clip((0.5 - np.maximum(abs(u), abs(v))) / max(fade, 1e-6), 0, 1)
    inside[which < 0] = 0
    x, y = (np.clip((w + 0.5) * side - 0.5, 0, side - 1.0) for w in (u, -v))
    left, top = x.astype(int), y.astype(int)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    picture = np.maximum(which, 0)[..., None, None]
    beside, below = np.minimum(left + 1, side - 1), np.minimum(top + 1, side - 1)
    seen = (
        pictures[picture, top, left] * (1 - fx) * (1 - fy)
        + pictures[picture, top, beside] * fx * (1 - fy)
        + pictures[picture, below, left] * (1 - fx) * fy
        + pictures[picture, below, beside] * fx * fy
    )
    w, inside = window[..., None].astype(float), inside[..., None]
    return ((seen * inside + sky * (1 - inside)) * w + dark * (1 - w)).swapaxes(1, 2)


@pytest.mark.parametrize("side", [1, 2, 9, 64])
@pytest.mark.parametrize("fade", [0.0, 0.1])
def test_pixels_are_those_of_the_slow_reference(side: int, fade: float) -> None:
    cells, size, steps = 2, 32, 4
    random = np.random.default_rng(side)
    place = np.linspace(-0.6, 0.6, steps + 1)
    bend = random.normal(0, 0.02, (2, cells, cells, steps + 1, steps + 1))
    right = (place[None, :] + bend[0]).astype(np.float32)
    up = (place[::-1, None] + bend[1]).astype(np.float32)
    pictures = random.integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    pictures[0], pictures[1, 0] = 255, 0
    which = np.array([[0, 1], [2, -1]])
    window = random.uniform(0, 1, (size, size)).astype(np.float32)
    window[:4], window[8:] = 0, 1
    sky, dark = np.array([200, 255, 0], np.uint8), np.array([0, 255, 30], np.uint8)
    creases = np.array([[True, False], [False, False]])
    out = np.full((cells * size, cells * size, 3), 77, np.uint8)
    draw_cells(right, up, creases, pictures, which, window, fade, sky, dark, out)
    exact = slowly(right, up, creases, pictures, which, window, fade, sky, dark)
    # Half a step is rounding; places in float32 move a colour by less than the rest.
    assert np.abs(out - exact.reshape(out.shape)).max() < 0.5 + 0.2 + 0.05
    assert np.abs(out - exact.reshape(out.shape)).mean() < 0.3
