"""Whitened features in two dimensions, and places for galaxies that were not embedded."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.errors import ConfigError

#: Points that the trustworthiness of the embedding is measured on.
_MEASURED = 2000
#: Neighbours that it is about.
_ABOUT = 12


def embed(
    whitened: np.ndarray, settings: SurveyClustersSettings, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Positions of galaxies in the plane, and facts about the embedding.

    The same input gives the same positions: the work is done by one thread.

    Parameters
    ----------
    whitened : ndarray, shape (n, d)

    Returns
    -------
    positions : ndarray of float32, shape (n, 2)
        Centred; the median distance from the centre is 1.
    facts : dict
        ``method``, its settings, and ``trustworthiness`` (Venna & Kaski 2001, ICANN, p. 485): 1 if
        neighbours in the plane are neighbours among the features.
    """
    from threadpoolctl import threadpool_limits

    method = {"tsne": _tsne, "umap": _umap}[settings.embedding]
    with threadpool_limits(1):
        found, facts = method(whitened, settings, seed)
    found = found - np.median(found, axis=0)
    size = np.median(np.hypot(*found.T))
    found = found / (size if size > 0 else 1)
    facts = {"method": settings.embedding, **facts}
    return found.astype(np.float32), {**facts, "trustworthiness": _trust(whitened, found, seed)}


def _tsne(
    whitened: np.ndarray, settings: SurveyClustersSettings, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    from sklearn.manifold import TSNE

    perplexity = min(settings.perplexity, (len(whitened) - 1) / 3)
    start = whitened[:, :2] * 1e-4  # as by PCA: the large structure stays where it is
    run = TSNE(
        2,
        perplexity=perplexity,
        max_iter=settings.iterations,
        init=_two(start).astype(np.float32),
        random_state=seed % 2**32,
        n_jobs=1,
    )
    found = run.fit_transform(whitened)
    return found, {"perplexity": perplexity, "divergence": float(run.kl_divergence_)}


def _umap(
    whitened: np.ndarray, settings: SurveyClustersSettings, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        from umap import UMAP
    except ImportError as error:
        raise ConfigError(
            f"transfer.clusters.embedding: umap needs the package umap-learn ({error}); install "
            "it, or set embedding to tsne"
        ) from None
    neighbours = min(settings.neighbours, len(whitened) - 1)
    run = UMAP(
        n_neighbors=neighbours,
        min_dist=settings.minimum_distance,
        init=_two(whitened[:, :2]),
        random_state=seed % 2**32,
        n_jobs=1,
    )
    return run.fit_transform(whitened), {"neighbours": neighbours}


def _two(start: np.ndarray) -> np.ndarray:
    """The first two components; zeros for the second if there is one only."""
    return np.pad(start, ((0, 0), (0, 2 - start.shape[1])))


def _trust(whitened: np.ndarray, found: np.ndarray, seed: int) -> float:
    from sklearn.manifold import trustworthiness

    some = np.random.default_rng(seed).permutation(len(found))[:_MEASURED]
    about = min(_ABOUT, (len(some) - 1) // 2)
    return float(trustworthiness(whitened[some], found[some], n_neighbors=about))


def nearest(known: np.ndarray, asked: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact nearest neighbours among `known` (n, d) of each of `asked` (m, d).

    Returns
    -------
    rows : ndarray of int64, shape (m, count)
    distances : ndarray of float32, shape (m, count)
    """
    import faiss

    index = faiss.IndexFlatL2(known.shape[1])
    index.add(np.ascontiguousarray(known, dtype=np.float32))
    count = min(count, len(known))
    squared, rows = index.search(np.ascontiguousarray(asked, dtype=np.float32), count)
    return rows, np.sqrt(np.maximum(squared, 0))


def place_by_neighbours(
    positions: np.ndarray, rows: np.ndarray, distances: np.ndarray
) -> np.ndarray:
    """Means of the neighbours' positions, weighted by 1/distance² about their weighted middle.

    Neighbours that lie apart in the plane from the nearest one have no say: a galaxy between two
    clusters goes to one of them, not to the empty space between.

    Parameters
    ----------
    positions : ndarray, shape (n, 2)
    rows, distances : ndarray, shape (m, k)

    Returns
    -------
    ndarray of float32, shape (m, 2)
    """
    around = positions[rows]
    weight = 1 / np.maximum(distances, 1e-6) ** 2
    apart = np.linalg.norm(around - around[:, :1], axis=2)
    near = apart <= 2 * np.median(apart, axis=1, keepdims=True)
    near[:, 0] = True
    weight = np.where(near, weight, 0)
    weight /= weight.sum(axis=1, keepdims=True)
    return (around * weight[..., None]).sum(axis=1).astype(np.float32)
