"""The rotation and mirror image at which two images agree best, by one Fourier transform.

In polar coordinates a turn is a shift of the angle, so the correlation of two images at all angles
is a product of their Fourier transforms over the angle, summed over radii with the weight of the
area; the mirror image has the complex conjugate transform.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from morphosphere.learn.polar import PolarGrid, default_grid, turn


def align(images: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Turn (and mirror) canonical images onto the images they should look like.

    Parameters
    ----------
    images, decoded : Tensor, shape (N, C, S, S)

    Returns
    -------
    angle : Tensor, shape (N,)
        Degrees in [0, 360), counter-clockwise as seen on the picture (row 0 on top).
    flip : Tensor of bool, shape (N,)
        Whether `decoded` is mirrored left to right before it is turned.
    aligned : Tensor, shape (N, C, S, S)
        ``turn_ccw(mirror_left_right(decoded) if flip else decoded, angle)``.
    """
    grid = _grid(images.shape[-1], str(images.device))
    angle, flip = find_pose(grid(images), grid(decoded), grid.radius)
    return angle, flip, turn(decoded, angle, flip)


@lru_cache(maxsize=8)
def _grid(size: int, device: str) -> PolarGrid:
    radii, angles = default_grid(size)
    return PolarGrid(size, radii, angles).to(device)


@torch.no_grad()
def find_pose(images: Tensor, decoded: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Angle in degrees and mirror flag that turn `decoded` onto `images`.

    Parameters
    ----------
    images, decoded : Tensor, shape (N, C, R, A)
        Polar images; A is even.
    radius : Tensor, shape (R,)
        Weight of each ring: proportional to its area.

    Returns
    -------
    angle : Tensor, shape (N,)
        In [0, 360); between the samples of the angle by a parabola through the maximum.
    flip : Tensor of bool, shape (N,)
    """
    count = images.shape[-1]
    ours = torch.fft.rfft(images.float() * radius[:, None], dim=-1)
    theirs = torch.fft.rfft(decoded.float(), dim=-1)
    straight = (ours * theirs.conj()).sum((1, 2))
    # Mirroring left to right takes sample k to A / 2 - 1 - k: reversed, and nearly half a turn.
    order = torch.arange(straight.shape[-1], device=images.device)
    half = torch.polar(torch.ones_like(order, dtype=torch.float32), math.pi * order)
    step = torch.polar(torch.ones_like(half.real), -2 * math.pi / count * order)
    mirrored = (ours * theirs).sum((1, 2)) * half * step
    score = torch.fft.irfft(torch.stack([straight, mirrored], dim=1), n=count, dim=-1)
    best = score.flatten(1).argmax(-1)
    flip, peak = best >= count, best % count
    row = score[torch.arange(len(score), device=images.device), flip.long()]
    before, here, after = (row.gather(1, ((peak + d) % count)[:, None])[:, 0] for d in (-1, 0, 1))
    bend = before - 2 * here + after
    offset = torch.where(bend < 0, 0.5 * (before - after) / bend.clamp_max(-1e-30), 0.0)
    return ((peak + offset.clamp(-0.5, 0.5)) * (360.0 / count)) % 360.0, flip
