"""Files of an IllustrisTNG snapshot or group catalogue, filled in order."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from morphosphere.artefacts.hdf5 import HDF5Output

Attributes = Mapping[str, object]


class StreamedFiles:
    """Rows of several HDF5 groups, spread evenly and in order over a number of files.

    The numbers of rows are known beforehand, so every dataset has its final shape at once, as
    in the real files, and memory holds no more than a block of rows of each group.

    Parameters
    ----------
    paths : list of Path
        Files to make.
    totals : mapping of str to int
        Rows of each HDF5 group in all files together.
    headers : list of mapping
        Attributes of ``/Header`` of each file.
    attributes : mapping of str to mapping
        Attributes of other groups without datasets, the same in every file.
    block : int
        Rows that are gathered before they are written.
    """

    def __init__(
        self,
        paths: list[Path],
        totals: Mapping[str, int],
        headers: list[Attributes],
        attributes: Mapping[str, Attributes],
        *,
        block: int = 1 << 15,
    ) -> None:
        self._paths = paths
        self._block = block
        self._edges = {name: split(total, len(paths)) for name, total in totals.items()}
        self._done = dict.fromkeys(totals, 0)
        self._waiting: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in totals}
        self._gathered = dict.fromkeys(totals, 0)
        self._open: dict[int, HDF5Output] = {}
        for path, header in zip(paths, headers):
            with HDF5Output(path) as file:
                file.create_group("Header").attrs.update(header)
                for name, values in attributes.items():
                    file.create_group(name).attrs.update(values)

    def append(self, name: str, rows: dict[str, np.ndarray]) -> None:
        """Add rows to an HDF5 group: arrays of equal length by name of dataset."""
        count = len(next(iter(rows.values())))
        if count:
            self._waiting[name].append(rows)
            self._gathered[name] += count
        if self._gathered[name] >= self._block:
            self._flush(name)

    def _flush(self, name: str) -> None:
        waiting = self._waiting[name]
        if not waiting:
            return
        rows = {key: np.concatenate([part[key] for part in waiting]) for key in waiting[0]}
        waiting.clear()
        self._gathered[name] = 0
        count = len(next(iter(rows.values())))
        edges, start, taken = self._edges[name], self._done[name], 0
        while taken < count:
            number = int(np.searchsorted(edges, start + taken, side="right")) - 1
            first = start + taken - int(edges[number])
            part = min(count - taken, int(edges[number + 1]) - start - taken)
            length = int(edges[number + 1] - edges[number])
            group = self._file(number).require_group(name)
            for key, values in rows.items():
                if key not in group:
                    group.create_dataset(key, shape=(length, *values.shape[1:]), dtype=values.dtype)
                group[key][first : first + part] = values[taken : taken + part]
            taken += part
        self._done[name] = start + count

    def _file(self, number: int) -> h5py.File:
        if number not in self._open:
            reached = min(
                int(np.searchsorted(edges, self._done[name], side="right")) - 1
                for name, edges in self._edges.items()
                if self._done[name] < edges[-1]
            )
            for past in [n for n in self._open if n < reached]:
                self._open.pop(past).close()
            self._open[number] = HDF5Output(self._paths[number], "r+")
        self._open[number].check()
        return self._open[number].file

    def close(self) -> None:
        """Write what is left and close the files; check that they are full."""
        for name in self._waiting:
            self._flush(name)
        self.abandon()
        for name, edges in self._edges.items():
            if self._done[name] != edges[-1]:
                raise RuntimeError(f"{name}: {self._done[name]} of {edges[-1]} rows were made")

    def abandon(self) -> None:
        """Close the files as they are."""
        with contextlib.ExitStack() as stack:
            for file in self._open.values():
                stack.callback(file.close)
            self._open.clear()


def split(total: int, files: int) -> np.ndarray:
    """First row of each file and the total, shape (files + 1,)."""
    return np.array([total * k // files for k in range(files + 1)], dtype=np.int64)
