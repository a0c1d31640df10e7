"""How sure is sure enough: thresholds from labelled galaxies that no training has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Threshold:
    """A class's threshold.

    Attributes
    ----------
    at : float or None
        Smallest confidence that is enough; None if no one is.
    labels : int
        Labelled galaxies that are predicted to be of the class.
    above : int
        Those of them at or above the threshold.
    purity : float or None
        Share of these that are of the class.
    """

    at: float | None
    labels: int
    above: int
    purity: float | None


def threshold(confidence: np.ndarray, right: np.ndarray, *, purity: float, least: int) -> Threshold:
    """The smallest confidence above which predictions of a class are right often enough.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
        Of labelled galaxies that are predicted to be of the class.
    right : ndarray of bool, shape (n,)
        Whether they are.
    purity : float
        Share that must be right among all with at least that confidence.
    least : int
        Number of them that there must be.
    """
    count = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    sorted_, good = confidence[order], right[order]
    number = np.arange(1, count + 1)
    share = np.cumsum(good) / number
    last = np.r_[sorted_[1:] != sorted_[:-1], True][:count]  # equal ones go together
    enough = np.flatnonzero(last & (number >= least) & (share >= purity - 1e-9))
    if not len(enough):
        return Threshold(None, count, 0, None)
    end = enough[-1]
    return Threshold(float(sorted_[end]), count, int(number[end]), float(share[end]))


def surest(
    confidence: np.ndarray, predicted: np.ndarray, allowed: np.ndarray, *, per_class: list[int]
) -> np.ndarray:
    """Rows of the surest of each class, sorted.

    Parameters
    ----------
    confidence, predicted : ndarray, shape (N,)
    allowed : ndarray of bool, shape (N,)
    per_class : list of int
        Greatest number of each class. Of equally sure ones, the first rows are taken.
    """
    found = []
    for k, most in enumerate(per_class):
        rows = np.flatnonzero(allowed & (predicted == k))
        found.append(rows[np.argsort(-confidence[rows], kind="stable")[:most]])
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def balanced(counts: list[int], *, most: int, imbalance: float) -> list[int]:
    """How many of each class are taken: `most`, and so many for each one of the rarest.

    None, if there is none of one class: labels of the others alone would teach their number.
    """
    rarest = min(counts, default=0)
    return [min(n, most, int(imbalance * min(rarest, most))) for n in counts]
