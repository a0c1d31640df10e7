"""Batches of transformed images from an ImageSet: shuffled, shared over processes, bounded memory.

An epoch is a permutation that depends on the seed and the epoch alone. It is cut into steps, and
each step into a part for each process, so that every image is seen once per epoch by exactly one
process, all processes make the same number of steps, and where an epoch stands does not depend on
how many processes there are. Streamed images are shared by runs of steps instead of single ones:
each process then reads a few long pieces of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.artefacts.transform import Transform
from morphosphere.config.training import SplitSettings, TrainingSettings, TransformSettings
from morphosphere.errors import InputError
from morphosphere.learn.place import Place
from morphosphere.learn.signals import ignore_stop_signals

__all__ = ["Batches", "Place", "build_transform", "epoch_order", "loader", "open_splits"]

#: Images that lie side by side in the file and are read together when streamed.
BLOCK = 32


def build_transform(settings: TransformSettings, images: ImageSet) -> Transform:
    """The transform that the settings ask for; ``auto`` is decided by the type of the pixels."""
    picture = images.images.dtype == np.uint8
    scale = settings.scale if settings.scale != "auto" else "fixed" if picture else "image"
    stretch = settings.stretch if settings.stretch != "auto" else "linear" if picture else "asinh"
    return Transform(
        channels=images.channels,
        size=settings.size,
        crop=settings.crop,
        scale=scale,
        percentile=settings.percentile,
        value=settings.value,
        stretch=stretch,
        softening=settings.softening,
    )


def share(count: int, part: int, parts: int) -> slice:
    """Part number `part` of `parts` of ``range(count)``; lengths differ by one at most."""
    return slice(count * part // parts, count * (part + 1) // parts)


def epoch_order(rows: np.ndarray, seed: int, epoch: int, *, block: int) -> np.ndarray:
    """`rows` (sorted) in the order of an epoch: blocks of neighbours, in random order."""
    random = np.random.default_rng((seed, epoch))
    if block == 1:
        return random.permutation(rows)
    starts = np.arange(0, len(rows), block)
    return np.concatenate([rows[start : start + block] for start in random.permutation(starts)])


class Batches(Dataset):
    """Batches of one split, looked up by (epoch, step).

    Parameters
    ----------
    path : path-like
        ImageSet.
    rows : ndarray of int, shape (n,)
        Rows of the split, ascending.
    transform : Transform
    batch_size : int
        Images in a step at most, over all processes.
    columns : sequence of str
        Columns of the table that come with the images.
    buffer : int
        Images that a process reads and shuffles together when streamed.
    memory : int
        Bytes that the transformed images may take; above it they are streamed.
    shuffle : bool
        False: in the order of the file.
    seed : int
    place : Place

    Attributes
    ----------
    steps : int
        Steps in an epoch.
    """

    def __init__(
        self,
        path: str | Path,
        rows: np.ndarray,
        transform: Transform,
        *,
        batch_size: int,
        columns: Sequence[str] = (),
        buffer: int = 4096,
        memory: int = 1 << 30,
        shuffle: bool = True,
        seed: int = 0,
        place: Place | None = None,
    ) -> None:
        self.path, self.rows, self.transform = Path(path), rows, transform
        self.shuffle, self.seed, self.place = shuffle, seed, place or Place()
        self.steps = max(1, -(-len(rows) // batch_size))
        # Pixels in [0, 1] are kept in half precision; those that are as stored, as they are.
        self._kind = torch.float32 if transform.stretch == "none" else torch.float16
        self.forget()
        with ImageSet(path) as images:
            self._columns = {
                name: torch.from_numpy(np.asarray(images.column(name)[rows])) for name in columns
            }
            shape = (len(rows), len(transform.channels), transform.size, transform.size)
            fits = self._kind.itemsize * int(np.prod(shape)) <= memory
            self._cache = self._read_all(images, shape) if fits else None
        #: Steps whose images are shared and shuffled as one.
        self._run = 1 if fits else max(1, buffer * self.place.size // batch_size)

    def forget(self) -> None:
        """Let go of open files and of what was read from them, as after a fork."""
        self._file: ImageSet | None = None
        self._reader: ThreadPoolExecutor | None = None
        self._ahead: dict[tuple[int, int], Future] = {}
        self._order: tuple[int, np.ndarray] | None = None

    def _read_all(self, images: ImageSet, shape: tuple[int, ...]) -> Tensor:
        cache = torch.empty(shape, dtype=self._kind)
        for start in range(0, len(self.rows), 256):
            rows = self.rows[start : start + 256]
            cache[start : start + len(rows)] = self._transformed(images, rows)
        return cache

    def _transformed(self, images: ImageSet, rows: np.ndarray) -> Tensor:
        """Rows (ascending), read in contiguous runs."""
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        pieces = [images.read(int(run[0]), int(run[-1]) + 1) for run in np.split(rows, breaks)]
        return torch.from_numpy(self.transform(np.concatenate(pieces))).to(self._kind)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        """Batch of (epoch, step): ``images`` (n, C, S, S) float32 in [0, 1], ``row``, columns.

        `n` is zero where a process has no part in the step.
        """
        epoch, step = key
        run, inside, length = self._place_in_run(step)
        if self._cache is not None:
            index = self._mine(epoch, run)
            images = self._cache[torch.from_numpy(index)]
        else:
            index, images = self._streamed(epoch, run)
            here = share(len(index), inside, length)
            index, images = index[here], images[here]
        batch = {name: values[index] for name, values in self._columns.items()}
        return batch | {"images": images.float(), "row": torch.from_numpy(self.rows[index])}

    def column(self, name: str) -> Tensor:
        """A column of the table on all rows of the split, in their order."""
        return self._columns[name]

    def all_here(self) -> Batches:
        """The same batches for this process alone, whoever shared them before."""
        self._run = max(1, self._run // self.place.size)
        self.place = Place()
        self.forget()
        return self

    def examples(self, count: int) -> Tensor:
        """The first images of the split, of whichever process: (n, C, S, S) float32."""
        with ImageSet(self.path) as images:
            return self._transformed(images, self.rows[:count]).float()

    def counts(self, step: int) -> np.ndarray:
        """Images of each process in a step, shape (size,)."""
        run, inside, length = self._place_in_run(step)
        edges = np.arange(self.place.size + 1) * self._total(run) // self.place.size
        mine = np.diff(edges)
        return mine * (inside + 1) // length - mine * inside // length

    def _place_in_run(self, step: int) -> tuple[int, int, int]:
        """The run of a step, the step's number in it, and the length of the run."""
        run, inside = divmod(step, self._run)
        return run, inside, min(self._run, self.steps - run * self._run)

    def _bounds(self, run: int) -> tuple[int, int]:
        """Where a run begins and ends in an epoch's order."""
        first, last = run * self._run, min((run + 1) * self._run, self.steps)
        return len(self.rows) * first // self.steps, len(self.rows) * last // self.steps

    def _total(self, run: int) -> int:
        start, stop = self._bounds(run)
        return stop - start

    def _mine(self, epoch: int, run: int) -> np.ndarray:
        """This process's part of a run, as indices into the split's rows."""
        if self._order is None or self._order[0] != epoch:
            order = np.arange(len(self.rows))
            if self.shuffle:
                block = 1 if self._cache is not None else BLOCK
                order = epoch_order(order, self.seed, epoch, block=block)
            self._order = epoch, order
        part = self._order[1][slice(*self._bounds(run))]
        return part[share(len(part), self.place.rank, self.place.size)]

    def _streamed(self, epoch: int, run: int) -> tuple[np.ndarray, Tensor]:
        """Indices and images of this process's part of a run; the next one is read meanwhile.

        The last run of an epoch is followed by the first of the next one, so that no epoch of
        training begins with waiting.
        """
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        runs = -(-self.steps // self._run)
        wanted = [(epoch, run)]
        if run + 1 < runs:
            wanted.append((epoch, run + 1))
        elif self.shuffle:
            wanted.append((epoch + 1, 0))
        self._ahead = {key: self._ahead[key] for key in wanted if key in self._ahead}
        for key in wanted:
            if key not in self._ahead:
                self._ahead[key] = self._reader.submit(self._read, *key)
        return self._ahead[epoch, run].result()

    def _read(self, epoch: int, run: int) -> tuple[np.ndarray, Tensor]:
        index = np.sort(self._mine(epoch, run))
        if not len(index):
            return index, torch.empty(0, len(self.transform.channels), *2 * [self.transform.size])
        if self._file is None:
            self._file = ImageSet(self.path)
        images = self._transformed(self._file, self.rows[index])
        if self.shuffle:
            key = (self.seed, epoch, self.place.rank, run)
            order = np.random.default_rng(key).permutation(len(index))
            index, images = index[order], images[torch.from_numpy(order)]
        return index, images


class EpochSteps(Sampler):
    """The keys (epoch, step) of an epoch, from where `start` was told."""

    def __init__(self, steps: int) -> None:
        self.steps, self.epoch, self.step = steps, 0, 0

    def start(self, epoch: int, step: int = 0) -> None:
        """Choose the epoch whose keys come next, and the first of them."""
        self.epoch, self.step = epoch, step

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter([(self.epoch, step) for step in range(self.step, self.steps)])

    def __len__(self) -> int:
        return self.steps - self.step


def loader(batches: Batches, workers: int = 0, *, pin: bool = False) -> DataLoader:
    """DataLoader of whole batches in their order; ``loader.sampler.start`` says from where.

    Parameters
    ----------
    batches : Batches
    workers : int
        Processes that read.
    pin : bool
        Whether to place batches where a GPU can fetch them by itself.
    """
    # A generator of its own: making an iterator draws from it, and must not move the global one.
    return DataLoader(
        batches,
        batch_size=None,
        sampler=EpochSteps(len(batches)),
        num_workers=workers,
        generator=torch.Generator(),
        persistent_workers=workers > 0,
        worker_init_fn=_begin_worker,
        pin_memory=pin,
    )


def _begin_worker(worker: int) -> None:
    get_worker_info().dataset.forget()
    ignore_stop_signals()


def split_rows(
    images: ImageSet,
    processes: int = 1,
    *,
    by: str = "galaxy_id",
    split: SplitSettings | None = None,
    kept: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Rows of each split, decided by the column `by`; of those that are `kept`, if that is given.

    Raises
    ------
    InputError
        If there are too few galaxies to train on.
    """
    shares = split or SplitSettings()
    part = split_of(images.column(by), validation=shares.validation, test=shares.test)
    if kept is not None:
        part[~kept] = -1
    rows = {name: np.flatnonzero(part == k) for k, name in enumerate(SPLITS)}
    if len(rows["train"]) < max(2, 2 * processes):
        raise InputError(
            f"{images.path}: {len(rows['train'])} of its {len(part)} images are for training, too "
            f"few for {processes} process(es); add galaxies or loosen the cuts"
        )
    return rows


def open_splits(
    path: str | Path,
    transform: Transform,
    settings: TrainingSettings,
    *,
    seed: int,
    place: Place,
    columns: Sequence[str] = (),
    kept: Callable[[ImageSet], np.ndarray | None] | None = None,
    chosen_of: Callable[[np.ndarray, ImageSet], np.ndarray] | None = None,
) -> tuple[Batches, Batches]:
    """Batches for training and for validation; the memory budget is shared between them.

    Where no galaxy falls to validation, training images stand in.

    Parameters
    ----------
    kept : callable, optional
        Which rows of an ImageSet take part at all, as a mask; None for all.
    chosen_of : callable, optional
        Of the rows for training, those that are trained on.
    """
    with ImageSet(path) as images:
        mask = kept(images) if kept else None
        split = settings.shares
        rows = split_rows(images, place.size, by=settings.split_by, split=split, kept=mask)
        if chosen_of:
            rows["train"] = chosen_of(rows["train"], images)
    chosen = {"train": rows["train"]}
    chosen["validation"] = rows["validation"] if len(rows["validation"]) else rows["train"]
    total = sum(map(len, chosen.values()))
    budget = settings.memory_mib << 20

    def batches(name: str) -> Batches:
        return Batches(
            path,
            chosen[name],
            transform,
            batch_size=settings.batch_size,
            columns=columns,
            buffer=settings.buffer,
            memory=budget * len(chosen[name]) // total,
            shuffle=name == "train",
            seed=seed,
            place=place,
        )

    return batches("train"), batches("validation")
