"""The cross-match: which images of two surveys show the same galaxy, by their positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

UNIQUE, AMBIGUOUS, DUPLICATE = "unique", "ambiguous", "duplicate"
#: Shifts of one survey against the other, in radii, for the rate of chance matches.
_SHIFTS = (7.0, -7.0, 11.0, -11.0)


@dataclass(frozen=True)
class Pairs:
    """All pairs of an image of survey A and one of survey B within the radius.

    Attributes
    ----------
    a, b : ndarray of int, shape (M,)
        Rows in A and B, sorted by B and then by separation.
    separation : ndarray, shape (M,)
        Arcseconds.
    """

    a: np.ndarray
    b: np.ndarray
    separation: np.ndarray


@dataclass(frozen=True)
class Match:
    """What the pairs mean.

    Attributes
    ----------
    pairs : Pairs
    kind : ndarray of str, shape (M,)
        Of each pair: `UNIQUE` (the one whose label is carried), `AMBIGUOUS` (the image of B has
        several galaxies of A within the radius), or `DUPLICATE` (another image of B is nearer to
        the galaxy of A, or another image of that galaxy is nearer to the image of B).
    partner : ndarray of int, shape (B,)
        Row in A of the unique partner of each image of B, -1 for none.
    separation : ndarray of float32, shape (B,)
        Of the unique partner in arcseconds, NaN for none.
    """

    pairs: Pairs
    kind: np.ndarray
    partner: np.ndarray
    separation: np.ndarray


def usable(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Which positions in degrees are places on the sky, bool (N,)."""
    return np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90) & (np.abs(ra) <= 360)


def coordinates(ra: np.ndarray, dec: np.ndarray) -> SkyCoord:
    """Positions in degrees as astropy's."""
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra, dec, unit="deg")


def pairs_within(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], radius: float
) -> Pairs:
    """All pairs of positions (right ascension, declination in degrees) within `radius` arcsec.

    Rows whose position is not `usable` are in no pair.
    """
    from astropy import units as u

    rows_a, rows_b = np.flatnonzero(usable(*a)), np.flatnonzero(usable(*b))
    if not len(rows_a) or not len(rows_b):
        return Pairs(np.empty(0, int), np.empty(0, int), np.empty(0))
    at_a = coordinates(a[0][rows_a], a[1][rows_a])
    at_b = coordinates(b[0][rows_b], b[1][rows_b])
    in_a, in_b, separation, _ = at_b.search_around_sky(at_a, radius * u.arcsec)
    in_a, in_b, separation = rows_a[in_a], rows_b[in_b], separation.to_value(u.arcsec)
    order = np.lexsort((in_a, separation, in_b))
    return Pairs(in_a[order], in_b[order], separation[order])


def second_nearest(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], rows: np.ndarray
) -> np.ndarray:
    """Separation in arcsec of the second-nearest of A from the rows of B; NaN if A has one alone.

    Whatever the radius: what is hardly further away than the first could be meant as well.
    """
    from astropy import units as u

    found = np.flatnonzero(usable(*a))
    if len(found) < 2 or not len(rows):
        return np.full(len(rows), np.nan)
    at_a, at_b = coordinates(a[0][found], a[1][found]), coordinates(b[0][rows], b[1][rows])
    return at_b.match_to_catalog_sky(at_a, nthneighbor=2)[1].to_value(u.arcsec)


def resolve(
    pairs: Pairs,
    galaxy_a: np.ndarray,
    galaxy_b: np.ndarray,
    *,
    nearest_counts: bool = False,
) -> Match:
    """Say of each pair whether it stands.

    Parameters
    ----------
    pairs : Pairs
    galaxy_a, galaxy_b : ndarray, shapes (A,), (B,)
        The galaxy of each image: several images of one galaxy do not contradict each other.
    nearest_counts : bool
        Whether the nearest galaxy of A is the partner where there are several.
    """
    count = len(pairs.b)
    kind = np.full(count, DUPLICATE, dtype=object)
    partner = np.full(len(galaxy_b), -1, dtype=np.int64)
    separation = np.full(len(galaxy_b), np.nan, dtype=np.float32)
    starts = np.flatnonzero(np.r_[True, pairs.b[1:] != pairs.b[:-1]]) if count else []
    nearest = []
    for start, stop in zip(starts, [*starts[1:], count]):
        several = len(set(galaxy_a[pairs.a[start:stop]])) > 1
        if several:
            kind[start:stop] = AMBIGUOUS
        if not several or nearest_counts:
            nearest.append(start)
    holder: dict[int, object] = {}
    for at in sorted(nearest, key=lambda k: pairs.separation[k]):
        a, b = int(pairs.a[at]), int(pairs.b[at])
        if holder.setdefault(a, galaxy_b[b]) != galaxy_b[b]:
            kind[at] = DUPLICATE
            continue
        kind[at], partner[b], separation[b] = UNIQUE, a, pairs.separation[at]
    return Match(pairs, kind, partner, separation)


def chance_matches(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], radius: float
) -> float:
    """Number of images of B that would have a partner by chance: with B shifted by some radii."""
    found = []
    for shift in _SHIFTS:
        dec = b[1] + shift * radius / 3600
        found.append(len(np.unique(pairs_within(a, (b[0], np.clip(dec, -90, 90)), radius).b)))
    return float(np.mean(found))


def together(
    galaxy_a: np.ndarray,
    galaxy_b: np.ndarray,
    *links: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """What must stay together in a split: galaxies that are one, or could be.

    Parameters
    ----------
    galaxy_a, galaxy_b : ndarray of str, shapes (A,), (B,)
        The galaxy of each image; the same name in both is the same galaxy.
    links : pairs of ndarray of str
        Names of galaxies that are within the radius of each other.

    Returns
    -------
    pair of ndarray of str, shapes (A,), (B,)
        The name of the first galaxy of A that is linked, else the galaxy's own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, first = np.unique(np.concatenate([galaxy_a, galaxy_b]).astype(str), return_index=True)
    ends = [
        np.searchsorted(names, np.concatenate([e.astype(str) for e in side]))
        for side in zip(*links)
    ]
    if not links or not len(ends[0]):
        return galaxy_a.astype(object), galaxy_b.astype(object)
    size = (len(names), len(names))
    graph = coo_array((np.ones(len(ends[0]), np.int8), tuple(ends)), shape=size)
    _, group = connected_components(graph, directed=False)
    order = np.argsort(first)  # those of A come first
    head = np.full(group.max() + 1, -1)
    head[group[order[::-1]]] = order[::-1]
    name = names[head[group]].astype(object)
    found = [name[np.searchsorted(names, galaxy.astype(str))] for galaxy in (galaxy_a, galaxy_b)]
    return found[0], found[1]


def nearest(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """Least separation of an image of A and one of B in arcsec."""
    from astropy import units as u

    here, there = usable(*a), usable(*b)
    at_a = coordinates(a[0][here], a[1][here])
    at_b = coordinates(b[0][there], b[1][there])
    return float(at_b.match_to_catalog_sky(at_a)[1].min().to_value(u.arcsec))


def offsets(
    a: tuple[np.ndarray, np.ndarray],
    b: tuple[np.ndarray, np.ndarray],
    rows_a: np.ndarray,
    rows_b: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of images of B from their partners in A, to the east and north, in arcsec."""
    from astropy import units as u

    at_a = coordinates(a[0][rows_a], a[1][rows_a])
    east, north = at_a.spherical_offsets_to(coordinates(b[0][rows_b], b[1][rows_b]))
    return east.to_value(u.arcsec), north.to_value(u.arcsec)
