"""The smoothing kernel: the cubic spline of SPH, projected along the line of sight.

The kernel has a compact support of radius H, as SPH codes define it (the radius that holds the
neighbours). Projected, it is a function of the distance on the picture alone (Monaghan & Lattanzio
1985, A&A 149, 135, for the spline).
"""

from __future__ import annotations

import functools

import numpy as np

_SAMPLES = 513


def cubic_spline(u: np.ndarray) -> np.ndarray:
    """Cubic spline in three dimensions for support 1, at radius `u`; its integral is one."""
    u = np.asarray(u, dtype=np.float64)
    inner = 1 - 6 * u**2 + 6 * u**3
    outer = 2 * np.maximum(1 - u, 0) ** 3
    return 8 / np.pi * np.where(u < 0.5, inner, outer)


@functools.cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    radius = np.linspace(0, 1, _SAMPLES)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    depth = np.sqrt(np.maximum(1 - radius**2, 0))[:, None]
    z = 0.5 * depth * (nodes + 1)
    values = (cubic_spline(np.hypot(radius[:, None], z)) * depth * weights).sum(axis=1)
    return radius, values


def projected(radius: np.ndarray, support: np.ndarray | float = 1.0) -> np.ndarray:
    """Projected kernel at `radius` for a support radius, in inverse area; its integral is one."""
    grid, values = _table()
    return np.interp(np.asarray(radius) / support, grid, values, right=0.0) / np.square(support)


@functools.cache
def variance() -> float:
    """Second moment of the projected kernel along one axis, for support 1."""
    grid, values = _table()
    return float(np.trapezoid(values * np.pi * grid**3, grid))


@functools.cache
def separable_terms(rank: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The projected kernel for support 1 as a sum of products of functions of x and of y.

    ``K(x, y) = sum_r sign_r f_r(x) f_r(y)``, from the eigenvectors of the sampled kernel.

    Parameters
    ----------
    rank : int
        Number R of terms.

    Returns
    -------
    x : ndarray, shape (M,)
        From -1 to 1.
    cumulative : ndarray, shape (R, M)
        Integrals of ``f_r`` from -1 to x, scaled so that the kernel's integral is exactly one.
    signs : ndarray, shape (R,)
    """
    x = np.linspace(-1, 1, 401)
    values, vectors = np.linalg.eigh(projected(np.hypot(x[:, None], x[None, :])))
    chosen = np.argsort(-np.abs(values))[:rank]
    functions = vectors[:, chosen].T * np.sqrt(np.abs(values[chosen]))[:, None]
    steps = 0.5 * (functions[:, 1:] + functions[:, :-1]) * np.diff(x)
    cumulative = np.concatenate([np.zeros((rank, 1)), np.cumsum(steps, axis=1)], axis=1)
    signs = np.sign(values[chosen])
    total = (signs * cumulative[:, -1] ** 2).sum()
    return x, cumulative / np.sqrt(total), signs
