"""Harmonics of the light on rings: few numbers that keep what an image says of a smooth profile.

A ring's weight rises and falls linearly between the radii of its neighbours; radii are spaced
evenly in arcsinh(r / 1.5 pixels), so that they are a pixel apart in the core and far apart outside.
The sums are linear in the pixels: their noise is known, and light that is faint in every pixel
adds up. The second harmonics of all rings together say how the galaxy is turned; in that frame the
others are told, so that a network need not learn the same at every position angle.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

#: Pixels at which the spacing of radii turns from even to logarithmic.
_CORE = 1.5
#: Least light that shares of it are told of, in the noise of a pixel.
_FAINT = 5.0


def ring_weights(
    size: int, rings: int, harmonics: list[int]
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Weights of the pixels, and what each row of them is.

    Parameters
    ----------
    size : int
        Width of the images in pixels; row 0 is on top.
    rings : int
    harmonics : list of int
        Orders m of the angle, ascending from 0.

    Returns
    -------
    weights : ndarray of float32, shape (R, size * size)
    rows : list of (m, part)
        Order, and 0 for the cosine, 1 for the sine (counter-clockwise as seen on the picture).
        Rows of one order and part stand together, from the inner ring to the outer; where m is not
        0 there is no innermost one, which has no angle.
    """
    place = np.arange(size) - (size - 1) / 2
    x, y = place[None, :], -place[:, None]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    depth = np.arcsinh(radius / _CORE)
    edges = np.linspace(0.0, np.arcsinh(np.hypot(size, size) / 2 / _CORE), rings)
    weights, rows = [], []
    for m in harmonics:
        for part, wave in enumerate((np.cos, np.sin)[: 2 if m else 1]):
            for edge in edges[1 if m else 0 :]:
                ring = np.clip(1 - np.abs(depth - edge) / (edges[1] - edges[0]), 0, None)
                weights.append((ring * wave(m * angle)).ravel())
                rows.append((m, part))
    return np.array(weights, dtype=np.float32), rows


class RingFeatures(nn.Module):
    """Images to what they say on rings.

    Parameters
    ----------
    size, rings : int
    harmonics : list of int

    Attributes
    ----------
    output : int
        Features of an image.
    signals : int
        Numbers of an image that `forward` gives as signals.
    """

    def __init__(self, size: int, rings: int, harmonics: list[int]) -> None:
        super().__init__()
        weights, rows = ring_weights(size, rings, harmonics)
        norm = np.sqrt(np.square(weights, dtype=np.float64).sum(1)).astype(np.float32)
        # A ring that no pixel lies on, near the centre of large images, says nothing.
        norm = np.maximum(norm, 1e-3)
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)
        self.register_buffer("norm", torch.from_numpy(norm), persistent=False)
        self.orders = [m for m in harmonics if m]
        self.rings = rings
        total = np.cumsum(np.square(norm[:rings], dtype=np.float64)).astype(np.float32)
        self.register_buffer("norm_within", torch.from_numpy(np.sqrt(total)), persistent=False)
        self.signals = len(rows)
        self.output = 3 * rings + 4 * len(self.orders) * (rings - 1) + 1
        assert rows[rings][0] == self.orders[0]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What images (N, 1, S, S) over the noise of the sky say.

        Returns
        -------
        features : Tensor, shape (N, `output`)
        signals : Tensor, shape (N, `signals`)
            arcsinh of the sums over their noise, in the frame of the galaxy.
        angle : Tensor, shape (N,)
            Of that frame, in radians, counter-clockwise.
        light : Tensor, shape (N,)
            log10 of the sum of all rings, over the noise of a pixel.
        """
        sums = images.flatten(1).float() @ self.weights.T
        middle, rings = sums[:, : self.rings], self.rings
        total = middle.sum(1, keepdim=True).clamp_min(_FAINT)
        waves = sums[:, rings:].unflatten(1, (len(self.orders), 2, rings - 1))
        noise = self.norm[rings:].unflatten(0, (len(self.orders), 2, rings - 1))
        second = (waves / noise)[:, self.orders.index(2)].sum(-1)
        angle = 0.5 * torch.atan2(second[:, 1], second[:, 0])
        turned = self._turned(waves, angle)
        signal, inner = torch.asinh(turned / noise), torch.asinh(middle / self.norm[:rings])
        light = torch.log10(total)
        # Shares of a ring's light; of a faint ring, of its noise.
        beside = (middle.abs() + 3 * self.norm[:rings])[:, None, None, 1:]
        features = [
            inner / 3,
            5 * middle / total,
            torch.asinh(middle.cumsum(1) / self.norm_within) / 3,
            (signal / 3).flatten(1),
            (2 * turned / beside).flatten(1),
            light,
        ]
        signals = torch.cat([inner, signal.flatten(1)], dim=1)
        return torch.cat(features, dim=1), signals, angle, light[:, 0]

    def _turned(self, waves: Tensor, angle: Tensor) -> Tensor:
        """Harmonics (N, M, 2, rings - 1) in the frame that is turned by `angle`."""
        found = []
        for k, m in enumerate(self.orders):
            cos, sin = torch.cos(m * angle)[:, None], torch.sin(m * angle)[:, None]
            c, s = waves[:, k, 0], waves[:, k, 1]
            found.append(torch.stack([c * cos + s * sin, s * cos - c * sin], dim=1))
        return torch.stack(found, dim=1)
