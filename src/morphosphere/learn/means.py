"""Means over images that come in batches, on several processes."""

from __future__ import annotations

import torch
from torch import Tensor

from morphosphere.learn.processes import Processes


class Means:
    """Means of named quantities, weighted by the number of images.

    Sums stay on the device and with the process until they are asked for.

    Parameters
    ----------
    sums : dict, optional
        What `total` gave.
    """

    def __init__(self, sums: dict[str, float] | None = None) -> None:
        self._names = list(sums or {})
        self._sums = torch.tensor([*(sums or {}).values()], dtype=torch.float64) if sums else None

    def add(self, values: dict[str, Tensor], count: int) -> None:
        """Take in means over a batch of `count` images."""
        found = torch.stack([v.detach().double() for v in values.values()]) * count
        found = torch.cat([found, found.new_full((1,), count)])
        self._names = [*values, "images"]
        self._sums = found if self._sums is None else self._sums.to(found.device) + found

    @property
    def finite(self) -> bool:
        """Whether every value so far was finite."""
        return self._sums is None or bool(torch.isfinite(self._sums).all())

    def total(self, processes: Processes) -> dict[str, float] | None:
        """Sums over all processes, on the first one; ``images`` is their number."""
        mine = {} if self._sums is None else dict(zip(self._names, self._sums.tolist()))
        every = processes.gather(mine)
        if every is None:
            return None
        names = next((list(sums) for sums in every if sums), [])
        return {name: sum(sums.get(name, 0.0) for sums in every) for name in names}

    def over(self, processes: Processes) -> dict[str, float]:
        """Means over the images of all processes, on each of them."""
        total = processes.broadcast(self.total(processes)) or {}
        count = total.pop("images", 0.0)
        return {name: value / count for name, value in total.items()}
