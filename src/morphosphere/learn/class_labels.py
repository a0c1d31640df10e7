"""Labels of classes and types in an ImageSet's table: which images teach, and how they weigh."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import InputError

if TYPE_CHECKING:
    from morphosphere.learn.data import Batches

LABEL, WEIGHT, TYPE, ORIGIN = "label", "label_weight", "type", "label_origin"
#: Origin of the labels that a model gave.
PSEUDO = "pseudo"
#: Power of one over the share that a class weighs by.
_POWERS = {"balanced": 1.0, "sqrt": 0.5, "none": 0.0}
_SMALLEST = 1e-6


@dataclass(frozen=True)
class Shares:
    """Shares of the classes among the labels, and what follows from them; each of shape (K,).

    Attributes
    ----------
    priors : ndarray
        Shares among the labels of people.
    weights : ndarray
        Of the classes in the loss; their mean over all labels is 1.
    odds : ndarray
        What weights of classes and of labels multiply the odds of the classes by.
    """

    priors: np.ndarray
    weights: np.ndarray
    odds: np.ndarray

    @classmethod
    def even(cls, classes: int) -> Self:
        """Of classes that are equally frequent."""
        return cls(np.full(classes, 1 / classes), np.ones(classes), np.ones(classes))


def kept(images: ImageSet, *, with_type: bool) -> np.ndarray:
    """Images whose class is known, or whose type, if that is learnt: mask (N,).

    Raises
    ------
    InputError
        If the table has no labels.
    """
    if LABEL not in images.columns:
        raise InputError(
            f"{images.path}: has no column {LABEL!r}; labels come from morphosphere.surveys.label"
        )
    known = np.isfinite(images.column(LABEL))
    if with_type and TYPE in images.columns:
        known |= np.isfinite(images.column(TYPE))
    return known


def first_objects(rows: np.ndarray, images: ImageSet, *, by: str, limit: int) -> np.ndarray:
    """Of labelled rows those of the first `limit` objects by a hash of their names.

    The first of each class is among them, and more objects hold all of fewer.
    """
    label = images.column(LABEL)[rows]
    rows, label = rows[np.isfinite(label)], label[np.isfinite(label)]
    names = images.column(by)[rows]
    order = sorted(set(names), key=lambda name: hashlib.sha256(f"limit {name}".encode()).digest())
    class_of = dict(zip(names[::-1], label[::-1]))
    firsts = {class_of[name]: name for name in reversed(order)}
    wanted = list(dict.fromkeys([*firsts.values(), *order]))[:limit]
    return rows[np.isin(names, wanted)]


def shares_of(batches: Batches, names: Sequence[str], weighting: str) -> Shares:
    """Shares of the classes in a split, whose labels may have weights.

    What is decided by shares is decided by those among labels of people: a model's own labels
    (of recursion) are balanced on purpose.

    Parameters
    ----------
    batches : Batches
    names : sequence of str, length K
    weighting : str
        "balanced", "sqrt" or "none".

    Raises
    ------
    InputError
        If a label is no number of a class, or a class has no labelled image.
    """
    labels, classes = batches.column(LABEL).numpy(), len(names)
    known = np.isfinite(labels)
    if ((labels[known] < 0) | (labels[known] >= classes)).any():
        raise InputError(
            f"{batches.path}: labels from {labels[known].min():g} to {labels[known].max():g} "
            f"for {classes} classes ({', '.join(names)}): each is the number of a class, "
            "from 0; label again with these classes"
        )
    counts = _counts(labels[known], classes)
    if not counts.all():
        found = ", ".join(f"{name} {count}" for name, count in zip(names, counts))
        raise InputError(
            f"{batches.path}: every class needs labelled images for training, there are "
            f"{found}; loosen the cuts, or leave the empty class out"
        )
    people = _counts(labels[_of_people(batches) & known], classes)
    priors = people / people.sum() if people.all() else counts / counts.sum()
    weight = np.nan_to_num(batches.column(WEIGHT).numpy()[known].astype(np.float64), nan=1.0)
    shares = _counts(labels[known], classes, weight) / weight.sum()
    weights = shares ** -_POWERS[weighting]
    weights /= (shares * weights).sum()
    return Shares(priors, weights, weights * shares / priors)


def known_means(batches: Batches, *, with_type: bool) -> tuple[float, float]:
    """Weight of the label of an image, and of its type, in the mean over all images of a split."""
    label = batches.column(LABEL)
    weight = batches.column(WEIGHT).nan_to_num(1.0) * label.isfinite()
    types = batches.column(TYPE).isfinite().double().mean() if with_type else 0.0
    return max(float(weight.double().mean()), _SMALLEST), max(float(types), _SMALLEST)


def _counts(labels: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Labels of each class, (K,), or the sums of their weights."""
    return np.bincount(labels.astype(int), weights, minlength=classes)


def _of_people(batches: Batches) -> np.ndarray:
    """Which rows of a split have a label that no model gave, bool (n,)."""
    with ImageSet(batches.path) as images:
        if ORIGIN not in images.columns:
            return np.ones(len(batches.rows), bool)
        return images.column(ORIGIN)[batches.rows] != PSEUDO
