"""Which galaxies the page holds, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError

#: Columns of the embedding that the page needs.
PLACED = ("image_id", "x", "y", "cluster", "component", "fitted")


@dataclass(frozen=True)
class Choice:
    """Galaxies of the page.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the predictions, in the order of the page: first those of the overview, then along
        a curve through the embedding, so that neighbours stand on the same sheet of pictures.
    overview : int
        How many galaxies the overview has.
    unplaced : int
        Galaxies that have no place in the embedding.
    """

    rows: np.ndarray
    overview: int
    unplaced: int


def read_embedding(path: Path, catalogue: Catalogue) -> dict[str, np.ndarray]:
    """Columns `PLACED` of the embedding of a catalogue.

    Raises
    ------
    InputError
        If it is missing, lacks a column, or belongs to other predictions.
    """
    embedding = Catalogue(path)
    for name in PLACED:
        if name not in embedding.columns:
            raise InputError(f"{path}: no column {name!r}; make it by surveys.clusters")
    again = "run surveys.clusters again"
    if len(embedding) != len(catalogue):
        raise InputError(
            f"{path}: {len(embedding)} rows for {len(catalogue)} of {catalogue.path}; {again}"
        )
    found = embedding.read(PLACED)
    if (found["image_id"] != catalogue.read(["image_id"])["image_id"]).any():
        raise InputError(f"{path}: of other galaxies than {catalogue.path}; {again}")
    return found


def choose(
    place: dict[str, np.ndarray], kept: np.ndarray, *, most: int, overview: int, seed: int
) -> Choice:
    """The galaxies of the page, `most` at most.

    Parameters
    ----------
    place : dict
        As by `read_embedding`.
    kept : ndarray of int
        Rows that must be there, if they have a place.
    most, overview : int
        Galaxies in all, and of the overview.
    seed : int

    Raises
    ------
    InputError
        If no galaxy has a place.
    """
    positions = np.stack([place["x"], place["y"]], axis=1).astype(np.float64)
    usable = np.isfinite(positions).all(axis=1)
    if not usable.any():
        raise InputError("no galaxy of the embedding has a place; run surveys.clusters again")
    rank = np.random.default_rng(seed).permutation(len(positions)).astype(np.float64)
    rank[~place["fitted"].astype(bool)] += len(rank)
    rank[kept] = -1
    rank[~usable] = np.inf
    rows = np.sort(np.argsort(rank, kind="stable")[: min(most, int(usable.sum()))])
    order = along_curve(positions[rows])
    first = order[spread(positions[rows[order]], overview)]
    rest = order[~np.isin(order, first)]
    return Choice(rows[np.concatenate([first, rest])], len(first), int((~usable).sum()))


def spread(positions: np.ndarray, wanted: int) -> np.ndarray:
    """Galaxies spread over the plane, one to a cell of a grid, in the order given.

    The grid is the finest that has no more occupied cells than `wanted`.
    """
    from morphosphere.surveys.clusters.mosaic import most_central

    side = 1
    for finer in range(2, 129):
        if len(most_central(positions, finer)[0]) > wanted:
            break
        side = finer
    return np.sort(most_central(positions, side)[0])


def along_curve(positions: np.ndarray) -> np.ndarray:
    """Order of positions (n, 2) along Morton's curve (bits of x and y in turn)."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    width = np.where(high > low, high - low, 1)
    x, y = np.minimum((positions - low) / width * 65536, 65535).astype(np.uint64).T
    return np.argsort(_spaced(x) | (_spaced(y) << np.uint64(1)), kind="stable")


def _spaced(bits: np.ndarray) -> np.ndarray:
    """The lower 16 bits with a zero between each two."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits
