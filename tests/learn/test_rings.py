"""Rings of light: what is kept of an image, and what a turn changes."""

from __future__ import annotations

import numpy as np
import torch

from factories_sersic import SIZE, disc
from morphosphere.learn.rings import RingFeatures, ring_weights

_RINGS = (12, [0, 1, 2, 3, 4])
_DISC = {"magnitude": 18.0, "radius": 0.4, "axis_ratio": 0.5}


def _image(angle: float, **more: float) -> torch.Tensor:
    image = disc(**{**_DISC, **more}, position_angle=angle) / 0.05
    return torch.from_numpy(image.astype(np.float32))[None, None]


def test_rings_share_every_pixel_between_two() -> None:
    weights, rows = ring_weights(SIZE, *_RINGS)
    middle = weights[[k for k, (m, _) in enumerate(rows) if m == 0]]
    assert middle.shape == (12, SIZE * SIZE)
    np.testing.assert_allclose(middle.sum(0), 1, rtol=1e-5)
    assert ((middle > 0).sum(0) <= 2).all()
    # The sums of harmonics of a round image vanish, but for what a square lets through.
    for order in (1, 2, 3):
        part = weights[[k for k, row in enumerate(rows) if row[0] == order]]
        assert np.abs(part.sum(1)).max() < 1e-3 * np.abs(part).sum(1).max()


def test_light_and_angle_are_those_of_the_galaxy() -> None:
    rings = RingFeatures(SIZE, *_RINGS)
    for angle in (10.0, 60.0, 130.0):
        features, signals, told, light = rings(_image(angle))
        assert features.shape == (1, rings.output)
        assert signals.shape == (1, rings.signals)
        turn = (np.rad2deg(told.item()) - angle + 90) % 180 - 90
        assert abs(turn) < 3
        assert abs(light.item() - np.log10(10 ** (0.4 * 7) / 0.05)) < 0.01


def test_a_quarter_turn_changes_only_the_angle() -> None:
    rings = RingFeatures(SIZE, *_RINGS)
    image = _image(20.0, axis_ratio=0.4) + 3 * torch.roll(_image(0.0), (5, 2), (2, 3))
    first, turned = rings(image), rings(image.rot90(1, (2, 3)))
    difference = (np.rad2deg((turned[2] - first[2]).item()) + 90) % 180 - 90
    assert abs(abs(difference) - 90) < 1e-3
    # The frame is known but for half a turn, in which odd harmonics change their sign.
    np.testing.assert_allclose(turned[1].abs(), first[1].abs(), atol=2e-3)
    np.testing.assert_allclose(turned[3], first[3], atol=1e-6)
