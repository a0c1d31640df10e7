"""The processes that train one model: how they meet, on which devices, and what they agree on."""

from __future__ import annotations

import datetime
import logging
import os
import time
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning.fabric.strategies import DDPStrategy
from torch import Tensor

from morphosphere.errors import ConfigError, MorphosphereError
from morphosphere.learn.place import Place
from morphosphere.learn.signals import Stopped
from morphosphere.learn.watch import Watch

#: How long one process may lag behind in training. One that is gone is noticed by the watch.
PATIENCE = datetime.timedelta(minutes=20)
#: How long one process may lag behind while data are read at the start.
START_PATIENCE = datetime.timedelta(hours=6)


def device_of(place: Place) -> torch.device:
    """The GPU of a process, or the CPU where there is none.

    Raises
    ------
    ConfigError
        If the node has fewer GPUs than processes.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    found = torch.cuda.device_count()
    if found < place.local_size:
        raise ConfigError(
            f"{place.local_size} processes on a node where {found} GPU(s) can be seen; start one "
            "process for each GPU, or hide the GPUs with CUDA_VISIBLE_DEVICES= to train on CPUs"
        )
    return torch.device("cuda", place.local_rank)


class Processes:
    """The processes of one training, connected: a context manager.

    Lightning's Fabric puts the networks on their devices, in their arithmetic, and shares gradients
    (DDP): NCCL carries them between GPUs, gloo between CPUs. What the processes tell each other
    beside that goes through gloo, and so never waits for a GPU.

    Parameters
    ----------
    place : Place
    precision : str
        Arithmetic, in Lightning's words.
    unused_weights : bool
        Whether the loss may leave out some weights; gradients are then shared more slowly.

    Attributes
    ----------
    place : Place
    device : torch.device
    fabric : Fabric
    """

    def __init__(
        self, place: Place, *, precision: str = "32-true", unused_weights: bool = False
    ) -> None:
        self.place, self.device = place, device_of(place)
        logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
        # Its successor shares statistics of norms once at the start, when each has its own.
        warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")
        several, cuda = place.size > 1, self.device.type == "cuda"
        shared = DDPStrategy(
            process_group_backend="nccl" if cuda else "gloo",
            timeout=PATIENCE,
            broadcast_buffers=False,  # statistics of norms are averaged once an epoch instead
            gradient_as_bucket_view=True,
            find_unused_parameters=unused_weights,
        )
        self.fabric = Fabric(
            accelerator=self.device.type,
            devices=place.local_size,
            num_nodes=place.size // place.local_size,
            strategy=shared if several else "auto",
            precision=precision,
            # Said, not looked for: looking for MPI would start it.
            plugins=[TorchElasticEnvironment() if several else LightningEnvironment()],
        )
        self._control: dist.ProcessGroup | None = None
        self._watch: Watch | None = None

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.place.rank == 0

    def __enter__(self) -> Processes:
        self.fabric.launch()
        if self.place.size > 1:
            self._control = dist.new_group(backend="gloo", timeout=PATIENCE)
            self._watch = Watch(self.place, self.broadcast, host=os.environ["MASTER_ADDR"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.place.size == 1:
            return
        if isinstance(error, RuntimeError) and not isinstance(error, MorphosphereError):
            time.sleep(2)  # if it failed because another process is gone, the watch says so
        if error is None or isinstance(error, Stopped):
            self.close()

    def close(self) -> None:
        """Part from the other processes in good order; each may go on alone or end."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
            dist.destroy_process_group()

    def wait(self) -> None:
        """Wait until every process is here, for hours if need be."""
        if self._control is not None:
            dist.monitored_barrier(self._control, timeout=START_PATIENCE)

    def broadcast(self, value: Any) -> Any:
        """The first process's value, on every process; anything that can be pickled."""
        if self._control is None:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self._control)
        return box[0]

    def gather(self, value: Any) -> list[Any] | None:
        """The values of all processes on the first one; None on the others."""
        if self._control is None:
            return [value]
        found = [None] * self.place.size if self.first else None
        dist.gather_object(value, found, dst=0, group=self._control)
        return found

    def total(self, values: Tensor) -> Tensor:
        """Sums over the processes of a few numbers, as float64 on the CPU."""
        values = values.detach().to("cpu", torch.float64, copy=True)
        if self._control is not None:
            dist.all_reduce(values, group=self._control)
        return values

    @torch.no_grad()
    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over the processes."""
        if self._control is None or not tensors:
            return
        joined = torch.cat([t.flatten().float() for t in tensors])
        dist.all_reduce(joined)
        joined /= self.place.size
        for tensor, mean in zip(tensors, joined.split([t.numel() for t in tensors])):
            tensor.copy_(mean.view_as(tensor))


class Agreement:
    """Wishes that the processes come to share, without waiting for each other.

    Each `exchange` starts a small all-reduce and returns the result of the one before, which has
    arrived by then, as all processes have shared gradients in between. So a wish of one process is
    granted on all of them at the same step, one step later.
    """

    def __init__(self, processes: Processes) -> None:
        self._group = processes._control
        self._pending: tuple[dist.Work, Tensor] | None = None

    def exchange(self, *wishes: bool) -> list[bool]:
        """Tell what this process wishes; return which wishes any process had, one call ago."""
        if self._group is None:
            return list(wishes)
        found = [False] * len(wishes)
        if self._pending is not None:
            work, values = self._pending
            work.wait()
            found = [bool(value) for value in values]
        values = torch.tensor(wishes, dtype=torch.int32)
        options = {"op": dist.ReduceOp.MAX, "group": self._group, "async_op": True}
        self._pending = dist.all_reduce(values, **options), values
        return found

    def finish(self) -> None:
        """Wait for the last exchange; the processes are then at the same place."""
        if self._pending is not None:
            self._pending[0].wait()
            self._pending = None
