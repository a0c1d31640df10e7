"""Which images the page holds: the library of simulated frames, and the gallery to pick from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError

#: Splits that the network was not trained on, nor chosen by.
HELD_OUT = ("test", "unseen")
#: Columns without which the page cannot work.
NEEDED = ("image_id", "encounter_id", "split", "z")


@dataclass(frozen=True)
class Frames:
    """Rows of the catalogue that make the library, encounter by encounter.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        In the order of encounter, camera and time.
    encounters : list of str
        Names, in their order.
    starts : ndarray of int, shape (len(encounters) + 1,)
        Place in `rows` where each begins, and the end.
    """

    rows: np.ndarray
    encounters: list[str]
    starts: np.ndarray


def text_column(catalogue: Catalogue, name: str, default: str = "") -> np.ndarray:
    """A column as strings, or `default` throughout if the catalogue lacks it; shape (N,)."""
    if name not in catalogue.columns:
        return np.full(len(catalogue), default, dtype=object)
    return np.array([str(value) for value in catalogue.read([name])[name]], dtype=object)


def number_column(catalogue: Catalogue, name: str) -> np.ndarray:
    """A column as float64, NaN throughout if the catalogue lacks it; shape (N,)."""
    if name not in catalogue.columns:
        return np.full(len(catalogue), np.nan)
    return catalogue.read([name])[name].astype(np.float64)


def check_columns(catalogue: Catalogue) -> None:
    """Refuse a catalogue that the page cannot be made of.

    Raises
    ------
    InputError
        Naming the first column that is missing.
    """
    for name in NEEDED:
        if name not in catalogue.columns:
            raise InputError(
                f"{catalogue.path}: no column {name!r}; make it by python -m "
                "morphosphere.mergers.predict"
            )


def choose_library(catalogue: Catalogue, most: int, seed: int) -> Frames:
    """Whole encounters at their first cameras, then at the next ones, `most` frames at most.

    Frames whose time is not known (single galaxies, real images) are left out. Where not even the
    first cameras of all encounters have room, encounters are drawn at random.

    Raises
    ------
    InputError
        If there is no frame of an encounter.
    """
    encounter = text_column(catalogue, "encounter_id")
    time = number_column(catalogue, "time_since_pericentre")
    # Where the pericentre is not known, moments are in the order of the simulation's own time.
    time = np.where(np.isfinite(time), time, number_column(catalogue, "time"))
    camera = number_column(catalogue, "camera")
    camera = np.where(np.isfinite(camera), camera, 0).astype(np.int64)
    usable = np.flatnonzero(np.isfinite(time) & (encounter != ""))
    if not len(usable):
        raise InputError(
            f"{catalogue.path}: no image with an encounter_id and a known time_since_pericentre "
            "or time"
        )
    names, code = np.unique(encounter[usable].astype(str), return_inverse=True)
    order = np.lexsort((time[usable], camera[usable], code))
    usable, code = usable[order], code[order]
    rank = _camera_rank(code, camera[usable])
    groups, inverse, counts = np.unique(
        np.stack([rank, code]), axis=1, return_inverse=True, return_counts=True
    )
    shuffled = np.random.default_rng(seed).permutation(len(names))
    turn = np.lexsort((shuffled[groups[1]], groups[0]))
    fits = np.cumsum(counts[turn]) <= most
    fits[0] = True  # one film strip at least
    taken = np.zeros(len(counts), dtype=bool)
    taken[turn[fits]] = True
    keep = taken[np.ravel(inverse)]
    rows, code = usable[keep][:most], code[keep][:most]
    present, starts = np.unique(code, return_index=True)
    return Frames(rows, [str(n) for n in names[present]], np.append(starts, len(rows)))


def _camera_rank(code: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Number of a row's camera among those of its encounter; rows are in order of both."""
    fresh = np.ones(len(code), dtype=bool)
    fresh[1:] = (np.diff(code) != 0) | (np.diff(camera) != 0)
    total = np.cumsum(fresh)
    first = np.ones(len(code), dtype=bool)
    first[1:] = np.diff(code) != 0
    return total - np.maximum.accumulate(np.where(first, total, 0))


def choose_gallery(catalogue: Catalogue, most: int, seed: int) -> np.ndarray:
    """Rows of held-out images, in order; `most` at most, drawn at random if there are more."""
    rows = np.flatnonzero(np.isin(text_column(catalogue, "split"), HELD_OUT))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows
