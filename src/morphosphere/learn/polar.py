"""Polar coordinates: turning an image becomes shifting it, mirroring becomes reversing it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def default_grid(size: int) -> tuple[int, int]:
    """Number of radii and of angles for images of `size` pixels.

    With a multiple of 32 angles, quarter turns stay exact through three halvings.
    """
    return max(4, size // 2), max(32, 32 * round(size * 1.5 / 32))


class PolarGrid(nn.Module):
    """Resample square images to polar coordinates within the inscribed circle, bilinearly.

    An exported network gathers tabulated neighbours instead, which runs everywhere.

    Parameters
    ----------
    size : int
        Width and height of the images.
    radii, angles : int
        Shape of the result. Radius and angle grow from half a step; the angle counts
        counter-clockwise as seen on the picture (row 0 on top) from the positive x axis.
        Mirroring left to right reverses the angle exactly and shifts it by half a turn.
    """

    def __init__(self, size: int, radii: int, angles: int) -> None:
        super().__init__()
        self.size, self.radii, self.angles = size, radii, angles
        # The outermost ring stays inside, so that all four neighbours of a sample exist.
        radius = (torch.arange(radii, dtype=torch.float64) + 0.5) / radii * ((size - 1) / 2)
        angle = (torch.arange(angles, dtype=torch.float64) + 0.5) * (2 * math.pi / angles)
        right, down = radius[:, None] * torch.cos(angle), -radius[:, None] * torch.sin(angle)
        # grid_sample counts from -1 to 1 between the outer edges of the first and last pixel.
        grid = torch.stack([right, down], dim=-1) / (size / 2)
        self.register_buffer("grid", grid.float()[None], persistent=False)
        self.register_buffer("radius", radius.float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, S, S) as (N, C, radii, angles)."""
        if torch.compiler.is_exporting():
            return self.gather(images)
        grid = self.grid.to(images.dtype).expand(len(images), -1, -1, -1)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def gather(self, images: Tensor) -> Tensor:
        """The same from four tabulated neighbours and weights."""
        place = (self.grid[0].double() + 1) * (self.size / 2) - 0.5
        place = place.flatten(0, 1).clamp(0, self.size - 1)
        first = place.floor().clamp(max=self.size - 2)
        (dx, dy), (left, top) = (place - first).unbind(-1), first.long().unbind(-1)
        corner = top * self.size + left
        pixels = images.flatten(2)
        out = 0.0
        for offset, weight in (
            (0, (1 - dx) * (1 - dy)),
            (1, dx * (1 - dy)),
            (self.size, (1 - dx) * dy),
            (self.size + 1, dx * dy),
        ):
            out = out + pixels.index_select(2, corner + offset) * weight.to(images.dtype)
        return out.unflatten(2, (self.radii, self.angles))


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
