"""The outlier score, against its definition."""

import numpy as np

from morphosphere.predict.outliers import mean_of, outlier_score


def score_of(points: np.ndarray, count: int) -> np.ndarray:
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(gaps, np.inf)
    rows = np.argsort(gaps, axis=1)[:, :count]
    distances = np.take_along_axis(gaps, rows, axis=1)
    return outlier_score(distances, rows, mean_of(distances))


def test_definition():
    points = np.random.default_rng(0).standard_normal((30, 2))
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    mean = [np.sort(row)[1:5].mean() for row in gaps]
    expected = [mean[i] / np.mean([mean[j] for j in np.argsort(gaps[i])[1:5]]) for i in range(30)]
    np.testing.assert_allclose(score_of(points, 4), expected, rtol=1e-4)


def test_lone_point_beside_a_dense_group_scores_highest_and_a_sparse_group_is_ordinary():
    random = np.random.default_rng(1)
    dense, sparse = random.normal(0, 0.1, (50, 2)), random.normal(20, 3, (50, 2))
    score = score_of(np.concatenate([dense, sparse, [[2.0, 2.0]]]), 6)
    assert score.argmax() == 100
    assert score[100] > 5
    assert abs(np.median(score[:50]) - 1) < 0.2
    assert abs(np.median(score[50:100]) - 1) < 0.2


def test_images_without_any_difference_score_one():
    assert (score_of(np.zeros((8, 3)), 3) == 1).all()


def test_no_neighbours_no_score():
    score = outlier_score(np.array([[np.nan]]), np.array([[-1]]), np.array([np.nan]))
    assert np.isnan(score).all()
