"""Many files: a few at a time, in order, and the record of which of them belong."""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphosphere.download.client import Client
from morphosphere.download.faults import DownloadError, Failed, Missing
from morphosphere.download.fetch import Wanted, fetch
from morphosphere.download.store import Entry, Store
from morphosphere.files import atomic_path, write_json
from morphosphere.progress import log, progress

MANIFEST, REJECTS = "manifest.json", "rejects.csv"
#: So many failures one after the other mean that the server is down, or out of reach.
IN_A_ROW = 5


@dataclass(frozen=True)
class Reject:
    """A file that is left out, and why; `lasting` if it will not be there later either."""

    file: str
    id: str
    reason: str
    lasting: bool = True


@dataclass(frozen=True)
class Batch:
    """Files that are there, by name, and those that are not."""

    entries: dict[str, Entry]
    rejects: list[Reject]


def fetch_all(client: Client, store: Store, wanted: Sequence[Wanted], what: str) -> Batch:
    """Fetch files; what fails for good or holds nothing becomes a reject.

    Raises
    ------
    DownloadError
        If the server refuses, or `IN_A_ROW` files in a row fail.
    """
    entries: dict[str, Entry] = {}
    rejects: list[Reject] = []
    row = 0
    with progress(what, len(wanted)) as advance:
        for one, result in _results(client, store, wanted):
            if isinstance(result, Reject):
                row = 0 if result.lasting else row + 1
                rejects.append(result)
            elif result.blank:
                rejects.append(Reject(one.file, one.id, result.blank))
            else:
                row = 0
                entries[one.file] = result
            if row >= IN_A_ROW and not (client.settings.skip_failed and entries):
                client.stop()
                raise DownloadError(
                    f"{row} files in a row could not be fetched (the last: {rejects[-1].reason}); "
                    "is there a connection to the server? Finished files are kept: run again later"
                )
            advance(1)
    return Batch(entries, rejects)


def _results(
    client: Client, store: Store, wanted: Iterable[Wanted]
) -> Iterator[tuple[Wanted, Entry | Reject]]:
    """Results in order; a few files are on their way at a time.

    The first error that is more than a file's own ends the work of all threads at once.
    """
    ends: list[Exception] = []

    def one(item: Wanted) -> Entry | Reject:
        try:
            return fetch(client, store, item)
        except Missing as missing:
            return Reject(item.file, item.id, f"not at the server ({missing})")
        except Failed as failed:
            return Reject(item.file, item.id, f"failed: {failed}", lasting=False)
        except Exception as error:
            ends.append(error)
            client.stop()
            raise

    connections = client.settings.connections
    with ThreadPoolExecutor(connections) as pool:
        flying: deque[tuple[Wanted, Future[Entry | Reject]]] = deque()
        try:
            for item in wanted:
                flying.append((item, pool.submit(one, item)))
                if len(flying) > connections:
                    yield _first(flying, ends)
            while flying:
                yield _first(flying, ends)
        except BaseException:
            client.stop()
            raise
        finally:
            for _, future in flying:
                future.cancel()


def _first(
    flying: deque[tuple[Wanted, Future[Entry | Reject]]], ends: list[Exception]
) -> tuple[Wanted, Entry | Reject]:
    """The result that is due; what ends the work goes before what merely stopped with it."""
    item, future = flying.popleft()
    wait((future,))
    if ends:
        raise ends[0]
    return item, future.result()


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write ``rejects.csv``: file, id, reason."""
    with atomic_path(path) as part, open(part, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["file", "id", "reason"])
        writer.writerows([reject.file, reject.id, reject.reason] for reject in rejects)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV; columns in the order in which they first appear."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_path(path) as part, open(part, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def finish(
    folder: Path,
    request: Mapping[str, Any],
    entries: Sequence[tuple[str, Entry]],
    batch: Batch,
    settings: Any,
) -> None:
    """Write rejects, say what was left out, and write the manifest last.

    The manifest holds what was asked for and the files that belong, without times, so that the same
    files make the same manifest.

    Parameters
    ----------
    folder : Path
        Of the manifest.
    request : mapping
        What was asked for.
    entries : sequence of (id, Entry)
        Files that belong, in order.
    batch : Batch
    settings : TransferSettings

    Raises
    ------
    DownloadError
        If no file is left, or some failed that are not to be skipped; then there is no manifest.
    """
    write_rejects(folder / REJECTS, batch.rejects)
    failed = [reject for reject in batch.rejects if not reject.lasting]
    if batch.rejects:
        log(f"{len(batch.rejects)} left out, see {folder / REJECTS}")
    if failed and not settings.skip_failed:
        raise DownloadError(
            f"{len(failed)} of {len(batch.rejects) + len(batch.entries)} files could not be "
            f"fetched ({failed[0].file}: {failed[0].reason}; all are in {folder / REJECTS}). "
            "Finished files are kept: run again, or set skip_failed"
        )
    if not entries:
        first = batch.rejects[0].reason if batch.rejects else "nothing was asked for"
        raise DownloadError(f"no file is left ({first}); see {folder / REJECTS}")
    write_json(
        folder / MANIFEST,
        {
            "request": json.loads(json.dumps(request)),
            "files": [
                {"id": name, "file": e.file, "bytes": e.bytes, "sha256": e.sha256}
                for name, e in entries
            ],
        },
    )
