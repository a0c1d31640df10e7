"""Search by identifier without a server: sorted keys in blocks, found by bisection.

A galaxy is found by the beginning of its identifier and by the beginning of each part of it that
follows an underscore, so that ``tng_99_394242_c0`` is found by ``tng_99_39`` and by ``3942``.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from morphosphere.files import atomic_path

BLOCK = 1024
#: Galaxies whose keys are sorted in memory, and sorted files that are open at a time.
ROWS, FILES = 8192, 256
#: Parts of an identifier that say nothing alone: the camera.
_CAMERA = re.compile(r"c\d+")


def keys_of(image_id: str) -> list[str]:
    """Keys under which an identifier is found, in lower case."""
    parts = (image_id[found.end() :] for found in re.finditer("_", image_id))
    return [
        image_id.lower(),
        *(part.lower() for part in parts if part and not _CAMERA.fullmatch(part)),
    ]


def write_ids(folder: Path, batches: Iterable[np.ndarray]) -> dict[str, object]:
    """Write the blocks of the search index; return what the index says of them.

    A block is lines ``key<TAB>row<TAB>identifier`` sorted by key as UTF-16, the order in which
    JavaScript compares strings. Each batch is sorted and put aside on disk, then all are merged,
    so that memory does not grow with the number of galaxies.

    Parameters
    ----------
    folder : Path
    batches : iterable of ndarray of str
        The identifiers of all galaxies, in order and in pieces, of `ROWS` galaxies for example.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first_keys: list[str] = []
    count = 0
    with (
        tempfile.TemporaryDirectory(prefix=".sort.", dir=folder.parent) as aside,
        _merged(_runs(Path(aside), batches)) as lines,
    ):
        while block := [line.rstrip("\n") for line in itertools.islice(lines, BLOCK)]:
            with atomic_path(folder / f"{len(first_keys):05d}.txt") as temporary:
                temporary.write_text("\n".join(block), encoding="utf-8")
            first_keys.append(block[0].split("\t")[0])
            count += len(block)
    return {"first_keys": first_keys, "keys": count}


def _runs(aside: Path, batches: Iterable[np.ndarray]) -> list[Path]:
    """Sorted files of all batches, of which at most `FILES` are read at a time."""
    single: list[Path] = []
    joined: list[Path] = []
    for number, (first, batch) in enumerate(_rows(batches)):
        single.append(_sorted_run(aside / str(number), first, batch))
        if len(single) == FILES:
            joined.append(aside / f"joined-{number}")
            with _merged(single) as lines, _opened(joined[-1], "w") as out:
                out.writelines(lines)
            for path in single:
                path.unlink()
            single = []
    return [*joined, *single]


@contextlib.contextmanager
def _merged(runs: list[Path]) -> Iterator[Iterator[str]]:
    """The lines of sorted files, in order."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(_opened(run)) for run in runs]
        yield heapq.merge(*opened, key=_order)


def _opened(path: Path, mode: str = "r") -> TextIO:
    return path.open(mode, encoding="utf-8", newline="\n")


def _rows(batches: Iterable[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    first = 0
    for batch in batches:
        yield first, batch
        first += len(batch)


def _sorted_run(path: Path, first: int, batch: np.ndarray) -> Path:
    lines = [
        f"{key}\t{row}\t{name}\n"
        for row, name in enumerate(map(str, batch), start=first)
        for key in keys_of(name)
    ]
    with _opened(path, "w") as handle:
        handle.writelines(sorted(lines, key=_order))
    return path


def _order(line: str) -> bytes:
    return line.encode("utf-16-be")
