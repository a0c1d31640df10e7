"""Digests that other records of a run have already."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from morphosphere.errors import InputError
from morphosphere.files import read_json

#: Bytes from which on a file is looked up before it is read again.
LARGE = 64 << 20
#: Name of the folder of records below that of a run's results.
FOLDER = "provenance"


def run_folder(record: Path) -> Path:
    """The folder of a run's results, by the path of one of its records."""
    return record.parent.parent if record.parent.name == FOLDER else record.parent


class Known:
    """Digests of large files, by the records that lie beside one.

    Parameters
    ----------
    record : Path or None
        A record, which need not be there; its neighbours are read when a large file comes.
    large : int
        Bytes from which on a file is looked up.
    """

    def __init__(self, record: Path | None, large: int = LARGE) -> None:
        self._record, self._large = record, large

    def digest(self, path: Path) -> str | None:
        """Digest of a file that is as a stage has left it; None of others, and of small files."""
        status = path.stat()
        if status.st_size < self._large or self._record is None:
            return None
        facts = self._outputs.get(str(path), {})
        then, now = facts.get("bytes"), status.st_size
        same = then == now and facts.get("modified_ns") == status.st_mtime_ns
        return facts.get("digest") if same else None

    @cached_property
    def _outputs(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for path in self._record.parent.glob("*.json") if self._record else ():
            try:
                record = read_json(path)
            except (InputError, OSError):  # another job writes it just now: its files are not ours
                continue
            if isinstance(record, dict) and isinstance(record.get("outputs"), dict):
                found.update(record["outputs"])
        return found
