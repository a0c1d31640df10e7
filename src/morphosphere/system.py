"""What the system lacks when work fails: room on a disk, the right to write, memory.

Libraries say it in their own ways, as errors of many types. Here each becomes one line that names a
file and says what to do.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from morphosphere.errors import MorphosphereError

_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|errno = (?:27|28|122)\b"
)
_MEMORY = re.compile(
    r"(?i)bad_alloc|cannot allocate memory|can't allocate memory|not enough memory"
    r"|failed to allocate memory|unable to allocate|out of memory|failed to map segment"
    r"|can't start new thread"
)
#: Bytes that a disk has left when an error that gives no reason is put down to it.
_NOTHING = 1 << 16


class SystemLackError(MorphosphereError):
    """A full disk, a folder that cannot be written to, or no memory."""


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn errors of a block that writes `path` into a `SystemLackError`, where that is why."""
    try:
        yield
    except (OSError, RuntimeError, MemoryError) as error:
        if message := lack(error, path):
            raise SystemLackError(message) from error
        raise


def lack(error: BaseException, path: str | Path) -> str | None:
    """What was lacking where `path` was being written, and what to do; None: something else."""
    seen: BaseException | None = error
    while seen is not None:
        number = getattr(seen, "errno", None)
        if number in _FULL_NUMBERS or _FULL.search(str(seen)):
            return _full(path)
        if number in (errno.EROFS, errno.EACCES, errno.EPERM) and isinstance(seen, OSError):
            return _closed(seen.filename or path, seen)
        if isinstance(seen, MemoryError) or number == errno.ENOMEM:
            return no_memory(seen)
        if isinstance(seen, (RuntimeError, ImportError, OSError)) and _MEMORY.search(str(seen)):
            return no_memory(seen)
        seen = seen.__cause__ or seen.__context__
    return _full(path) if isinstance(error, RuntimeError) and room(path) < _NOTHING else None


def _full(path: str | Path) -> str:
    return (
        f"{path}: cannot be written, its disk is full (or a limit is reached); make room, then "
        "run again"
    )


def _closed(path: str | Path, error: OSError) -> str:
    return f"{path}: {error.strerror}; change what is allowed there, or run in another folder"


def no_memory(error: BaseException) -> str:
    """One line on an error for want of memory."""
    said = " ".join(str(error).split())[:200]
    said = f" ({said})" if said else ""
    return f"out of memory{said}; use smaller chunks, fewer jobs at once or more memory"


def room(path: str | Path) -> int:
    """Bytes that are left to us on the disk of a file, or of the nearest folder that is there."""
    state = os.statvfs(_nearest(path))
    return state.f_bavail * state.f_frsize


def is_writable(folder: str | Path) -> bool:
    """Whether files may be made in a folder, or in the nearest one above that is there."""
    return os.access(_nearest(folder), os.W_OK)


def check_writable(folder: str | Path) -> None:
    """Make and remove a file in a folder, or in the nearest one above that is there.

    Raises
    ------
    SystemLackError
        If that fails.
    """
    nearest = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=nearest) as handle:
            handle.write(b"x" * 4096)
    except OSError as error:
        why = _full(nearest) if error.errno in _FULL_NUMBERS else _closed(nearest, error)
        raise SystemLackError(f"results cannot be written: {why}") from None


def _nearest(path: str | Path) -> Path:
    folder = Path(path).absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder
