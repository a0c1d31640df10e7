"""Train, validation and test sets: by galaxy, never by image.

A hash of the galaxy's identifier decides, so that all views of a galaxy fall on one side and a
galaxy stays where it is when the catalogue grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

SPLITS = ("train", "validation", "test")


def split_of(
    galaxy_ids: Iterable[str], *, validation: float = 0.1, test: float = 0.1
) -> np.ndarray:
    """Index into `SPLITS` for each galaxy identifier.

    Parameters
    ----------
    galaxy_ids : iterable of str
    validation, test : float
        Fractions of all galaxies, expected over many.

    Returns
    -------
    ndarray of int8, shape (N,)
    """
    memory: dict[str, int] = {}
    out = []
    for name in galaxy_ids:
        if name not in memory:
            hashed = hashlib.blake2b(str(name).encode(), digest_size=8).digest()
            u = int.from_bytes(hashed, "big") / 2**64
            memory[name] = 2 if u < test else 1 if u < test + validation else 0
        out.append(memory[name])
    return np.asarray(out, dtype=np.int8)
