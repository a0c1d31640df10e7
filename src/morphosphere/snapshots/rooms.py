"""Memory that is read into again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

#: Bytes between the starts of arrays are multiples of this, a line of the processor's cache.
_LINE = 64


class Rooms:
    """Arrays from one piece of memory, which is used again after `clear`.

    New memory has to be emptied by the system page by page, which takes as long as reading a file
    from its cache.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, dtype=np.uint8)
        self._used = 0

    def clear(self) -> None:
        """Forget all arrays: they must not be used any more."""
        if self._used > len(self._memory):
            self._memory = np.empty(0, dtype=np.uint8)  # the old one goes before the new one comes
            self._memory = np.empty(self._used, dtype=np.uint8)
        self._used = 0

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array with arbitrary contents; of new memory if there is too little."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        start = self._used
        self._used += -(-size // _LINE) * _LINE
        if self._used > len(self._memory):
            return np.empty(shape, dtype)
        return self._memory[start : start + size].view(dtype).reshape(shape)
