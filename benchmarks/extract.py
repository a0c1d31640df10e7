"""Extract the mock box, against reading the bytes of its particles in large slices."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py

from benchmarks.result import Result, alternate
from benchmarks.work import demo
from morphosphere.extract.__main__ import main

SLICE = 1 << 20
READ = {"PartType0", "PartType4"}


def run() -> Iterator[Result]:
    """One process on both sides, files in the page cache."""
    box = demo() / "snapshots" / "mock"
    files = sorted(box.glob("snapdir_*/*.hdf5"))
    size = sum(map(_read, files)) / 2**20
    with tempfile.TemporaryDirectory() as folder:
        command = ["--simulation", "mock", "--snapshot", "99", "--input", str(box)]
        ours, theirs = alternate(
            lambda: main([*command, "--output", folder]),
            lambda: [_read(f) for f in files],
            repeats=3,
        )
    yield Result(
        "extract", size / ours, size / theirs, 0.8, True, "MiB/s", "h5py reading the same bytes"
    )


def _read(path: Path) -> int:
    total = 0
    with h5py.File(path) as file:
        for name in READ & set(file):
            for item in file[name].values():
                for start in range(0, len(item), SLICE):
                    total += item[start : start + SLICE].nbytes
    return total
