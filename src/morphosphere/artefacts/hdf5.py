"""HDF5 files to write, on a disk that may be full.

HDF5 keeps data in memory and writes it when it sees fit, also when an object is let go or a file is
closed. A write that fails at such a moment raises nothing, or leaves the library in a state in
which it tries again at the end of the process and crashes. So HDF5 writes through `HDF5Output`,
where no write fails: the first failure is kept, and raised when the writer asks.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from types import TracebackType

import h5py

#: Bytes of chunks that are kept of every dataset. Datasets grow at their end, so one chunk is
#: enough; HDF5 2 would keep eight times as much, for each of dozens of columns.
CACHE = 1 << 20


class _Output(io.RawIOBase):
    """A file in which writing never fails: what has no room is held in memory until the end."""

    def __init__(self, path: str | Path, mode: str) -> None:
        self._file = open(path, mode, buffering=0)  # noqa: SIM115
        self._held: list[tuple[int, bytes]] = []
        self.failure: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:
        view, start = memoryview(buffer).cast("B"), self.tell()
        count = self._file.readinto(view)
        while 0 < count < len(view) and (more := self._file.readinto(view[count:])):
            count += more
        for offset, data in self._held:
            low, high = max(offset, start), min(offset + len(data), start + len(view))
            if low < high:
                view[low - start : high - start] = data[low - offset : high - offset]
                count = max(count, high - start)
        return count

    def write(self, data: bytes | memoryview) -> int:
        view = memoryview(data).cast("B")
        start, done = self.tell(), 0
        try:
            while self.failure is None and done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self.failure = error
        if self.failure is not None:
            self._held.append((start + done, bytes(view[done:])))
            self._file.seek(start + len(view))
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return self.tell() if size is None else size

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._held.clear()
        super().close()


class HDF5Output:
    """An HDF5 file to write.

    Parameters
    ----------
    path : path-like
    mode : str
        ``w`` makes the file, ``r+`` adds to one.

    Attributes
    ----------
    file : h5py.File
    """

    def __init__(self, path: str | Path, mode: str = "w") -> None:
        self._output = _Output(path, {"w": "w+b", "r+": "r+b"}[mode])
        self.file = h5py.File(self._output, mode, rdcc_nbytes=CACHE)

    def check(self) -> None:
        """Raise the OSError of the first write that failed, if one has; worth asking often."""
        if self._output.failure is not None:
            raise self._output.failure

    def close(self) -> None:
        """Write what is still in memory and close; raise as `check` does."""
        try:
            self.file.close()
            self.check()
        finally:
            self._output.close()

    def __enter__(self) -> h5py.File:
        return self.file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            with contextlib.suppress(Exception):  # what went wrong first is what counts
                self.close()
