"""What is run on the cluster, and what makes two runs the same."""

from __future__ import annotations

import copy
import csv
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import psutil

from workflow.test_run import TINY

#: Long enough in training for something to happen to it.
LONGER = copy.deepcopy(TINY)
LONGER["learn"] |= {"epochs": 60, "patience": 1000}

#: What is the same to the last bit however a run went.
BITWISE = ("snapshots/**/*.hdf5", "galaxies/**/*.h5", "images/**/*.h5", "images.h5")
MODEL = ("model/*.onnx", "model/transform.json")


def digests(results: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of what the files of a run hold, by their paths in it."""
    found = {
        str(file.relative_to(results)): _digest(file)
        for pattern in patterns
        for file in sorted(results.glob(pattern))
    }
    assert found, f"{results} holds none of {patterns}"
    return found


def _digest(file: Path) -> str:
    total = hashlib.sha256()
    if file.suffix not in (".h5", ".hdf5"):
        total.update(file.read_bytes())
        return total.hexdigest()
    # Where a file keeps strings depends on the number of writes; what it says does not.
    with h5py.File(file) as opened:
        things: list[tuple[str, h5py.HLObject]] = [("/", opened)]
        opened.visititems(lambda name, thing: things.append((name, thing)))
        for name, thing in sorted(things):
            attributes = {key: np.asarray(value).tolist() for key, value in thing.attrs.items()}
            total.update(repr((name, sorted(attributes.items()))).encode())
            if isinstance(thing, h5py.Dataset):
                values = thing[...]
                plain = values.dtype.kind != "O"
                total.update(values.tobytes() if plain else repr(values.tolist()).encode())
                total.update(repr((values.shape, str(values.dtype))).encode())
    return total.hexdigest()


def epochs(results: Path) -> list[int]:
    """Epochs in the table of a training."""
    path = results / "training" / "metrics.csv"
    if not path.exists():
        return []
    with path.open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def until(happened: Callable[[], object], what: str, seconds: float = 180) -> object:
    """Wait until something is true and return it.

    Raises
    ------
    AssertionError
        After so many seconds.
    """
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.05)
    return value


def processes(module: str, **variables: str) -> list[psutil.Process]:
    """Processes that run ``python … -m module`` with these variables, on any node."""
    return [process for process, _ in _running(module, **variables)]


def ranks_of_training(node: str) -> list[psutil.Process]:
    """The trainer's own processes on a node, without torchrun above them."""
    return [
        process
        for process, environment in _running("morphosphere.learn", SLURMD_NODENAME=node)
        if "RANK" in environment and "torch.distributed.run" not in process.info["cmdline"]
    ]


def _running(module: str, **variables: str) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Such processes and their variables; one that ends while it is looked at is not there."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if module not in words or "-m" not in words or process.pid == os.getpid():
            continue
        if words[words.index(module) - 1] != "-m" or "srun" in words[0]:
            continue
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if all(environment.get(name) == value for name, value in variables.items()):
            yield process, environment
