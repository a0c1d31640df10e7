"""The most similar images, against a slow and obvious search."""

import numpy as np
import pytest

from morphosphere.predict import neighbours as similar


class InMemory:
    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.vectors[start:stop]

    def take(self, rows: np.ndarray) -> np.ndarray:
        return self.vectors[rows]


def search(vectors, galaxies, count, *, index=None, chunk=7):
    vectors = InMemory(vectors.astype(np.float32))
    index = index or similar.build_index(vectors, width=vectors.vectors.shape[1])
    count = similar.usable_neighbours(count, galaxies)
    starts = range(0, len(vectors), chunk)
    chunks = iter([(s, min(s + chunk, len(vectors))) for s in starts])
    found = list(similar.nearest(index, vectors, galaxies, chunks=chunks, count=count))
    assert [f[0] for f in found] == list(starts)
    return np.concatenate([f[1] for f in found]), np.concatenate([f[2] for f in found])


def slow_search(vectors, galaxies, count):
    rows, distances = [], []
    for i in range(len(vectors)):
        others = [
            (np.sqrt(((vectors[i] - vectors[j]) ** 2).sum()), j)
            for j in range(len(vectors))
            if galaxies[j] != galaxies[i]
        ]
        best = sorted(others)[:count]
        rows.append([j for _, j in best])
        distances.append([d for d, _ in best])
    return np.array(rows), np.array(distances)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("views", [1, 3])
def test_exhaustive_search_is_the_obvious_one(random, views):
    vectors = random.standard_normal((60, 5)).astype(np.float32)
    galaxies = np.repeat(np.arange(60 // views), views)
    rows, distances = search(vectors, galaxies, 8)
    expected_rows, expected = slow_search(vectors.astype(float), galaxies, 8)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)


def test_other_views_of_a_galaxy_are_never_neighbours(random):
    galaxies = np.repeat(np.arange(12), 5)
    # Views of a galaxy lie much closer together than galaxies do.
    vectors = random.standard_normal((12, 4))[galaxies] + 1e-3 * random.standard_normal((60, 4))
    rows, _ = search(vectors, galaxies, 10)
    assert (galaxies[rows] != galaxies[:, None]).all()
    assert (rows >= 0).all()


def test_inverted_file_agrees_when_it_looks_everywhere(random, tmp_path):
    vectors = random.standard_normal((400, 6)).astype(np.float32)
    galaxies = np.arange(400)
    index = similar.build_index(InMemory(vectors), width=6, lists=10, seed=1)
    similar.write_index(index, tmp_path / "index")
    mapped = similar.read_index(tmp_path / "index", probes=10)
    rows, distances = search(vectors, galaxies, 5, index=mapped)
    exact_rows, exact = search(vectors, galaxies, 5)
    np.testing.assert_array_equal(rows, exact_rows)
    np.testing.assert_array_equal(distances, exact)


def test_inverted_file_finds_most_neighbours_in_few_lists(random, tmp_path):
    vectors = random.standard_normal((3000, 4)).astype(np.float32)
    index = similar.build_index(InMemory(vectors), width=4, lists=50, seed=1)
    similar.write_index(index, tmp_path / "index")
    rows, _ = search(
        vectors, np.arange(3000), 5, index=similar.read_index(tmp_path / "index", 12), chunk=500
    )
    exact, _ = search(vectors, np.arange(3000), 5, chunk=500)
    found = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(rows, exact)])
    assert found > 0.9


def test_inverted_file_looks_further_where_its_lists_hold_too_few(random, tmp_path):
    # Two far clusters, one of two images: its list alone cannot give five neighbours.
    vectors = random.standard_normal((200, 3)).astype(np.float32)
    vectors[:2] += 100
    index = similar.build_index(InMemory(vectors), width=3, lists=2, seed=0)
    similar.write_index(index, tmp_path / "index")
    mapped = similar.read_index(tmp_path / "index", probes=1)
    rows, distances = search(vectors, np.arange(200), 5, index=mapped)
    assert (rows >= 0).all()
    assert np.isfinite(distances).all()
    np.testing.assert_array_equal(rows[:2], search(vectors, np.arange(200), 5)[0][:2])
    assert mapped.nprobe == 1


def test_fewer_images_than_neighbours(random):
    rows, distances = search(random.standard_normal((4, 3)), np.array([0, 0, 1, 2]), 12)
    assert rows.shape == distances.shape == (4, 2)
    assert set(rows[0]) == {2, 3}


def test_one_galaxy_has_no_neighbours(random):
    rows, distances = search(random.standard_normal((3, 3)), np.zeros(3, int), 12)
    assert rows.tolist() == [[-1]] * 3
    assert np.isnan(distances).all()


def test_equal_features_are_ordered_by_row():
    rows, distances = search(np.ones((6, 3)), np.arange(6), 5)
    assert (distances == 0).all()
    assert all((np.diff(row) > 0).all() for row in rows)
    assert all(i not in row for i, row in enumerate(rows))
