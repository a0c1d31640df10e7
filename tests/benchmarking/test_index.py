"""What the benchmark of the index counts."""

import numpy as np
from benchmarks.index import feature_vectors, recall


def test_recall_counts_true_neighbours_without_the_vector_itself():
    exact = np.array([[0, 1, 2], [1, 3, 4], [5, 6, 2]])  # the last: equal to others, itself third
    assert recall(np.array([[1, 2], [3, 4], [5, 6]]), exact) == 1
    assert recall(np.array([[1, 9], [4, 3], [7, 8]]), exact) == 0.5


def test_vectors_are_of_unit_length_and_clustered():
    vectors = feature_vectors(2000, 64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(vectors, feature_vectors(2000, 64))
    near = np.sort(1 - vectors[:100] @ vectors.T, axis=1)[:, 1]
    assert np.median(near) < 0.3 * np.median(1 - vectors[:100] @ vectors.T)
