"""Arrays over all images, on disk, written by many processes and read by all of them.

Each process writes a file of its own: processes on different machines never touch the same file,
which network file systems do not allow through memory maps.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from morphosphere.parallel import World
from morphosphere.system import writing


class Scratch:
    """A folder for arrays that live as long as the stage, beside its output.

    A folder that a killed run has left behind is emptied first.

    Parameters
    ----------
    output : Path
        The file that the stage will write.
    ranks : World
    """

    def __init__(self, output: Path, ranks: World) -> None:
        self.path = output.parent / f".{output.name}.scratch"
        self._ranks = ranks

    def __enter__(self) -> Scratch:
        if self._ranks.first:
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True)
        self._ranks.barrier()
        return self

    def __exit__(self, *_: object) -> None:
        if self._ranks.first:
            shutil.rmtree(self.path, ignore_errors=True)

    def mine(self, name: str, rows: range, dtype: np.dtype, shape: tuple[int, ...] = ()) -> Part:
        """A new array (len(rows), *shape) for this process's rows."""
        return Part(self.path / f"{name}.{self._ranks.rank}.npy", rows, dtype, shape)

    def all(self, name: str) -> Rows:
        """The array of all rows, once every process has closed its part (and met at a barrier)."""
        files = [self.path / f"{name}.{rank}.npy" for rank in range(self._ranks.size)]
        return Rows([np.load(file, mmap_mode="r") for file in files])


class Part:
    """Rows of one process, written in order and addressed by their number among all rows."""

    def __init__(self, path: Path, rows: range, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        self._start = rows.start
        # A file without data cannot be mapped; an empty part is written as it is.
        if len(rows) and all(shape):
            self._array = np.lib.format.open_memmap(path, "w+", dtype, (len(rows), *shape))
            _reserve(path)
        else:
            self._array = np.empty((len(rows), *shape), dtype)
            np.save(path, self._array)

    def write(self, start: int, values: np.ndarray) -> None:
        """Store `values` at rows ``start : start + len(values)``."""
        first = start - self._start
        self._array[first : first + len(values)] = values

    def close(self) -> None:
        """Bring everything to disk."""
        if isinstance(self._array, np.memmap):
            self._array.flush()
        del self._array


def _reserve(path: Path) -> None:
    """Take the room of a file now: a full disk ends a process that writes to memory later."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with writing(path), open(path, "r+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)


class Rows:
    """Read-only rows of all processes as one array."""

    def __init__(self, parts: list[np.ndarray]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def width(self) -> int:
        """Length of a row."""
        return self._parts[0].shape[1]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop``, in memory."""
        pieces = []
        for part, first in zip(self._parts, self._starts[:-1]):
            low, high = max(start - first, 0), min(stop - first, len(part))
            if low < high:
                pieces.append(part[low:high])
        return np.concatenate(pieces) if pieces else np.array(self._parts[0][:0])

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Rows at `rows`, an array of any shape; shape (*rows.shape, *row)."""
        out = np.empty((*rows.shape, *self._parts[0].shape[1:]), self._parts[0].dtype)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        for number, part in enumerate(self._parts):
            here = owner == number
            if here.any():
                out[here] = part[rows[here] - self._starts[number]]
        return out
