"""Groups of galaxies: clusters, and the mixture with one component for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from morphosphere.config.survey_clusters import SurveyClustersSettings

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

#: What is not in any cluster.
NOISE = -1
#: Added to the variances of mixtures of whitened features, which are about 1.
_REGULAR = 1e-3
#: Galaxies in a cluster of HDBSCAN at least, however few there are.
_FEWEST = 5


@dataclass(frozen=True)
class Groups:
    """Groups, numbered by their size from 0.

    Attributes
    ----------
    code : ndarray of int, shape (n,)
        `NOISE` for galaxies in none.
    probability : ndarray of float32, shape (n,)
        Of belonging to the group; 0 for noise.
    count : int
        Number of groups.
    """

    code: np.ndarray
    probability: np.ndarray
    count: int


def find_clusters(points: np.ndarray, settings: SurveyClustersSettings, seed: int) -> Groups:
    """Clusters of points (n, d) by the method that is set."""
    if settings.clusters == "hdbscan":
        return _hdbscan(points, settings)
    runs = [
        fit_mixture(points, count, starts=settings.starts, seed=seed)
        for count in range(1, min(settings.most_clusters, len(points) // 10 or 1) + 1)
    ]
    return groups_of(min(runs, key=lambda run: run.bic(points)), points)


def _hdbscan(points: np.ndarray, settings: SurveyClustersSettings) -> Groups:
    """HDBSCAN (Campello, Moulavi & Sander 2013, PAKDD, p. 160)."""
    from sklearn.cluster import HDBSCAN

    size = max(_FEWEST, round(settings.least_share * len(points)))
    found = HDBSCAN(
        min_cluster_size=size, min_samples=min(size, 2 * _FEWEST), n_jobs=1, copy=True
    ).fit(points.astype(np.float64))
    return by_size(found.labels_, found.probabilities_)


def fit_mixture(
    points: np.ndarray, count: int, *, starts: int, seed: int, covariance: str = "full"
) -> GaussianMixture:
    """The likeliest mixture of `count` Gaussians among some random starts."""
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(
        count,
        covariance_type=covariance,
        n_init=starts,
        reg_covar=_REGULAR,
        max_iter=300,
        random_state=seed % 2**32,
    ).fit(points.astype(np.float64))


def groups_of(mixture: GaussianMixture, points: np.ndarray) -> Groups:
    """The likeliest component of each point."""
    share = mixture.predict_proba(points.astype(np.float64))
    return by_size(share.argmax(axis=1), share.max(axis=1))


def by_size(code: np.ndarray, probability: np.ndarray) -> Groups:
    """Groups numbered from the largest; empty ones are left out."""
    names, place, size = np.unique(code[code >= 0], return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(names))
    out = np.full(len(code), NOISE, dtype=np.int64)
    out[code >= 0] = rank[place]
    return Groups(out, np.where(out >= 0, probability, 0).astype(np.float32), len(names))


def of_neighbours(code: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most frequent group among neighbours (m, k), and its share; ties to the nearest's."""
    near = code[rows]
    votes = (near[:, :, None] == near[:, None, :]).sum(axis=2)
    best = votes.argmax(axis=1)
    line = np.arange(len(rows))
    chosen = near[line, best]
    share = votes[line, best] / rows.shape[1]
    return chosen, np.where(chosen == NOISE, 0, share).astype(np.float32)
