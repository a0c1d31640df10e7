"""How the particles of many galaxies are read: few long ranges instead of many short ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from morphosphere.extract.structure import all_finite
from morphosphere.snapshots.protocol import Snapshot, Subhalos
from morphosphere.snapshots.rooms import Rooms

#: Two ranges closer than this many particles are read as one: seeking costs more than reading.
GAP = 8192


def shards(weights: np.ndarray, number: int) -> list[range]:
    """Contiguous ranges that share the weights evenly; some may be empty.

    Parameters
    ----------
    weights : ndarray, shape (G,)
        Particles of each galaxy.
    number : int

    Returns
    -------
    list of range, of length `number`, which together are ``range(G)``
    """
    total = np.cumsum(weights, dtype=np.float64)
    if len(total) == 0:
        return [range(0)] * number
    middle = total - np.asarray(weights) / 2
    edges = np.searchsorted(middle, total[-1] * np.arange(1, number) / number)
    stops = [0, *map(int, edges), len(total)]
    return [range(a, b) for a, b in itertools.pairwise(stops)]


def particles_read(subhalos: Subhalos, components: Sequence[str]) -> np.ndarray:
    """Particles that are read for each galaxy, shape (G,): the most of any component.

    They include those between it and the galaxy before, where the two are read as one range.
    """
    most = np.zeros(len(subhalos), dtype=np.int64)
    for name in components:
        offset, count = subhalos.offset[name], subhalos.count[name]
        gap = offset[1:] - (offset + count)[:-1]
        read = count.copy()
        read[1:] += np.where((gap > 0) & (gap <= GAP), gap, 0)
        np.maximum(most, read, out=most)
    return most


def slabs(count: np.ndarray, chunk: int) -> Iterator[range]:
    """Consecutive galaxies that fit in memory together.

    Parameters
    ----------
    count : ndarray, shape (G,)
        Particles that reading each galaxy brings into memory, of `particles_read`.
    chunk : int
        Particles per slab; a galaxy with more makes a slab of its own.
    """
    start, held = 0, 0
    for index, n in enumerate(count):
        if held and held + n > chunk:
            yield range(start, index)
            start, held = index, 0
        held += int(n)
    if start < len(count):
        yield range(start, len(count))


@dataclass(frozen=True)
class Slab:
    """Particles of one component of consecutive galaxies.

    Attributes
    ----------
    segments : list of dict
        Field name to array, for each range that was read.
    places : list of (int, slice)
        Segment and rows of each galaxy.
    offsets : ndarray
        First particle of each galaxy in the snapshot.
    """

    segments: list[dict[str, np.ndarray]]
    places: list[tuple[int, slice]]
    offsets: np.ndarray

    def galaxy(self, index: int) -> dict[str, np.ndarray]:
        """Fields of one galaxy, as views."""
        segment, rows = self.places[index]
        return {name: values[rows] for name, values in self.segments[segment].items()}

    def finite(self, fields: Sequence[str]) -> bool:
        """Whether some fields of all particles that were read are finite."""
        return all(all_finite(segment[name]) for segment in self.segments for name in fields)


def read_slab(
    snapshot: Snapshot,
    subhalos: Subhalos,
    component: str,
    fields: Sequence[str],
    rows: np.ndarray,
    rooms: Rooms | None = None,
) -> Slab:
    """Read one component of several subhalos, in as few contiguous ranges as possible.

    Ranges that follow each other closely are read as one; each byte is read once, into memory of
    `rooms` if they are given.
    """
    offset, count = subhalos.offset[component][rows], subhalos.count[component][rows]
    order = np.argsort(offset, kind="stable")
    segments: list[list[int]] = []
    places: list[tuple[int, slice]] = [(0, slice(0, 0))] * len(rows)
    for i in order:
        low, high = int(offset[i]), int(offset[i] + count[i])
        if high == low:
            continue
        if not segments or low > segments[-1][1] + GAP or low < segments[-1][0]:
            segments.append([low, high])
        segments[-1][1] = max(segments[-1][1], high)
        first = segments[-1][0]
        places[i] = (len(segments) - 1, slice(low - first, high - first))
    read = [snapshot.read(component, fields, low, high, rooms) for low, high in segments]
    if not read:
        read = [snapshot.read(component, fields, 0, 0)]
    return Slab(read, places, offset)
