"""Batches of transformed images from an ImageSet: shuffled, shared over processes, bounded memory.

An epoch is a permutation that depends on the seed and the epoch alone. Each process gets a
contiguous part of it, each batch a contiguous part of that; parts differ in length by one at most,
so that every image is seen once per epoch by exactly one process and all processes make the same
number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings, TransformSettings
from morphosphere.errors import InputError

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


@dataclass(frozen=True)
class Place:
    """Which of the processes that share an epoch this is."""

    rank: int = 0
    size: int = 1


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
        Images in a batch of one process.
    columns : sequence of str
        Columns of the table that come with the images.
    buffer : int
        Images that are read and shuffled together when streamed.
    memory : int
        Bytes that the transformed images may take; above it they are streamed.
    shuffle : bool
        False: in the order of the file.
    seed : int
    place : Place
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
        place = place or Place()
        if len(rows) < place.size:  # too few to share: each process sees all of them
            place = Place()
        self.path, self.rows, self.transform = Path(path), rows, transform
        self.shuffle, self.seed, self.place = shuffle, seed, place
        self.steps = max(1, -(-len(rows) // (batch_size * place.size)))
        self.batches_per_buffer = max(1, buffer // batch_size)
        self._file: ImageSet | None = None
        self._buffer: tuple[tuple[int, int], np.ndarray, Tensor] | None = None
        with ImageSet(path) as images:
            self._columns = {
                name: torch.from_numpy(np.asarray(images.column(name)[rows])) for name in columns
            }
            shape = (len(rows), len(transform.channels), transform.size, transform.size)
            fits = 2 * int(np.prod(shape)) <= memory
            self._cache = self._read_all(images, shape) if fits else None

    def _read_all(self, images: ImageSet, shape: tuple[int, ...]) -> Tensor:
        cache = torch.empty(shape, dtype=torch.float16)
        for start in range(0, len(self.rows), 256):
            rows = self.rows[start : start + 256]
            cache[start : start + len(rows)] = self._transformed(images, rows)
        return cache

    def _transformed(self, images: ImageSet, rows: np.ndarray) -> Tensor:
        """Rows (ascending) as float16, read in contiguous runs."""
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        pieces = [images.read(int(run[0]), int(run[-1]) + 1) for run in np.split(rows, breaks)]
        return torch.from_numpy(self.transform(np.concatenate(pieces))).half()

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        """Batch of (epoch, step): ``images`` (n, C, S, S) float32 in [0, 1], ``row``, columns."""
        epoch, step = key
        if self._cache is not None:
            index = self._part(epoch, 1)[share(self._count, step, self.steps)]
            images = self._cache[torch.from_numpy(index)]
        else:
            index, images = self._from_buffer(epoch, step)
        batch = {name: values[index] for name, values in self._columns.items()}
        return batch | {"images": images.float(), "row": torch.from_numpy(self.rows[index])}

    @property
    def _count(self) -> int:
        part = share(len(self.rows), self.place.rank, self.place.size)
        return part.stop - part.start

    def _part(self, epoch: int, block: int) -> np.ndarray:
        """This process's part of an epoch, as indices into the split's rows."""
        every = np.arange(len(self.rows))
        order = epoch_order(every, self.seed, epoch, block=block) if self.shuffle else every
        return order[share(len(order), self.place.rank, self.place.size)]

    def _from_buffer(self, epoch: int, step: int) -> tuple[np.ndarray, Tensor]:
        number = step // self.batches_per_buffer
        first = number * self.batches_per_buffer
        last = min(first + self.batches_per_buffer, self.steps)
        start = share(self._count, first, self.steps).start
        stop = share(self._count, last - 1, self.steps).stop
        if self._buffer is None or self._buffer[0] != (epoch, number):
            index = np.sort(self._part(epoch, BLOCK)[start:stop])
            if self._file is None:
                self._file = ImageSet(self.path)
            self._buffer = None
            images = self._transformed(self._file, self.rows[index])
            order = np.arange(len(index))
            if self.shuffle:
                key = (self.seed, epoch, self.place.rank, number)
                order = np.random.default_rng(key).permutation(order)
            self._buffer = ((epoch, number), index[order], images[torch.from_numpy(order)])
        here = share(self._count, step, self.steps)
        part = slice(here.start - start, here.stop - start)
        return self._buffer[1][part], self._buffer[2][part]

    def __getstate__(self) -> dict:
        """Without the open file: each worker opens its own."""
        return {**self.__dict__, "_file": None, "_buffer": None}


class EpochSteps(Sampler):
    """The keys (epoch, step) of an epoch; Lightning tells the epoch through `set_epoch`."""

    def __init__(self, batches: Batches) -> None:
        self.steps, self.epoch = len(batches), 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose keys come next."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter([(self.epoch, step) for step in range(self.steps)])

    def __len__(self) -> int:
        return self.steps


def loader(batches: Batches, workers: int = 0, *, epoch: int = 0) -> DataLoader:
    """DataLoader of whole batches, in their order, of `epoch` and those after it."""
    steps = EpochSteps(batches)
    steps.set_epoch(epoch)
    # A generator of its own: making an iterator draws from it, and must not move the global one.
    return DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        generator=torch.Generator(),
    )


def split_rows(images: ImageSet, processes: int = 1) -> dict[str, np.ndarray]:
    """Rows of each split, by galaxy.

    Raises
    ------
    InputError
        If there are too few galaxies to train on.
    """
    split = split_of(images.column("galaxy_id"))
    rows = {name: np.flatnonzero(split == k) for k, name in enumerate(SPLITS)}
    if len(rows["train"]) < max(2, 2 * processes):
        raise InputError(
            f"{images.path}: {len(rows['train'])} of its {len(split)} images are for training, too "
            f"few for {processes} process(es); add galaxies or loosen the cuts"
        )
    return rows


def open_splits(
    path: str | Path,
    transform: Transform,
    settings: LearnSettings,
    *,
    seed: int,
    place: Place,
    columns: Sequence[str] = (),
) -> tuple[Batches, Batches]:
    """Batches for training and for validation; the memory budget is shared between them.

    Where no galaxy falls to validation, training images stand in.
    """
    with ImageSet(path) as images:
        rows = split_rows(images, place.size)
    chosen = {"train": rows["train"]}
    chosen["validation"] = rows["validation"] if len(rows["validation"]) else rows["train"]
    total = sum(map(len, chosen.values()))
    budget = settings.memory_mib << 20

    def batches(name: str) -> Batches:
        return Batches(
            path,
            chosen[name],
            transform,
            batch_size=max(1, settings.batch_size // place.size),
            columns=columns,
            buffer=settings.buffer,
            memory=budget * len(chosen[name]) // total,
            shuffle=name == "train",
            seed=seed,
            place=place,
        )

    return batches("train"), batches("validation")
