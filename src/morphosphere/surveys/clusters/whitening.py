"""Principal components of features, brought to similar variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.errors import InputError

#: Components with less of the variance than this are rounding errors.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Whitening:
    """A linear map to uncorrelated components.

    Attributes
    ----------
    mean : ndarray of float64, shape (F,)
    axes : ndarray of float64, shape (F, d)
        Principal axes over a power of the standard deviations along them, in the order of the
        variance; components have unit variance on average.
    variance : float
        Share of the variance that the d components hold.
    """

    mean: np.ndarray
    axes: np.ndarray
    variance: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Components of features (n, F): float32 (n, d)."""
        return ((features - self.mean) @ self.axes).astype(np.float32)


def fit_whitening(
    features: np.ndarray, *, components: int, variance: float, power: float
) -> Whitening:
    """The whitening of features (n, F) with at most so many components.

    With `power` 1 all components have variance 1; with 0 they keep their proportions.

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
    spread = np.sqrt(found.explained_variance_[kept])
    axes = found.components_[kept].T / spread**power
    axes /= np.sqrt(np.mean(spread ** (2 - 2 * power)))
    # A component's sign is a matter of the linear algebra library: the largest entry is positive.
    sign = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return Whitening(found.mean_, axes * sign, float(share[kept].sum()))
