"""One process of the benchmark of scaling: ``python -m benchmarks.scaling_worker`` under torchrun.

It holds to one core and makes steps of the real trainer in four ways, which take turns block by
block, so that drift of the machine hits all alike: ``alone`` (the other core idle), ``beside`` (the
other core makes the same steps of a training of its own), ``together`` (the processes share
gradients) and ``streamed`` (together, images read from the file instead of memory). The clock is
the same for all processes of a machine, so that their moments can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.tasks import SETTINGS
from morphosphere.learn.checkpoint import Checkpoints
from morphosphere.learn.data import Batches, build_transform
from morphosphere.learn.loop import Loop
from morphosphere.learn.memory import keep_memory
from morphosphere.learn.place import Place, place_of
from morphosphere.learn.processes import Processes
from morphosphere.learn.schedule import schedule_of
from morphosphere.learn.training import task_of

#: Images of a process in a step.
BATCH = 64
#: Steps of a block, and images that are read at a time when streamed.
STEPS, BUFFER = 6, 128
#: Bytes of the all-reduces that are timed by themselves.
SIZES = tuple(1 << k for k in range(6, 25, 2))


class TimedLoop(Loop):
    """A loop that notes when the parts of each step begin and end.

    Attributes
    ----------
    steps : list of dict
        Moments in seconds: ``begin`` (the batch is there), ``backward`` (begins), ``gradient``
        (is there and shared), ``end``; ``loaded``: seconds spent waiting for images so far;
        ``processor``: seconds of the processor, of all threads, in the step; ``buckets``: bytes of
        the pieces in which gradients are shared, and when each was ``ready`` and ``shared``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.steps: list[dict[str, Any]] = []
        self._now: dict[str, Any] = {}
        if self.processes.place.size > 1:
            self._model._forward_module.register_comm_hook(None, self._share)

    def block(self) -> dict[str, Any]:
        """Make the steps of an epoch: when it started, and their moments."""
        self.steps, started = [], time.monotonic()
        self.progress.step = 0
        self.progress.data_seconds = 0.0
        self.train_epoch()
        self._agreement.finish()
        self.progress.epoch += 1
        return {"started": started, "steps": self.steps}

    def _step(self, batch: dict[str, Tensor]) -> bool:
        begin, loaded = time.monotonic(), self.progress.data_seconds
        self._now = now = {"begin": begin, "loaded": loaded, "buckets": []}
        processor, backward = time.process_time(), self._fabric.backward
        self._fabric.backward = self._timed(backward)
        try:
            return super()._step(batch)
        finally:
            self._fabric.backward = backward
            now |= {"end": time.monotonic(), "processor": time.process_time() - processor}
            self.steps.append(now)

    def _timed(self, backward: Callable) -> Callable:
        def timed(*args: Any) -> None:
            self._now["backward"] = time.monotonic()
            backward(*args)
            self._now["gradient"] = time.monotonic()

        return timed

    def _share(self, state, bucket):  # DDP looks at annotations, and these would be strings
        """What DDP does by itself, with a note of when."""
        values = bucket.buffer()
        note = {"bytes": values.nbytes, "ready": time.monotonic()}
        self._now["buckets"].append(note)
        values.div_(dist.get_world_size())

        def done(future: torch.futures.Future) -> Tensor:
            note["shared"] = time.monotonic()
            return future.value()[0]

        return dist.all_reduce(values, async_op=True).get_future().then(done)


def main() -> None:
    """Measure, and write what this process saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cores", type=int, nargs="+", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--task", default="sphere", choices=sorted(SETTINGS))
    args = parser.parse_args()
    place = place_of(os.environ)
    os.sched_setaffinity(0, {args.cores[place.local_rank]})
    torch.set_num_threads(1)
    keep_memory()
    with Processes(place) as processes:
        made = (args.task, args.images)
        own = _loop(Processes(Place()), *made, args.folder / str(place.rank))
        shared = _loop(processes, *made, args.folder)
        streamed = _loop(processes, *made, args.folder, memory_mib=0, buffer=BUFFER)
        ways: dict[str, Callable] = {
            **{f"alone-{r}": own.block if r == place.rank else dict for r in range(place.size)},
            "beside": own.block,
            "together": shared.block,
            "streamed": streamed.block,
        }
        found: list[dict[str, Any]] = []
        for number in range(args.rounds + 1):
            for name, block in list(ways.items())[:: 1 if number % 2 else -1]:
                dist.barrier()
                made = block()
                if number and made:  # the first round warms up
                    way = name.partition("-")[0]
                    found.append({"way": way, "round": number, "rank": place.rank, **made})
        facts = {"weights": sum(p.numel() for p in shared.task.parameters() if p.requires_grad)}
        facts |= {"batch": BATCH, "all_reduce": _all_reduces()}
        (args.folder / f"rank{place.rank}.json").write_text(json.dumps({**facts, "blocks": found}))


def _loop(processes: Processes, task: str, images: Path, folder: Path, **changes: Any) -> TimedLoop:
    """The trainer on so many images that an epoch is a block."""
    settings = SETTINGS[task](batch_size=BATCH * processes.place.size, epochs=1000, **changes)
    count = STEPS * settings.batch_size
    with ImageSet(images) as opened:
        transform = build_transform(settings.transform, opened)
        rows = torch.arange(len(opened)).numpy()[:count]
    batches = Batches(
        images,
        rows,
        transform,
        batch_size=settings.batch_size,
        columns=task_of(task).columns_of(settings),
        buffer=settings.buffer,
        memory=settings.memory_mib << 20,
        place=processes.place,
    )
    processes.fabric.launch()
    torch.manual_seed(0)
    return TimedLoop(
        task_of(task)(settings, transform),
        batches,
        batches,
        settings=settings,
        schedule=schedule_of(settings, processes.place, batches.steps),
        seed=0,
        processes=processes,
        checkpoints=Checkpoints(folder),
        on_epoch=lambda row: None,
    )


def _all_reduces(repeats: int = 20) -> list[dict[str, float]]:
    """Median seconds of an all-reduce by its size."""
    found = []
    for size in SIZES:
        values, seconds = torch.ones(size // 4), []
        for _ in range(repeats):
            dist.barrier()
            began = time.monotonic()
            dist.all_reduce(values)
            seconds.append(time.monotonic() - began)
        found.append({"bytes": size, "seconds": sorted(seconds)[repeats // 2]})
    return found


if __name__ == "__main__":
    main()
