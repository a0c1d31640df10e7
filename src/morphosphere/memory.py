"""Memory that is free goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Give memory that this process has freed back to the system.

    The C library keeps what is freed between pieces that are still in use. A stage that makes one
    large chunk after the other, and keeps a few numbers of each, would hold ever more of it. Done
    once for each chunk it costs nothing. Nothing happens where the C library is not glibc.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
