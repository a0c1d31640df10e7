"""Scores of predictions on galaxies whose class is known, and of the difference of two models.

They need nothing but NumPy and SciPy, so that the stage runs where scikit-learn is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TINY = 1e-12


@dataclass(frozen=True)
class Said:
    """What a model says of n galaxies of K known classes.

    Attributes
    ----------
    truth, predicted : ndarray of int, shape (n,)
    probability : ndarray, shape (n, K)
    objects : ndarray of str, shape (n,)
        Images of one object are no independent evidence.
    """

    truth: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray
    objects: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


def losses(said: Said) -> np.ndarray:
    """Minus the logarithm of the probability of the true class, shape (n,)."""
    right = said.probability[np.arange(len(said)), said.truth]
    return -np.log(np.clip(right, _TINY, 1))


def balanced_losses(said: Said) -> np.ndarray:
    """The same with all classes equally common, shape (n,).

    Probabilities are divided by the shares of the classes among the galaxies, so that models that
    learnt from other shares of labels are judged alike; a rare class weighs as much as a common
    one, so that the mean is the mean over the classes.
    """
    count = np.bincount(said.truth, minlength=said.probability.shape[1])
    there = count > 0
    share = np.where(there, count, 1) / len(said)
    even = np.where(there, np.clip(said.probability, _TINY, 1), 0) / share
    even /= even.sum(axis=1, keepdims=True)
    right = even[np.arange(len(said)), said.truth]
    weight = len(said) / (there.sum() * count[said.truth])
    return -weight * np.log(np.clip(right, _TINY, 1))


def auc(truth: np.ndarray, chance: np.ndarray) -> float:
    """Area under the ROC curve, by the ranks (Mann and Whitney); NaN with one class alone.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
    chance : ndarray, shape (n,)
    """
    from scipy.stats import rankdata

    yes, no = int(truth.sum()), int((~truth).sum())
    if not yes or not no:
        return float("nan")
    return float((rankdata(chance)[truth].sum() - yes * (yes + 1) / 2) / (yes * no))


def scores(said: Said) -> dict[str, float | int | None]:
    """``n``, accuracy, balanced accuracy, ROC AUC (mean over the classes), log-loss and balanced.

    None where there are no galaxies, or only one class.
    """
    names = ("accuracy", "balanced_accuracy", "roc_auc", "log_loss", "balanced_log_loss")
    if not len(said):
        return {"n": 0, **dict.fromkeys(names)}
    right = said.predicted == said.truth
    there = np.unique(said.truth)
    areas = [auc(said.truth == k, said.probability[:, k]) for k in there]
    several = len(there) > 1
    return {
        "n": len(said),
        "accuracy": float(right.mean()),
        "balanced_accuracy": balanced_accuracy(said) if several else None,
        "roc_auc": float(np.mean(areas)) if several else None,
        "log_loss": float(losses(said).mean()),
        "balanced_log_loss": float(balanced_losses(said).mean()) if several else None,
    }


def balanced_accuracy(said: Said) -> float:
    """Mean over the classes of the share that is recognised."""
    right = said.predicted == said.truth
    return float(np.mean([right[said.truth == k].mean() for k in np.unique(said.truth)]))


@dataclass(frozen=True)
class Difference:
    """How much higher the balanced log-loss of one model is than that of another.

    Attributes
    ----------
    mean : float
    error : float
        Standard error of the mean; images of one object count as one.
    """

    mean: float
    error: float


def difference(one: Said, other: Said) -> Difference:
    """Balanced loss of `one` minus that of `other`, on the same galaxies."""
    apart = balanced_losses(one) - balanced_losses(other)
    _, of = np.unique(one.objects, return_inverse=True)
    sums = np.bincount(of, apart - apart.mean())
    groups = len(sums)
    if groups < 2:
        return Difference(float(apart.mean()), float("inf"))
    error = np.sqrt(groups / (groups - 1) * (sums**2).sum()) / len(apart)
    return Difference(float(apart.mean()), float(error))


def gain_interval(
    before: Said, after: Said, *, draws: int, seed: int
) -> tuple[float, float] | None:
    """Interval (95 %) of the gain in balanced accuracy, by a bootstrap of objects.

    Both models are scored on the same draws, so that what they have in common cancels. None
    without draws, or with fewer than two objects or classes.
    """
    _, of = np.unique(before.objects, return_inverse=True)
    groups, classes = of.max(initial=-1) + 1, np.unique(before.truth)
    if not draws or groups < 2 or len(classes) < 2:
        return None
    weights = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), draws)
    gains = []
    for said, sign in ((after, 1.0), (before, -1.0)):
        right = (said.predicted == said.truth).astype(float)
        for k in classes:
            mine = (said.truth == k).astype(float)
            total = weights @ np.bincount(of, mine, groups)
            good = weights @ np.bincount(of, mine * right, groups)
            gains.append(sign * np.where(total > 0, good, np.nan) / np.where(total > 0, total, 1))
    gain = np.sum(gains, axis=0) / len(classes)
    gain = gain[np.isfinite(gain)]
    if not len(gain):
        return None
    low, high = np.quantile(gain, [0.025, 0.975])
    return float(low), float(high)
