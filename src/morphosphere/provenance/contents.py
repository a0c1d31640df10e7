"""Digests of what files and folders hold.

A digest is that of a file's bytes, as ``sha256sum`` says, but for two kinds of small files with
times in them: the ``properties`` of a HiPS, which hold the dates of its making, and the table of a
training, which holds the seconds of each epoch. Their digests leave these out and say so.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from morphosphere.files import digest

#: Lines of the ``properties`` of a HiPS that say when it was made.
_DATES = re.compile(rb"(?m)^(hips_creation_date|hips_release_date|t_min|t_max)\s*=.*\n")
#: Files that are read at a time: a file system answers several readers faster than one.
_READERS = 8


def digest_of(path: Path) -> str:
    """Digest of one file: ``sha256:``, ``sha256-sampled:`` (see `files.digest`) or of its timeless
    part ``sha256-timeless:``, each with hexadecimal digits."""
    if path.name == "properties":
        return _timeless(_DATES.sub(b"", path.read_bytes()))
    if path.name == "metrics.csv":
        return _timeless(_without_seconds(path.read_text(encoding="utf-8")).encode())
    return digest(path)


def _timeless(contents: bytes) -> str:
    return f"sha256-timeless:{hashlib.sha256(contents).hexdigest()}"


def _without_seconds(table: str) -> str:
    rows = [line.split(",") for line in table.splitlines()]
    kept = [i for i, name in enumerate(rows[0] if rows else []) if not name.endswith("seconds")]
    return "\n".join(",".join(row[i] for i in kept if i < len(row)) for row in rows)


def digests_of(paths: Iterable[Path]) -> dict[Path, str]:
    """Digests of files, several of which are read at a time, in the order given."""
    paths = list(dict.fromkeys(paths))
    if len(paths) == 1:
        return {paths[0]: digest_of(paths[0])}
    with ThreadPoolExecutor(min(_READERS, max(1, len(paths)))) as pool:
        return dict(zip(paths, pool.map(digest_of, paths)))


def files_below(folder: Path) -> Iterator[Path]:
    """Files below a folder in the order of their names, without hidden ones."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from files_below(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def together(root: Path, files: Iterable[Path]) -> tuple[str, int, int]:
    """Digest of the names and digests of files below a folder, their number, and their bytes.

    The digest of thousands of tiles or pictures: ``sha256-tree:<hex>``.
    """
    total, count, size = hashlib.sha256(), 0, 0
    for batch in _batches(iter(files), 4096):
        for file, value in digests_of(batch).items():
            total.update(f"{file.relative_to(root).as_posix()} {value}\n".encode())
            count, size = count + 1, size + file.stat().st_size
    return f"sha256-tree:{total.hexdigest()}", count, size


def _batches(files: Iterator[Path], size: int) -> Iterator[list[Path]]:
    batch: list[Path] = []
    for file in files:
        batch.append(file)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
