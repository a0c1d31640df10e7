"""The batch of all processes, for losses that compare images with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor


def gather(values: Sequence[Tensor], counts: Sequence[int]) -> list[Tensor]:
    """Rows of all processes in the order of their ranks; gradients go back to where rows are from.

    Each process then has the same whole batch. If its loss is weighted with its share of images
    times the number of processes, the mean of the processes' gradients is the gradient of the loss
    of one process that has all images.

    Parameters
    ----------
    values : sequence of Tensor, shapes (N, F)
        Rows of this process.
    counts : sequence of int
        Rows of each process, N of this one among them.

    Returns
    -------
    list of Tensor, shapes (sum(counts), F)
        In single precision.
    """
    values = [value.float() for value in values]
    if len(counts) == 1:
        return values
    most = max(counts)
    rows = F.pad(torch.cat(values, dim=1), (0, 0, 0, most - len(values[0])))
    parts = _AllGather.apply(rows).split(most)
    whole = torch.cat([part[:count] for part, count in zip(parts, counts)])
    return list(whole.split([value.shape[1] for value in values], dim=1))


class _AllGather(torch.autograd.Function):
    """Rows of all processes; backwards, the sum of what all processes make of one's rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        begin = dist.get_rank() * ctx.rows
        return gradient[begin : begin + ctx.rows]
