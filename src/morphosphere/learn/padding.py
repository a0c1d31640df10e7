"""Images made wider by what lies at their edge, or around the circle.

The gradient of `torch.cat` of slices goes through an image of zeros for every slice, which made a
step of training a twelfth longer on a CPU. Compilers and exporters see the slices all the same:
they handle those better.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def repeat_edge(x: Tensor, before: int, after: int) -> Tensor:
    """Images (N, C, H, W) with their first and last rows and columns repeated so often."""
    if not torch.compiler.is_compiling():
        return F.pad(x, (before, after, before, after), mode="replicate")
    x = torch.cat([*[x[..., :1, :]] * before, x, *[x[..., -1:, :]] * after], dim=-2)
    return torch.cat([*[x[..., :1]] * before, x, *[x[..., -1:]] * after], dim=-1)


def wrap(x: Tensor, width: int) -> Tensor:
    """Images (N, C, H, W) whose columns lie on a circle, `width` more of them on both sides."""
    if torch.compiler.is_compiling():
        return _wrapped(x, width)
    return _Wrap.apply(x, width)


def _wrapped(x: Tensor, width: int) -> Tensor:
    return torch.cat([x[..., -width:], x, x[..., :width]], dim=-1)


class _Wrap(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, width: int) -> Tensor:
        ctx.width = width
        return _wrapped(x, width)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        width = ctx.width
        inner = gradient[..., width:-width].clone(memory_format=torch.preserve_format)
        inner[..., :width] += gradient[..., -width:]
        inner[..., -width:] += gradient[..., :width]
        return inner, None
