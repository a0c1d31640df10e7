"""Whitening, groups, agreement and the mosaic, each against what is known of it."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from factories_survey_page import features_of
from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.surveys.clusters import agreement, embedding, grouping, mosaic
from morphosphere.surveys.clusters.grouping import NOISE, Groups
from morphosphere.surveys.clusters.whitening import fit_whitening

HERE = Path(__file__).resolve().parent
#: Where a Python of its own finds this module, the factories and the package.
PATHS = [str(HERE), str(HERE.parents[1]), str(HERE.parents[2] / "src")]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_whole_whitening_makes_uncorrelated_components_of_unit_variance(random):
    features = random.normal(size=(500, 6)) @ random.normal(size=(6, 6)) + 5
    found = fit_whitening(features, components=6, variance=1, power=1)(features)
    np.testing.assert_allclose(np.cov(found.T), np.eye(6), atol=1e-4)


def test_no_whitening_keeps_the_distances_and_half_lies_between(random):
    features = random.normal(size=(400, 3)) * [9, 3, 1]
    spreads = {}
    for power in (0, 0.5, 1):
        found = fit_whitening(features, components=3, variance=1, power=power)(features)
        assert np.mean(found.var(axis=0)) == pytest.approx(1, rel=0.01)
        spreads[power] = found.std(axis=0)[0] / found.std(axis=0)[2]
    known = features.std(axis=0)[0] / features.std(axis=0)[2]
    assert spreads[0] == pytest.approx(known, rel=0.05)
    assert spreads[0.5] == pytest.approx(np.sqrt(spreads[0]), rel=1e-3)
    assert spreads[1] == pytest.approx(1, rel=1e-3)


def test_components_stop_where_the_variance_is_held(random):
    features = random.normal(size=(300, 8)) * [10, 8, 6, 0.01, 0.01, 0.01, 0.01, 0.01]
    found = fit_whitening(features, components=8, variance=0.99, power=1)
    assert found.axes.shape == (8, 3)
    assert found.variance > 0.99


def test_features_that_do_not_vary_are_refused():
    with pytest.raises(InputError, match="same features"):
        fit_whitening(np.ones((30, 4)), components=2, variance=1, power=1)


def test_agreement_is_perfect_for_classes_under_other_names_and_noise_counts():
    classes = np.array([0, 0, 0, 1, 1, 1, -1, -1])
    groups = Groups(np.array([1, 1, 1, 0, 0, 0, 0, NOISE]), np.ones(8, np.float32), 2)
    found = agreement.agreement(groups, classes, 2)
    assert found["n"] == found["clustered"] == 6
    assert found["adjusted_rand"] == found["purity"] == 1
    assert found["majority_share"] == 0.5
    noisy = Groups(np.array([1, 1, NOISE, 0, 0, NOISE, 0, 0]), np.ones(8, np.float32), 2)
    found = agreement.agreement(noisy, classes, 2)
    assert found["clustered"] == 4
    assert found["adjusted_rand_clustered"] == 1
    assert found["adjusted_rand"] < 0.7


def test_purity_is_the_share_of_the_most_frequent_class():
    code = np.array([0] * 10 + [1] * 10)
    classes = np.array([0] * 8 + [1] * 2 + [1] * 7 + [0] * 3)
    groups = Groups(code, np.ones(20, np.float32), 2)
    assert agreement.agreement(groups, classes, 2)["purity"] == pytest.approx(15 / 20)


def test_without_a_known_class_there_is_no_agreement():
    groups = Groups(np.zeros(4, int), np.ones(4, np.float32), 1)
    assert agreement.agreement(groups, np.full(4, -1), 2) is None
    assert agreement.assigned_scores(groups.code, np.full(4, -1), np.arange(2)) is None


def test_components_get_the_classes_at_which_most_galaxies_agree():
    counts = np.array([[1, 50, 3], [40, 30, 0], [2, 0, 9]])
    assert agreement.assign(counts).tolist() == [1, 0, 2]
    code = np.repeat(np.arange(3), counts.sum(axis=1))
    classes = np.concatenate([np.repeat(np.arange(3), line) for line in counts])
    found = agreement.assigned_scores(code, classes, agreement.assign(counts))
    assert found["accuracy"] == pytest.approx((50 + 40 + 9) / counts.sum())
    assert found["balanced_accuracy"] == pytest.approx(np.mean([40 / 43, 50 / 80, 9 / 12]))


@pytest.mark.parametrize("method", ["hdbscan", "mixture"])
def test_three_blobs_are_three_clusters_numbered_by_size(random, method):
    size = [120, 300, 60]
    points = np.concatenate(
        [random.normal(m, 0.3, (n, 2)) for m, n in zip(([0, 0], [9, 0], [0, 9]), size)]
    )
    settings = SurveyClustersSettings(clusters=method, starts=3, most_clusters=5)
    found = grouping.find_clusters(points, settings, seed=1)
    assert found.count == 3
    truth = np.repeat([1, 0, 2], size)
    inside = found.code >= 0
    assert inside.mean() > 0.95
    assert (found.code[inside] == truth[inside]).mean() > 0.99
    assert ((found.probability > 0) == inside).all()


def test_equal_points_are_no_error():
    settings = SurveyClustersSettings(starts=1)
    found = grouping.find_clusters(np.zeros((40, 2)), settings, seed=1)
    assert found.count <= 1


def test_a_new_galaxy_goes_to_the_group_of_its_neighbours_and_among_them():
    positions = np.array([[0, 0], [0.2, 0], [0, 0.2], [9, 9], [9, 8]], np.float32)
    features = np.array([[0, 0], [1, 0], [0, 1], [5, 5], [5, 4]], np.float32)
    rows, distances = embedding.nearest(features, np.array([[0.2, 0.2], [5, 4.4]]), 3)
    assert set(rows[0]) == {0, 1, 2}
    placed = embedding.place_by_neighbours(positions, rows, distances)
    assert np.linalg.norm(placed[0] - [0.05, 0.05]) < 0.1
    assert placed[1][0] > 8.5  # the third neighbour lies far from the nearest: it has no say
    code, share = grouping.of_neighbours(np.array([4, 4, 7, NOISE, NOISE]), rows)
    assert code.tolist() == [4, NOISE]
    assert share.tolist() == [pytest.approx(2 / 3), 0]


def separated(method: str, n: int = 120) -> None:
    """Embed three groups: they stay apart, and lie at the same places again."""
    kind = np.arange(n) % 3
    features = features_of(kind, 1)
    whitened = fit_whitening(features, components=8, variance=1, power=0.5)(features)
    settings = SurveyClustersSettings(embedding=method, iterations=250, perplexity=10, neighbours=8)
    found, facts = embedding.embed(whitened, settings, seed=3)
    again, _ = embedding.embed(whitened, settings, seed=3)
    np.testing.assert_array_equal(found, again)
    middle = np.stack([found[kind == k].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(found[:, None] - middle, axis=2).argmin(axis=1)
    assert (nearest == kind).mean() > 0.95
    assert facts["method"] == method
    assert facts["trustworthiness"] > 0.8


def test_tsne_keeps_groups_apart_and_is_the_same_again():
    separated("tsne")


def test_umap_keeps_groups_apart_and_is_the_same_again():
    # Not compiled: for a few galaxies the compiler takes longer than the work.
    script = "import test_parts; test_parts.separated('umap', 42)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(PATHS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_umap_is_asked_for_what_the_settings_say(monkeypatch):
    asked = {}

    class Stand:
        def __init__(self, **given):
            asked.update(given)

        def fit_transform(self, whitened):
            return whitened[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Stand))
    settings = SurveyClustersSettings(embedding="umap", neighbours=40, minimum_distance=0.3)
    whitened = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    found, facts = embedding.embed(whitened, settings, seed=5)
    assert asked["n_neighbors"] == facts["neighbours"] == 29
    assert (asked["min_dist"], asked["random_state"], asked["n_jobs"]) == (0.3, 5, 1)
    assert np.median(np.hypot(*found.T)) == pytest.approx(1)


def test_umap_that_is_not_installed_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ConfigError, match="umap needs the package umap-learn") as found:
        embedding.embed(np.eye(20), SurveyClustersSettings(embedding="umap"), seed=1)
    assert "tsne" in str(found.value)


def test_pictures_of_the_mosaic_do_not_overlap_and_stand_at_their_galaxies(random):
    positions = random.normal(size=(2000, 2)).astype(np.float32)
    side = mosaic.grid_side(positions, 150)
    rows, cells = mosaic.most_central(positions, side)
    assert 75 < len(rows) <= 150
    assert len(np.unique(cells, axis=0)) == len(rows)
    corner, width = mosaic.square(positions)
    centres = corner + (cells + 0.5) * width / side
    assert np.abs(positions[rows] - centres).max() <= width / side / 2 * 1.001
    whole, small = side * mosaic.cell_width(side), mosaic.picture_width(side)
    pictures = np.ones((len(rows), 3, small, small))
    ground = np.zeros((whole, whole, 3), np.uint8)
    frames = np.full((len(rows), 3), 100, np.uint8)
    painted = mosaic.paint(pictures, cells, frames, side, ground)
    assert (painted == 255).all(axis=2).sum() == len(rows) * small**2
    across, up = ((centres[0] - corner) / width * whole).astype(int)
    assert painted[whole - 1 - up, across].tolist() == [255, 255, 255]
