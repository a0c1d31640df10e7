"""Predictions of a survey: the test images with a human label, and all images in short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError

#: Origins of labels that people gave; those of recursion are not among them.
HUMAN = ("survey", "match")
#: Columns that the label stage adds, and those that predictions of classes have.
_LABELS = ("object", "label", "label_origin", "confident_label")
_SAID = ("predicted", "confidence", "spread", "domain_distance", "domain_outlier", "split")


@dataclass(frozen=True)
class Scored:
    """Test images with a label by people, and what the model says of them.

    Attributes
    ----------
    classes : tuple of str, length K
    rows : ndarray of int, shape (n,)
        Rows of the ImageSet.
    objects : ndarray of str, shape (n,)
        What stays together in a split, and is drawn together in a bootstrap.
    truth, predicted : ndarray of int, shape (n,)
        Indices of classes.
    probability : ndarray, shape (n, K)
        Calibrated.
    confident : ndarray of bool, shape (n,)
        Whether the label passes the high-confidence cut.
    spread, distance : ndarray, shape (n,)
        Epistemic spread, and domain distance.
    outlier : ndarray of bool, shape (n,)
    """

    classes: tuple[str, ...]
    rows: np.ndarray
    objects: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray
    confident: np.ndarray
    spread: np.ndarray
    distance: np.ndarray
    outlier: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, shape (n,)."""
        return self.probability[np.arange(len(self)), self.predicted]

    @property
    def right(self) -> np.ndarray:
        """Whether the predicted class is the true one, shape (n,)."""
        return self.predicted == self.truth

    def take(self, chosen: np.ndarray) -> Scored:
        """Some of the images."""
        values = {
            name: value[chosen] if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
            if name in self.__dataclass_fields__
        }
        return Scored(**values)


@dataclass(frozen=True)
class Survey:
    """All images of a survey, in short.

    Attributes
    ----------
    classes : tuple of str
    predicted : ndarray of int16, shape (N,)
    confidence, distance : ndarray of float32, shape (N,)
    outlier, trained, human : ndarray of bool, shape (N,)
        Unlike the training images; of the split train; with a label by people.
    """

    classes: tuple[str, ...]
    predicted: np.ndarray
    confidence: np.ndarray
    distance: np.ndarray
    outlier: np.ndarray
    trained: np.ndarray
    human: np.ndarray

    def __len__(self) -> int:
        return len(self.predicted)


def open_predictions(path: str | Path, classes: Sequence[str]) -> Catalogue:
    """The Parquet file of predictions of a survey.

    Raises
    ------
    InputError
        If it holds no predictions of these classes, or no columns of labels.
    """
    catalogue = Catalogue(path)
    wanted = [*_SAID, *(f"p_{name}" for name in classes)]
    if missing := [name for name in wanted if name not in catalogue.columns]:
        raise InputError(
            f"{path}: no column {missing[0]!r}: not what surveys.predict writes with a model of "
            f"the classes {', '.join(classes)}; predict again with this model"
        )
    if missing := [name for name in _LABELS if name not in catalogue.columns]:
        raise InputError(
            f"{path}: no column {missing[0]!r}; predict the images that surveys.label wrote"
        )
    return catalogue


def read_scored(catalogue: Catalogue, classes: Sequence[str]) -> Scored:
    """Test images with a label by people.

    Raises
    ------
    InputError
        If a label is no index of a class, a predicted class is none, or a probability is not
        finite.
    """
    chance = [f"p_{name}" for name in classes]
    names = [*_LABELS, *_SAID, *chance]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    rows, start = [], 0
    for batch in catalogue.batches(names):
        chosen = (batch["split"] == "test") & labelled(batch)
        rows.append(start + np.flatnonzero(chosen))
        for name in names:
            parts[name].append(batch[name][chosen])
        start += len(chosen)
    found = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    row = np.concatenate(rows)
    probability = np.stack([found[name] for name in chance], axis=1).astype(np.float64)
    _check(catalogue.path, row, found["label"], probability, len(classes))
    return Scored(
        classes=tuple(classes),
        rows=row,
        objects=found["object"].astype(str),
        truth=found["label"].astype(np.int64),
        predicted=_codes(found["predicted"], classes, catalogue.path).astype(np.int64),
        probability=probability / probability.sum(axis=1, keepdims=True),
        confident=found["confident_label"] == 1,
        spread=found["spread"].astype(np.float64),
        distance=found["domain_distance"].astype(np.float64),
        outlier=found["domain_outlier"].astype(bool),
    )


def read_survey(catalogue: Catalogue, classes: Sequence[str]) -> Survey:
    """All images, without their identifiers."""
    names = ["predicted", "confidence", "domain_distance", "domain_outlier", "split"]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in Survey.__dataclass_fields__}
    for batch in catalogue.batches([*names, "label", "label_origin"]):
        parts["predicted"].append(_codes(batch["predicted"], classes, catalogue.path))
        parts["confidence"].append(batch["confidence"].astype(np.float32))
        parts["distance"].append(batch["domain_distance"].astype(np.float32))
        parts["outlier"].append(batch["domain_outlier"].astype(bool))
        parts["trained"].append(batch["split"] == "train")
        parts["human"].append(labelled(batch))
    values = {name: np.concatenate(pieces) for name, pieces in parts.items() if name != "classes"}
    return Survey(classes=tuple(classes), **values)


def take_column(catalogue: Catalogue, name: str, rows: np.ndarray) -> np.ndarray:
    """Values of a column at some rows, shape (n,), with one batch of it in memory at a time."""
    out: list[Any] = [None] * len(rows)
    order, start = np.argsort(rows, kind="stable"), 0
    for batch in catalogue.batches([name]):
        stop = start + len(batch[name])
        here = order[np.searchsorted(rows[order], start) : np.searchsorted(rows[order], stop)]
        for k in here:
            out[k] = batch[name][rows[k] - start]
        start = stop
    return np.asarray(out, dtype=object)


def labelled(batch: dict[str, np.ndarray]) -> np.ndarray:
    """Which rows have a label that people gave, from ``label`` and ``label_origin``."""
    return np.isfinite(batch["label"]) & np.isin(batch["label_origin"].astype(str), HUMAN)


def _codes(names: np.ndarray, classes: Sequence[str], path: Path) -> np.ndarray:
    place = {name: k for k, name in enumerate(classes)}
    try:
        return np.array([place[name] for name in names], dtype=np.int16)
    except KeyError as error:
        raise InputError(
            f"{path}: the predicted class {error} is none of {', '.join(classes)}; predict again "
            "with this model"
        ) from None


def _check(
    path: Path, rows: np.ndarray, label: np.ndarray, probability: np.ndarray, classes: int
) -> None:
    wrong = (label < 0) | (label >= classes) | (label % 1 != 0)
    if wrong.any():
        raise InputError(
            f"{path}: label {label[wrong][0]:g} in row {rows[wrong][0]}, but the model knows "
            f"{classes} classes, 0 to {classes - 1}; label, train and predict with the same classes"
        )
    bad = ~np.isfinite(probability).all(axis=1) | ~(probability.sum(axis=1) > 0)
    if bad.any():
        raise InputError(
            f"{path}: the probabilities of row {rows[bad][0]} are no finite numbers; look at the "
            "image and predict again"
        )
