"""A folder of downloaded files that outlives a kill, a new run and another choice of files.

Layout::

    <files>            the files that belong to the present request, and no others
    ledger.jsonl       one line for each finished file: request, name, length, time, sha256
    parts/             files under way; they go on where they were
    unused/            finished files that the present request does not name; one may again

What was asked for is known by a digest of path and parameters, not by the file's name: a cutout
with other fields is another file. The ledger's line is written before the file is renamed into its
place, and a line counts only while the file in place has its length and time, or its sha256.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from morphosphere.files import write_text

_LEDGER, _PARTS, _UNUSED = "ledger.jsonl", "parts", "unused"


@dataclass(frozen=True)
class Entry:
    """A finished file, or an answer that is known to hold nothing.

    Attributes
    ----------
    request : str
        Digest of what was asked for, see `request_digest`.
    file : str
        Name in the folder.
    bytes : int
        Length.
    mtime_ns : int
        Time of the last change.
    sha256 : str
    blank : str
        Why the answer holds nothing; empty for a file.
    """

    request: str
    file: str
    bytes: int = 0
    mtime_ns: int = 0
    sha256: str = ""
    blank: str = ""


def request_digest(url: str, params: Mapping[str, str], file: str, judged: str = "") -> str:
    """Digest of what is asked for; the server's name does not count, so a mirror will do."""
    text = json.dumps([urlsplit(url).path, sorted(params.items()), file, judged])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Store:
    """The folder; safe to use from several threads of one process.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        (folder / _PARTS).mkdir(parents=True, exist_ok=True)
        self._entries = _read(folder / _LEDGER)
        self._by_file: dict[str, dict[str, Entry]] = {}
        for entry in self._entries.values():
            self._by_file.setdefault(entry.file, {})[entry.request] = entry
        lines = [json.dumps(asdict(entry)) + "\n" for entry in self._entries.values()]
        write_text(folder / _LEDGER, "".join(lines))

    def find(self, request: str, file: str) -> Entry | None:
        """The finished file of a request, brought back into its place if it was put aside."""
        entry = self._entries.get(request)
        if entry is None or entry.blank:
            return entry
        place = self.folder / file
        if (found := self._confirmed(entry, place)) is not None:
            return found
        for other in (self._aside(entry), self.part(request, file)):
            if (found := self._confirmed(entry, other)) is not None:
                self._put_aside(place)
                os.replace(other, place)
                return found
        return None

    def part(self, request: str, file: str) -> Path:
        """Where the file of a request grows."""
        return self.folder / _PARTS / f"{request}-{file}"

    def keep(self, request: str, file: str) -> Entry:
        """Put the grown and checked file of a request into its place."""
        part = self.part(request, file)
        with open(part, "rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            os.fsync(handle.fileno())
        status = part.stat()
        entry = Entry(request, file, status.st_size, status.st_mtime_ns, sha256)
        self._write(entry)
        self._put_aside(self.folder / file)
        os.replace(part, self.folder / file)
        return entry

    def keep_blank(self, request: str, file: str, reason: str) -> Entry:
        """Remember that the answer to a request holds nothing."""
        entry = Entry(request, file, blank=reason)
        self._write(entry)
        self.part(request, file).unlink(missing_ok=True)
        return entry

    def tidy(self, wanted: Iterable[str], suffixes: tuple[str, ...]) -> int:
        """Put aside files with one of the suffixes that are not wanted; return how many."""
        names = set(wanted)
        others = [
            path
            for path in sorted(self.folder.iterdir())
            if path.suffix in suffixes and path.name not in names and path.is_file()
        ]
        for path in others:
            self._put_aside(path)
        return len(others)

    def _confirmed(self, entry: Entry, path: Path) -> Entry | None:
        """The entry if the file at `path` is the one it means."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        if status.st_size != entry.bytes:
            return None
        if status.st_mtime_ns == entry.mtime_ns:
            return entry
        with open(path, "rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != entry.sha256:
                return None
        copied = Entry(**{**asdict(entry), "mtime_ns": status.st_mtime_ns})
        self._write(copied)
        return copied

    def _put_aside(self, path: Path) -> None:
        """Move a file to the unused ones, under a name that tells requests apart."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return
        with self._lock:
            entries = list(self._by_file.get(path.name, {}).values())
        target = self.folder / _UNUSED / f"unknown-{path.name}"
        for entry in entries:
            if (entry.bytes, entry.mtime_ns) == (status.st_size, status.st_mtime_ns):
                target = self._aside(entry)
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)

    def _aside(self, entry: Entry) -> Path:
        return self.folder / _UNUSED / f"{entry.request}-{entry.file}"

    def _write(self, entry: Entry) -> None:
        with self._lock, open(self.folder / _LEDGER, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(asdict(entry)) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
            self._entries[entry.request] = entry
            self._by_file.setdefault(entry.file, {})[entry.request] = entry


def _read(path: Path) -> dict[str, Entry]:
    """Entries by request, the last of each; a line torn by a kill is left out."""
    entries = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue
            entries[entry.request] = entry
    return entries
