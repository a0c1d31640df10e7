"""How groups that were found without labels agree with classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.surveys.clusters.grouping import NOISE, Groups


def table_of(code: np.ndarray, classes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Number of galaxies in each group (from 0) and class, shape `shape`; others do not count."""
    known = (code >= 0) & (classes >= 0)
    flat = code[known] * shape[1] + classes[known]
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def agreement(groups: Groups, classes: np.ndarray, count: int) -> dict[str, Any] | None:
    """How clusters agree with classes that are known of some galaxies.

    Parameters
    ----------
    classes : ndarray of int, shape (n,)
        Index of the class, -1 where it is not known.
    count : int
        Number of classes.

    Returns
    -------
    dict or None
        None if no class is known. ``n``; ``adjusted_rand`` (Hubert & Arabie 1985, J. Classif. 2,
        193), noise as a group of its own; ``adjusted_rand_clustered`` and ``purity`` (share of the
        galaxies that are of the most frequent class of their cluster) of those in clusters;
        ``majority_share``: what a single cluster would reach as purity.
    """
    from sklearn.metrics import adjusted_rand_score

    known = classes >= 0
    if not known.any():
        return None
    inside = known & (groups.code != NOISE)
    counts = table_of(groups.code[inside], classes[inside], (max(groups.count, 1), count))
    some = bool(inside.any())
    return {
        "n": int(known.sum()),
        "clustered": int(inside.sum()),
        "adjusted_rand": float(adjusted_rand_score(classes[known], groups.code[known])),
        "adjusted_rand_clustered": (
            float(adjusted_rand_score(classes[inside], groups.code[inside])) if some else None
        ),
        "purity": float(counts.max(axis=1).sum() / counts.sum()) if some else None,
        "majority_share": float(np.bincount(classes[known]).max() / known.sum()),
    }


def assign(counts: np.ndarray) -> np.ndarray:
    """The class of each group at which most galaxies agree, one group to a class; shape (K,).

    By the Hungarian method (scipy); `counts` (K, K) are galaxies by group and class.
    """
    from scipy.optimize import linear_sum_assignment

    groups, classes = linear_sum_assignment(-counts)
    out = np.empty(len(counts), dtype=np.int64)
    out[groups] = classes
    return out


def assigned_scores(
    code: np.ndarray, classes: np.ndarray, given: np.ndarray
) -> dict[str, Any] | None:
    """How well groups tell classes, once each group stands for one.

    Parameters
    ----------
    code, classes : ndarray of int, shape (n,)
        Group and class; -1 where the class is not known.
    given : ndarray of int, shape (K,)
        Class of each group.

    Returns
    -------
    dict or None
        ``n``, ``accuracy``, ``balanced_accuracy`` (mean over the classes that occur),
        ``majority_share`` (accuracy of always the most frequent class) and ``adjusted_rand``.
    """
    from sklearn.metrics import adjusted_rand_score

    known = classes >= 0
    if not known.any():
        return None
    said, true = given[code[known]], classes[known]
    shares = [float(np.mean(said[true == k] == k)) for k in np.unique(true)]
    return {
        "n": int(known.sum()),
        "accuracy": float(np.mean(said == true)),
        "balanced_accuracy": float(np.mean(shares)) if len(shares) > 1 else None,
        "majority_share": float(np.bincount(true).max() / len(true)),
        "adjusted_rand": float(adjusted_rand_score(true, code[known])),
    }


def describe(
    groups: Groups, predicted: np.ndarray, label: np.ndarray, confidence: np.ndarray,
    classes: list[str],
) -> list[dict[str, Any]]:  # fmt: skip
    """For each cluster, and noise if there is any, what it holds."""
    out = []
    for number in [*range(groups.count), *([NOISE] if (groups.code == NOISE).any() else [])]:
        inside = groups.code == number
        known = inside & (label >= 0)
        out.append(
            {
                "cluster": number,
                "n": int(inside.sum()),
                "share": float(inside.mean()),
                "confidence": float(np.mean(confidence[inside], dtype=np.float64)),
                "predicted": _shares(predicted[inside], classes),
                "labelled": int(known.sum()),
                "labels": _shares(label[known], classes) if known.any() else None,
            }
        )
    return out


def _shares(code: np.ndarray, classes: list[str]) -> dict[str, float]:
    counts = np.bincount(code, minlength=len(classes))
    return {name: float(n / len(code)) for name, n in zip(classes, counts)}
