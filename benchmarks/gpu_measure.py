"""Time, work and ceilings of a device of PyTorch. Needs PyTorch alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Ceilings:
    """What the device reaches at most, in operations and bytes a second.

    Attributes
    ----------
    bf16, fp32 : float
        Of one large product of matrices.
    copy : float
        Bytes read and written by one large copy within the device's memory.
    """

    bf16: float
    fp32: float
    copy: float


def seconds_of(work: Callable[[], object], device: str, *, repeats: int = 20) -> float:
    """Median time of a step after three to warm up; by events on a GPU, which waits for nothing."""
    for _ in range(3):
        work()
    if not device.startswith("cuda"):
        spent = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            spent.append(time.perf_counter() - start)
        return statistics.median(spent)
    torch.cuda.synchronize(device)
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize(device)
    between = pairwise(marks)
    return statistics.median(a.elapsed_time(b) for a, b in between) / 1e3


def ceilings(device: str, *, size: int, mib: int) -> Ceilings:
    """Measure products of square matrices of `size` and a copy of `mib` MiB."""
    rates = {}
    for dtype in (torch.bfloat16, torch.float32):
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        seconds = seconds_of(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), device)
        rates[dtype] = 2 * size**3 / seconds
    source = torch.empty(mib << 20, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = seconds_of(lambda: target.copy_(source), device)
    return Ceilings(rates[torch.bfloat16], rates[torch.float32], 2 * source.nbytes / seconds)


def flops_of(work: Callable[[], object]) -> int:
    """Floating-point operations of the products of matrices and convolutions of a step."""
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return counter.get_total_flops()


def traffic_of(work: Callable[[], object]) -> int:
    """Bytes that the operations of a step read and write if each is a kernel of its own.

    Fused kernels move less. Views move nothing.
    """
    counter = _Traffic()
    with counter:
        work()
    return counter.total


class _Traffic(TorchDispatchMode):
    """Adds up the arguments and results of operations that are no views."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), words: Any = None
    ) -> Any:
        results = function(*arguments, **(words or {}))
        if not function.is_view:
            for value in tree_leaves((arguments, words, results)):
                if isinstance(value, torch.Tensor):
                    self.total += value.numel() * value.element_size()
        return results
