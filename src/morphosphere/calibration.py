"""Probabilities of classes that mean what they say: temperature and bias, fitted to validation.

Temperature scaling is after Guo et al. 2017 (ICML, PMLR 70, 1321), with a number for each class
beside it, which mends what weights of classes in the loss have shifted.
"""

from __future__ import annotations

import numpy as np

#: How strongly biases are drawn to what is expected, in images; temperature to 1, likewise.
_PRIOR = 4.0
#: Bounds of the logarithm of the temperature.
_LOG_TEMPERATURE = (-1.6, 2.0)
_TINY = 1e-12


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, in float64."""
    x = np.asarray(logits, dtype=np.float64)
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def mean_probability(views: list[np.ndarray]) -> np.ndarray:
    """Mean over views and members of the softmax of logits (N, M, K): shape (N, K)."""
    return sum(softmax(logits).mean(axis=1) for logits in views) / len(views)


def calibrated(probability: np.ndarray, temperature: float, bias: np.ndarray) -> np.ndarray:
    """Softmax of log(p) / temperature + bias, shape (N, K)."""
    logits = np.log(np.maximum(probability, _TINY)) / temperature
    return softmax(logits + np.asarray(bias, dtype=np.float64))


def fit(
    probability: np.ndarray, label: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, list[float]]:
    """Temperature and biases that make labels of validation images most probable.

    Parameters
    ----------
    probability : ndarray, shape (N, K)
    label : ndarray of int, shape (N,)
    weights : ndarray, shape (K,), optional
        Of the classes in the loss. They multiply the odds that the network learns, so that minus
        their logarithms are the biases to expect; few images change them little.

    Returns
    -------
    temperature : float
    bias : list of float, length K
        The first is 0. With fewer than ten images, or one class, they are those to expect.
    """
    from scipy.optimize import minimize

    classes = probability.shape[1]
    expected = np.zeros(classes) if weights is None else -np.log(weights)
    expected = expected - expected[0]
    if len(label) < 10 or len(np.unique(label)) < 2:
        return 1.0, expected.tolist()
    rows = np.arange(len(label))

    def biases(x: np.ndarray) -> np.ndarray:
        return expected + np.concatenate([[0.0], x[1:]])

    def surprise(x: np.ndarray) -> float:
        said = calibrated(probability, float(np.exp(x[0])), biases(x))[rows, label]
        return float(-np.log(np.maximum(said, _TINY)).sum() + 0.5 * _PRIOR * (x**2).sum())

    bounds = [_LOG_TEMPERATURE, *[(None, None)] * (classes - 1)]
    best = minimize(surprise, np.zeros(classes), method="L-BFGS-B", bounds=bounds)
    return float(np.exp(best.x[0])), biases(best.x).tolist()
