"""Polar coordinates: turning an image becomes shifting it, mirroring becomes reversing it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def default_grid(size: int) -> tuple[int, int]:
    """Number of radii and of angles (a multiple of 8) for images of `size` pixels."""
    return max(4, size // 2), max(32, 8 * round(size * 1.5 / 8))


class PolarGrid(nn.Module):
    """Resample square images to polar coordinates within the inscribed circle, bilinearly.

    Weights are tabulated once and applied by gathering, which exports to any runtime.

    Parameters
    ----------
    size : int
        Width and height of the images.
    radii, angles : int
        Shape of the result. Radius grows outwards from half a step; the angle grows
        counter-clockwise as seen on the picture (row 0 on top) from the positive x axis.
    """

    def __init__(self, size: int, radii: int, angles: int) -> None:
        super().__init__()
        self.size, self.radii, self.angles = size, radii, angles
        # The outermost ring stays half a pixel inside so that all four neighbours exist.
        radius = (torch.arange(radii, dtype=torch.float64) + 0.5) / radii * ((size - 1) / 2)
        angle = torch.arange(angles, dtype=torch.float64) * (2 * math.pi / angles)
        centre = (size - 1) / 2
        column = (centre + radius[:, None] * torch.cos(angle)).flatten().clamp(0, size - 1)
        row = (centre - radius[:, None] * torch.sin(angle)).flatten().clamp(0, size - 1)
        left, top = column.floor().clamp(max=size - 2), row.floor().clamp(max=size - 2)
        dx, dy = column - left, row - top
        corner = (top * size + left).long()
        index = torch.stack([corner, corner + 1, corner + size, corner + size + 1])
        weight = torch.stack([(1 - dx) * (1 - dy), dx * (1 - dy), (1 - dx) * dy, dx * dy])
        self.register_buffer("index", index.flatten(), persistent=False)
        self.register_buffer("weight", weight.flatten().float(), persistent=False)
        self.register_buffer("radius", radius.float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, S, S) as (N, C, radii, angles)."""
        taken = images.flatten(2).index_select(2, self.index) * self.weight.to(images.dtype)
        return taken.unflatten(2, (4, self.radii, self.angles)).sum(2)


def turn(images: Tensor, angle: Tensor, flip: Tensor) -> Tensor:
    """Mirror images left to right where `flip`, then turn them counter-clockwise.

    Parameters
    ----------
    images : Tensor, shape (N, C, S, S)
    angle : Tensor, shape (N,)
        Degrees, counter-clockwise as seen on the picture.
    flip : Tensor of bool, shape (N,)

    Returns
    -------
    Tensor, shape (N, C, S, S)
        Bilinear; beyond the edge the nearest pixel is repeated.
    """
    return warp(images, angle, flip)


def warp(
    images: Tensor,
    angle: Tensor,
    flip: Tensor,
    *,
    zoom: Tensor | None = None,
    shift: Tensor | None = None,
    padding: str = "border",
) -> Tensor:
    """As `turn`, with a magnification (N,) and a shift (N, 2) in units of half a width."""
    radians = torch.deg2rad(angle.to(images.dtype))
    scale = 1.0 if zoom is None else 1 / zoom
    cos, sin = torch.cos(radians) * scale, torch.sin(radians) * scale
    sign = 1 - 2 * flip.to(images.dtype)
    zero = torch.zeros_like(cos)
    dx, dy = (zero, zero) if shift is None else shift.unbind(-1)
    # Rows give the source x and (downward) y of a target pixel: the inverse of the turn.
    first = torch.stack([sign * cos, -sign * sin, -sign * (cos * dx - sin * dy)], dim=-1)
    second = torch.stack([sin, cos, -(sin * dx + cos * dy)], dim=-1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(images.shape), False)
    return F.grid_sample(images, grid.to(images.dtype), padding_mode=padding, align_corners=False)
