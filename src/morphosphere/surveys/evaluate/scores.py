"""Measures of a classification, with bootstrap intervals by object.

What is standard is scikit-learn's. With K classes, ``precision``, ``recall`` and ``f1`` are means
over the classes that occur among the images, and so is ``roc_auc`` of each class against the rest;
``balanced_accuracy`` is the mean recall.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.surveys.evaluate.bootstrap import bin_of, drawn_scores, interval
from morphosphere.surveys.evaluate.scored import Scored

#: Measures of all images together, in the order of the metrics.
NAMES = (
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "ece", "log_loss",
)  # fmt: skip
#: Measures that compare classes: they do not exist where there is one class only.
_OF_CLASSES = ("balanced_accuracy", "precision", "recall", "f1", "roc_auc")
#: Simulations of the calibration error that right probabilities would have.
_SIMULATED = 200


def measure(scored: Scored, *, bins: int, bootstrap: int, seed: int) -> dict[str, Any]:
    """All measures of some images.

    Parameters
    ----------
    scored : Scored
    bins : int
        Of confidence, for the calibration error.
    bootstrap : int
        Draws of objects for the 95 % intervals; 0: none.
    seed : int

    Returns
    -------
    dict
        ``n`` images of ``objects`` objects, `NAMES` (None where a measure does not exist),
        ``ece_if_calibrated`` (what right probabilities would have on as many images),
        ``per_class`` {class: {n, precision, recall, f1, roc_auc}} and ``intervals``
        {name: [low, high], ``per_class``: {...}}.
    """
    count = {"n": len(scored), "objects": len(np.unique(scored.objects))}
    if not len(scored):
        empty = dict.fromkeys(NAMES)
        return count | empty | {"ece_if_calibrated": None, "per_class": {}, "intervals": {}}
    parts = (scored.truth, scored.probability, scored.predicted)
    values = scores(*parts, bins)
    floor = ece_if_calibrated(scored.confidence, bins, seed)
    flat = {name: _number(value) for name, value in values.items()}
    classes = {name: {"n": int((scored.truth == k).sum())} for k, name in enumerate(scored.classes)}
    intervals: dict[str, Any] = {}
    if bootstrap:
        drawn = drawn_scores(*parts, scored.objects, bins=bins, number=bootstrap, seed=seed)
        intervals = {name: interval(drawn[name]) for name in flat}
    whole = {name: flat[name] for name in NAMES} | {"ece_if_calibrated": floor}
    return (
        count
        | whole
        | {
            "per_class": _nested(flat, scored.classes, classes),
            "intervals": {name: intervals[name] for name in NAMES if name in intervals}
            | ({"per_class": _nested(intervals, scored.classes, {})} if intervals else {}),
        }
    )


def scores(
    truth: np.ndarray, probability: np.ndarray, predicted: np.ndarray, bins: int
) -> dict[str, float]:
    """Measures of images.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n,)
    probability : ndarray, shape (n, K)
        Rows sum to one.
    bins : int

    Returns
    -------
    dict
        `NAMES`, and ``<measure>.<k>`` for class k; NaN for what does not exist.
    """
    from sklearn import config_context, metrics

    count = probability.shape[1]
    labels = np.arange(count)
    there = np.bincount(truth, minlength=count) > 0
    out: dict[str, float] = {}
    with config_context(assume_finite=True, skip_parameter_validation=True):
        out["accuracy"] = float(metrics.accuracy_score(truth, predicted))
        per_class = dict(
            zip(
                ("precision", "recall", "f1"),
                metrics.precision_recall_fscore_support(
                    truth, predicted, labels=labels, zero_division=0
                ),
            )
        )
        per_class["roc_auc"] = np.array([_auc(truth, probability, k) for k in labels])
        out["log_loss"] = float(metrics.log_loss(truth, probability, labels=labels))
    for name, values in per_class.items():
        values = np.where(there, values, np.nan)
        out[name] = float(values[there].mean()) if there.sum() > 1 else np.nan
        out |= {f"{name}.{k}": float(value) for k, value in enumerate(values)}
    out["balanced_accuracy"] = out["recall"]
    confidence = probability[np.arange(len(truth)), predicted]
    out["ece"] = calibration_error(confidence, predicted == truth, bins)
    return out


def _auc(truth: np.ndarray, probability: np.ndarray, k: int) -> float:
    """Area under the ROC curve of class `k` against the rest; NaN where one of them is missing."""
    from sklearn.metrics import roc_auc_score

    if k == 1 and probability.shape[1] == 2:
        k = 0  # of two classes it is the same number
    of_class = truth == k
    if of_class.all() or not of_class.any():
        return float("nan")
    return float(roc_auc_score(of_class, probability[:, k]))


def calibration_table(
    confidence: np.ndarray, right: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, mean confidence and accuracy of equal bins of confidence, each shape (bins,).

    Confidence and accuracy of empty bins are NaN.
    """
    place = bin_of(confidence, bins)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, confidence, bins) / count
        true = np.bincount(place, right.astype(float), bins) / count
    return count, said, true


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
    """Expected calibration error of the predicted class (Guo et al. 2017, ICML, PMLR 70, 1321)."""
    count, said, true = calibration_table(confidence, right, bins)
    return float(np.nansum(count * np.abs(said - true)) / count.sum())


def ece_if_calibrated(confidence: np.ndarray, bins: int, seed: int) -> float:
    """Mean calibration error if images were right just as often as their confidence says.

    Few images in a bin deviate by chance: an error of this size is no error of the probabilities.
    """
    random = np.random.default_rng(seed)
    found = [
        calibration_error(confidence, random.random(len(confidence)) < confidence, bins)
        for _ in range(_SIMULATED)
    ]
    return float(np.mean(found))


def confident_half(scored: Scored) -> np.ndarray:
    """The more confident half of each predicted class (the larger, of odd numbers): mask (n,)."""
    chosen = np.zeros(len(scored), bool)
    for k in range(len(scored.classes)):
        rows = np.flatnonzero(scored.predicted == k)
        order = np.argsort(-scored.confidence[rows], kind="stable")
        chosen[rows[order[: (len(rows) + 1) // 2]]] = True
    return chosen


def reasons(scored: Scored, of: str) -> dict[str, str]:
    """Why measures of images are missing, or of fewer classes than there are: {name: reason}.

    `of` names the images.
    """
    if not len(scored):
        return dict.fromkeys(NAMES, f"there are no {of}")
    count = np.bincount(scored.truth, minlength=len(scored.classes))
    if (count > 0).sum() == 1:
        only = scored.classes[int(count.argmax())]
        why = f"all {of} ({len(scored)}) are of the class {only}: classes cannot be compared"
        return dict.fromkeys(_OF_CLASSES, why)
    absent = [name for name, n in zip(scored.classes, count) if not n]
    if absent:
        return {"per_class": f"none of the {of} is of the class {' or '.join(absent)}"}
    return {}


def without_error(scored: Scored, of: str) -> str | None:
    """What to make of intervals of images that are all told rightly; None where they are not.

    Draws of images without an error hold none: the intervals of shares are [1, 1], however few
    images there are.
    """
    if not len(scored) or not scored.right.all():
        return None
    objects = len(np.unique(scored.objects))
    return (
        f"none of the {of} is told wrongly, so that draws of them have no width; with {objects} "
        f"objects, up to {1 - 0.05 ** (1 / objects):.2%} could be wrong (95 %, one-sided)"
    )


def _nested(
    flat: dict[str, Any], classes: tuple[str, ...], start: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Values named ``<measure>.<k>`` as {class: {measure: value}}."""
    return {
        name: start.get(name, {})
        | {key.rpartition(".")[0]: value for key, value in flat.items() if key.endswith(f".{k}")}
        for k, name in enumerate(classes)
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
