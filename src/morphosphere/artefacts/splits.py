"""Train, validation and test sets: by galaxy, never by image.

A hash of the galaxy's identifier decides, so that all views of a galaxy fall on one side and a
galaxy stays where it is when the catalogue grows.

Images of sources that a model was not trained on are in none of these sets: they are `UNSEEN`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from morphosphere.artefacts.imageset import ImageSet

SPLITS = ("train", "validation", "test")
#: What the catalogue says of images of sources that had no part in training.
UNSEEN = "unseen"
#: All that the column ``split`` of a Catalogue can say.
LABELS = (*SPLITS, UNSEEN)


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


def origins(images: ImageSet, rows: slice = slice(None)) -> np.ndarray:
    """Where images come from: ``<simulation>/<snapshot>`` or ``<survey>``, shape (n,), strings."""
    source = images.column("source", rows)
    if "snapshot" not in images.columns:
        return source.astype(str)
    known = (_snapshot_number(value) for value in images.column("snapshot", rows))
    return np.array([f"{s}/{n}" if n else s for s, n in zip(source, known)], dtype=str)


def _snapshot_number(value: object) -> str:
    """A snapshot's number as text; empty where there is none (surveys beside simulations)."""
    try:
        return str(int(value))
    except (TypeError, ValueError):
        return ""


def all_origins(images: ImageSet, size: int = 65536) -> list[str]:
    """The different origins of an ImageSet, sorted."""
    found: set[str] = set()
    for start in range(0, len(images), size):
        found.update(np.unique(origins(images, slice(start, start + size))).tolist())
    return sorted(found)


def labels_of(galaxy_ids: np.ndarray, origin: np.ndarray, trained: list[str] | None) -> np.ndarray:
    """Which of `LABELS` each image has, for a model trained on the origins `trained`.

    Parameters
    ----------
    galaxy_ids, origin : ndarray of str, shape (N,)
    trained : list of str or None
        None: on all of them.
    """
    label = np.array(SPLITS, dtype=object)[split_of(galaxy_ids)]
    if trained is not None:
        label[~np.isin(origin, trained)] = UNSEEN
    return label
