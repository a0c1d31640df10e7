"""How a process that trains asks the system for memory."""

from __future__ import annotations

import ctypes

#: Names of glibc's parameters (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_memory() -> bool:
    """Keep memory that was freed, for the next step; whether the C library can (glibc can).

    A step on a CPU frees and takes the same large arrays as the one before. By default glibc gives
    them back to the system, which clears every page anew: 6 % of a step with the default network.
    The peak stays the same.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 1 << 30) and mallopt(_TRIM_THRESHOLD, (1 << 31) - 1))
