"""Collect a survey: read its images by chunks, bring them to one size, join its table."""

from __future__ import annotations

import csv
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from morphosphere.collect.fault import Fault
from morphosphere.collect.items import Found, Item, Reject, find, listing_digest
from morphosphere.collect.known import Known, know
from morphosphere.collect.read import Collected, read_items
from morphosphere.collect.sink import Counts, Sink, relative
from morphosphere.config.collect import SurveySettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_path
from morphosphere.progress import log, progress

#: Items that one thread reads at a time, and about how many bytes their images may take.
_TASK = 64
_TASK_BYTES = 8 << 20


def collect(name: str, settings: SurveySettings, output: Path, *, workers: int = 1) -> Counts:
    """Write ``images.h5`` and ``rejects.csv`` of a survey into a folder.

    Parameters
    ----------
    name : str
        The survey's name: the first part of every id, and the column ``source``.
    settings : SurveySettings
    output : Path
        Folder; what is in it stays until the new files are whole.
    workers : int
        Threads that read and decode. Results do not depend on it.

    Raises
    ------
    InputError
        If the folder or the table cannot be used, or no image is left; rejects.csv says why.
    """
    images, rejects = output / "images.h5", output / "rejects.csv"
    with _quiet(), _rejects(rejects, Path(settings.path)) as left_out:
        table = [Path(settings.table)] if settings.table else []
        found = find(settings, exclude=(*table, images, rejects))
        known = know(settings, found)
        for reject in [*found.rejects, *known.rejects]:
            left_out.add(reject)
        with Sink(name, settings, images, found.items, known) as sink:
            _fill(sink, left_out, found.items, settings, workers, f"collect {name}")
        sink.counts.rejects = left_out.reasons
        sink.counts.files_digest = listing_digest(found.items, Path(settings.path))
        sink.counts.files = list(dict.fromkeys(f for item in found.items for f in item.files))
    _say(name, sink.counts, found, known)
    if not sink.counts.images:
        raise InputError(_nothing_left(settings, sink.counts, rejects))
    return sink.counts


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings about a file become its fault where they mean damage; the rest is silenced.

    Set once for all threads, because the filters of warnings are global.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=".*truncated.*")
        warnings.filterwarnings("error", message=".*decompression bomb.*")
        yield


class _Rejects:
    """The table of what was left out, written as it is found."""

    def __init__(self, handle: TextIO, root: Path) -> None:
        self.reasons: Counter[str] = Counter()
        self._root = root
        self._writer = csv.writer(handle, lineterminator="\n")
        self._writer.writerow(["file", "id", "reason"])

    def add(self, reject: Reject) -> None:
        file = relative(reject.file, self._root)
        self._writer.writerow([file, reject.id, reject.reason])
        self.reasons[reject.reason.partition(":")[0]] += 1


@contextmanager
def _rejects(path: Path, root: Path) -> Iterator[_Rejects]:
    """The table of what is left out, which appears when the block ends well."""
    with atomic_path(path) as part, open(part, "w", newline="", encoding="utf-8") as handle:
        yield _Rejects(handle, root)


def _fill(
    sink: Sink,
    rejects: _Rejects,
    items: list[Item],
    settings: SurveySettings,
    workers: int,
    description: str,
) -> None:
    with progress(description, len(items)) as advance:
        for results in _read(items, settings, workers):
            for result in results:
                if isinstance(result, Reject):
                    rejects.add(result)
                    continue
                try:
                    sink.add(result)
                except Fault as fault:
                    item = items[result.index]
                    rejects.add(Reject(item.files[0], item.id, str(fault)))
            advance(len(results))


def _read(
    items: list[Item], settings: SurveySettings, workers: int
) -> Iterator[list[Collected | Reject]]:
    """Results of tasks of consecutive items, in order; a few tasks are in flight at a time."""
    image = 4 * settings.size**2 * len(settings.bands or "RGB")
    step = min(_TASK, max(1, _TASK_BYTES // image))
    tasks = ((items[s : s + step], s, settings) for s in range(0, len(items), step))
    if workers == 1:
        yield from (read_items(*task) for task in tasks)
        return
    with ThreadPoolExecutor(workers) as pool:
        flying: deque[Future[list[Collected | Reject]]] = deque()
        try:
            for task in tasks:
                flying.append(pool.submit(read_items, *task))
                if len(flying) > workers + 1:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()


def _say(name: str, counts: Counts, found: Found, known: Known) -> None:
    log(f"{name}: {counts.images} images collected, {counts.rejects.total()} left out")
    for reason, count in counts.rejects.most_common():
        log(f"  {count} x {reason}")
    for count, what in (
        (counts.without_row, "images without a row of the table: their columns are empty"),
        (counts.with_bad_pixels, "images with NaN or infinite pixels"),
        (counts.without_object, "images without an object at the centre: cut by `crop`"),
        (found.others, "files of other kinds, not looked at"),
    ):
        if count:
            log(f"  {count} {what}")


def _nothing_left(settings: SurveySettings, counts: Counts, rejects: Path) -> str:
    if counts.rejects:
        reason, count = counts.rejects.most_common(1)[0]
        return f"{settings.path}: no image can be used ({count} x {reason}); see {rejects}"
    return f"{settings.path}: no file matches {settings.pattern!r}; correct `pattern` or `format`"
