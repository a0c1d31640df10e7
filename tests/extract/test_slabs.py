"""Sharing and reading in long ranges."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.extract.slabs import GAP, particles_read, read_slab, shards, slabs
from morphosphere.snapshots.protocol import Subhalos


def test_shards_are_contiguous_and_even():
    weights = np.random.default_rng(1).integers(100, 2000, 500)
    parts = shards(weights, 7)
    assert [i for part in parts for i in part] == list(range(500))
    sums = [weights[part.start : part.stop].sum() for part in parts]
    assert max(sums) - min(sums) <= 2 * weights.max()


@pytest.mark.parametrize("weights", [[], [5], [1, 1], [1000, 1, 1, 1], [0, 0, 0]])
def test_there_are_as_many_shards_as_asked_for(weights):
    parts = shards(np.array(weights), 4)
    assert len(parts) == 4
    assert [i for part in parts for i in part] == list(range(len(weights)))


def test_slabs_hold_no_more_than_a_chunk_unless_one_galaxy_does():
    count = np.array([3, 4, 5, 100, 1, 9, 1])
    parts = [list(slab) for slab in slabs(count, 10)]
    assert parts == [[0, 1], [2], [3], [4, 5], [6]]


class CountingSnapshot:
    """Particles that are their own number; says which ranges are read."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []

    def read(self, component, fields, start, stop, rooms=None):
        self.ranges.append((start, stop))
        return {"mass": np.arange(start, stop)}


def subhalos(offset: list[int], count: list[int]) -> Subhalos:
    unknown = np.full((len(offset), 3), np.nan)
    return Subhalos(
        ids=np.arange(len(offset)),
        position=unknown,
        velocity=unknown,
        stellar_mass=unknown[:, 0],
        half_mass_radius=unknown[:, 0],
        offset={"stars": np.array(offset)},
        count={"stars": np.array(count)},
    )


def test_neighbours_are_read_together_and_each_galaxy_gets_its_own():
    far = 50 + GAP + 1
    table = subhalos([0, 10, 40, 0, far], [10, 20, 10, 0, 5])
    snapshot = CountingSnapshot()
    slab = read_slab(snapshot, table, "stars", ["mass"], np.arange(5))
    assert snapshot.ranges == [(0, 50), (far, far + 5)]
    for row in range(5):
        first, n = table.offset["stars"][row], table.count["stars"][row]
        np.testing.assert_array_equal(slab.galaxy(row)["mass"], np.arange(first, first + n))


def test_what_lies_between_counts_as_read():
    table = subhalos([0, 100, 200 + GAP], [10, 10, 10])
    assert particles_read(table, ["stars"]).tolist() == [10, 100, 10]
