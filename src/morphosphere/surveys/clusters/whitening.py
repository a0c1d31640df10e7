"""Principal components of features, each divided by its standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.errors import InputError

#: Components with less of the variance than this are rounding errors.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Whitening:
    """A linear map to uncorrelated components of unit variance.

    Attributes
    ----------
    mean : ndarray of float64, shape (F,)
    axes : ndarray of float64, shape (F, d)
        Principal axes over the standard deviations along them.
    variance : float
        Share of the variance that the d components hold.
    """

    mean: np.ndarray
    axes: np.ndarray
    variance: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Whitened components of features (n, F): float32 (n, d)."""
        return ((features - self.mean) @ self.axes).astype(np.float32)


def fit_whitening(features: np.ndarray, *, components: int, variance: float) -> Whitening:
    """The whitening of features (n, F) with at most so many components.

    Raises
    ------
    InputError
        If the features do not vary.
    """
    from sklearn.decomposition import PCA

    features = features.astype(np.float64)
    most = min(components, features.shape[1], len(features) - 1)
    if not features.std(axis=0).any():
        raise InputError("all galaxies have the same features; train the model again")
    found = PCA(most, svd_solver="covariance_eigh").fit(features)
    share = found.explained_variance_ratio_
    count = min(most, max(2, int(np.searchsorted(np.cumsum(share), variance) + 1)))
    kept = np.flatnonzero(share[:count] > _NOTHING)
    axes = found.components_[kept].T / np.sqrt(found.explained_variance_[kept])
    # A component's sign is a matter of the linear algebra library: the largest entry is positive.
    sign = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return Whitening(found.mean_, axes * sign, float(share[kept].sum()))
