"""Tiles of a catalogue HiPS on disk: many small files, written with few calls of the system."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from morphosphere.system import writing

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class TileWriter:
    """Writes tiles below a scratch folder, which is renamed when all are there.

    Tiles are not written beside their place one by one: a folder that was left by a killed run has
    no `properties` and is made anew. A thread writes what was flushed while more is made.

    Parameters
    ----------
    root : Path
    header : str
        Names of the columns, separated by tabs.
    """

    def __init__(self, root: Path, header: str) -> None:
        self._root = root
        self._header = f"\n{header}\n".encode()
        self._folders: set[tuple[int, int]] = set()
        self._waiting: list[tuple[int, int, bytes, bytes | memoryview]] = []
        self._thread = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None

    def __enter__(self) -> TileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.shutdown()

    def write(
        self, order: int, tile: int, shown: int, total: int, body: bytes | memoryview
    ) -> None:
        """Take a tile: its lines, and how many of all its sources are shown."""
        head = b"# Completeness = %d / %d" % (shown, total) + self._header
        self._waiting.append((order, tile, head, body))

    def flush(self) -> None:
        """Begin to write what was taken; what was flushed before is written then."""
        if self._running is not None:
            self._running.result()
        self._running = self._thread.submit(self._write, self._waiting)
        self._waiting = []

    def finish(self) -> None:
        """Write all that was taken.

        Raises
        ------
        SystemLackError
            If the disk is full; `flush` too.
        """
        self.flush()
        self._running.result()

    def _write(self, tiles: list[tuple[int, int, bytes, bytes | memoryview]]) -> None:
        with writing(self._root):
            for order, tile, head, body in tiles:
                block = tile // 10000
                folder = f"{self._root}/Norder{order}/Dir{10000 * block}"
                if (order, block) not in self._folders:
                    os.makedirs(folder, exist_ok=True)
                    self._folders.add((order, block))
                handle = os.open(f"{folder}/Npix{tile}.tsv", _FLAGS, 0o666)
                try:
                    done = os.writev(handle, (head, body))
                    if done < len(head) + len(body):  # the system may write a part, then fail
                        rest = memoryview(head + bytes(body))[done:]
                        with open(handle, "wb", closefd=False) as out:
                            out.write(rest)
                finally:
                    os.close(handle)

    def join(self, order: int, parts: Iterable[int], shown: int, total: int) -> None:
        """Write ``Allsky.tsv`` of an order with the lines of all tiles of some orders."""
        folder = self._root / f"Norder{order}"
        folder.mkdir(exist_ok=True)
        with writing(folder), open(folder / "Allsky.tsv", "wb") as out:
            out.write(b"# Completeness = %d / %d" % (shown, total) + self._header)
            for part in parts:
                tiles = (self._root / f"Norder{part}").glob("Dir*/Npix*.tsv")
                for path in sorted(tiles, key=lambda path: int(path.stem[4:])):
                    with open(path, "rb") as tile:
                        tile.readline()
                        tile.readline()
                        shutil.copyfileobj(tile, out)
