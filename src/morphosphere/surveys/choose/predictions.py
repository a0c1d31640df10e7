"""The columns of a survey's predictions that decide on labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError
from morphosphere.surveys.label.columns import HUMAN_ORIGINS

_COLUMNS = (
    "image_id",
    "object",
    "label",
    "label_origin",
    "split",
    "predicted",
    "confidence",
    "domain_outlier",
)


@dataclass(frozen=True)
class Predictions:
    """What a model says of N images, and people of some of them.

    Attributes
    ----------
    path : Path
    ids, objects : ndarray of str, shape (N,)
    truth : ndarray of int, shape (N,)
        Class by people, -1 where they say nothing.
    split : ndarray of str, shape (N,)
    predicted : ndarray of int, shape (N,)
    confidence : ndarray of float64, shape (N,)
    outlier : ndarray of bool, shape (N,)
    probability : ndarray of float64, shape (N, K)
    """

    path: Path
    ids: np.ndarray
    objects: np.ndarray
    truth: np.ndarray
    split: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    outlier: np.ndarray
    probability: np.ndarray

    def human(self, split: str) -> np.ndarray:
        """Rows of a split that have a label of people, bool (N,)."""
        return (self.truth >= 0) & (self.split == split)


def read_predictions(path: Path, classes: tuple[str, ...]) -> Predictions:
    """Read the predictions of a survey.

    Raises
    ------
    InputError
        If columns are missing, or classes or numbers are not those of the model.
    """
    chances = [f"p_{name}" for name in classes]
    catalogue = Catalogue(path)
    absent = [name for name in (*_COLUMNS, *chances) if name not in catalogue.columns]
    if absent:
        raise InputError(
            f"{path}: no column {absent[0]!r}; give predictions of surveys.predict by a model of "
            f"the classes {', '.join(classes)}, for images that surveys.label has labelled"
        )
    found = catalogue.read([*_COLUMNS, *chances])
    place = {name: k for k, name in enumerate(classes)}
    unknown = sorted(set(found["predicted"]) - set(place))
    if unknown:
        raise InputError(
            f"{path}: the predicted class {unknown[0]!r} is none of {', '.join(classes)}; predict "
            "again with this model"
        )
    label = found["label"].astype(np.float64)
    people = np.isin(found["label_origin"].astype(str), HUMAN_ORIGINS) & np.isfinite(label)
    if ((label[people] < 0) | (label[people] >= len(classes))).any():
        raise InputError(f"{path}: a label is no number of a class; run surveys.label again")
    return Predictions(
        path=path,
        ids=found["image_id"],
        objects=found["object"],
        truth=np.where(people, label, -1).astype(np.int64),
        split=found["split"].astype(str),
        predicted=np.array([place[name] for name in found["predicted"]], dtype=np.int64),
        confidence=found["confidence"].astype(np.float64),
        outlier=found["domain_outlier"].astype(bool),
        probability=np.stack([found[name].astype(np.float64) for name in chances], axis=1),
    )
