"""Smoothing lengths of the stars of a moment, for the render stage."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

#: Every `_STRIDE`-th star counts as neighbour where there are enough, and radii may be this much
#: too large: three times as quick, and they scatter by a tenth.
_STRIDE, _SLACK = 4, 0.5


def smoothing_lengths(place: np.ndarray, neighbours: int) -> np.ndarray:
    """Radius about each star that holds about so many stars.

    Parameters
    ----------
    place : ndarray, shape (N, 3)
        kpc.
    neighbours : int

    Returns
    -------
    ndarray of float32, shape (N,)
        kpc.
    """
    stride = _STRIDE if len(place) >= 32 * neighbours and neighbours >= 4 * _STRIDE else 1
    tree = cKDTree(place[::stride], balanced_tree=False, compact_nodes=False)
    rank = min(max(neighbours // stride, 2), tree.n)
    return tree.query(place, k=[rank], eps=_SLACK)[0][:, 0].astype(np.float32)
