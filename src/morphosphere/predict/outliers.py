"""How much an image stands apart from those that are most like it."""

from __future__ import annotations

import numpy as np


def outlier_score(
    distances: np.ndarray, neighbours: np.ndarray, mean_distances: np.ndarray
) -> np.ndarray:
    """Mean distance to the neighbours, relative to that of the neighbours themselves.

    This is the local outlier factor in its simplified form, with mean in place of reachability
    distances (Breunig et al. 2000, SIGMOD, p. 93; Schubert, Zimek & Kriegel 2014, Data Min. Knowl.
    Discov. 28, 190). About 1 where an image lies as densely as its neighbours, larger where it
    stands apart.

    Parameters
    ----------
    distances, neighbours : ndarray, shape (n, k)
        Of n images: distances to their neighbours (NaN where missing) and their rows (-1).
    mean_distances : ndarray, shape (N,)
        Mean distance of every image to its neighbours; NaN where it has none.

    Returns
    -------
    ndarray of float32, shape (n,)
        1 where all distances are 0, NaN where an image has no neighbours.
    """
    own = mean_of(distances)
    around = mean_of(np.where(neighbours < 0, np.nan, mean_distances[neighbours]))
    # Images without any difference between them are neither dense nor sparse: 0/0 counts as 1.
    known = mean_distances[np.isfinite(mean_distances)]
    floor = 1e-6 * (known.mean() if len(known) else 0) or np.finfo(np.float32).tiny
    return ((own + floor) / (around + floor)).astype(np.float32)


def mean_of(distances: np.ndarray) -> np.ndarray:
    """Mean over the neighbours that there are, float64, shape (n,); NaN where there are none."""
    known = np.isfinite(distances)
    total = np.where(known, distances, 0).sum(axis=1, dtype=np.float64)
    return np.divide(total, known.sum(axis=1), out=np.full(len(total), np.nan), where=known.any(1))
