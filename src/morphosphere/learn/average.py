"""Moving average of weights: what is validated and kept in place of the last weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of tensors that an optimiser changes in place.

    Parameters
    ----------
    tensors : list of Tensor
    decay : float
        0: no average, `applied` changes nothing.
    """

    def __init__(self, tensors: list[Tensor], decay: float) -> None:
        self.tensors, self.decay = (tensors if decay else []), decay
        self.values = [t.detach().clone() for t in self.tensors]

    @torch.no_grad()
    def update(self, count: int) -> None:
        """Take in the tensors after step number `count`, from 0.

        It forgets where it started: the decay is smaller in the first steps.
        """
        if self.values:
            keep = min(self.decay, (1 + count) / (10 + count)) if count else 0.0
            torch._foreach_lerp_(self.values, [t.detach() for t in self.tensors], 1 - keep)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The averages in place of the tensors, while the block lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for tensor, value in zip(self.tensors, self.values):
            former = tensor.clone()
            tensor.copy_(value)
            value.copy_(former)


def statistics(module: nn.Module) -> list[Tensor]:
    """The numbers of a module that are kept with its weights and no optimiser changes.

    They are running statistics of norms: each process has its own until they are averaged.
    """
    kept = module.state_dict(keep_vars=True)
    buffers = dict(module.named_buffers())
    return [kept[name] for name in kept if name in buffers and kept[name].is_floating_point()]
