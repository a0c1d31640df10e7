"""Galaxies of a survey as the check without labels sees them: features, and what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import InputError

#: Columns without which there is nothing to look at.
NEEDED = ("image_id", "features", "predicted", "confidence", "split")
#: Origins of labels that people gave; pseudo-labels are predictions.
BY_PEOPLE = ("survey", "match")
#: Galaxies below which no structure can be found.
LEAST = 12


@dataclass(frozen=True)
class Members:
    """Galaxies of a survey, in the order of its predictions.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the predictions.
    features : ndarray of float32, shape (n, F)
    predicted : ndarray of int, shape (n,)
        Index of the predicted class.
    label : ndarray of int, shape (n,)
        Index of the class that people gave; -1 where none is known.
    confidence : ndarray of float32, shape (n,)
    test : ndarray of bool, shape (n,)
        Whether the galaxy had no part in training.
    """

    rows: np.ndarray
    features: np.ndarray
    predicted: np.ndarray
    label: np.ndarray
    confidence: np.ndarray
    test: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def class_names(images: ImageSet) -> list[str]:
    """The classes, in the order of their indices.

    Raises
    ------
    InputError
        If the file does not say them.
    """
    names = [str(name) for name in images.attributes.get("classes", [])]
    if len(names) < 2:
        raise InputError(f"{images.path}: names no classes; make it by surveys.label")
    return names


def open_predictions(path: Path) -> Catalogue:
    """Predictions of a survey.

    Raises
    ------
    InputError
        If they are missing, or lack a column that is needed.
    """
    catalogue = Catalogue(path)
    for name in NEEDED:
        if name not in catalogue.columns:
            raise InputError(f"{path}: no column {name!r}; make it by surveys.predict")
    return catalogue


def human_labels(catalogue: Catalogue) -> np.ndarray:
    """Index of the class that people gave each row, -1 where none is known; shape (N,)."""
    if "label" not in catalogue.columns:
        return np.full(len(catalogue), -1)
    label = catalogue.read(["label"])["label"].astype(np.float64)
    known = np.isfinite(label)
    if "label_origin" in catalogue.columns:
        known &= np.isin(catalogue.read(["label_origin"])["label_origin"].astype(str), BY_PEOPLE)
    return np.where(known, label, -1).astype(np.int64)


def class_codes(catalogue: Catalogue, classes: list[str]) -> np.ndarray:
    """Index of the predicted class of each row, shape (N,).

    Raises
    ------
    InputError
        If a class is predicted that there is not.
    """
    predicted = catalogue.read(["predicted"])["predicted"].astype(str)
    code = np.full(len(predicted), -1)
    for number, name in enumerate(classes):
        code[predicted == name] = number
    if (code < 0).any():
        odd = str(predicted[np.flatnonzero(code < 0)[0]])
        raise InputError(
            f"{catalogue.path}: predicts {odd!r}, which is none of the classes "
            f"{', '.join(classes)}; predict again"
        )
    return code


def draw_members(
    catalogue: Catalogue, classes: list[str], most: int, seed: int
) -> tuple[Members, int]:
    """At most `most` galaxies at random, and the number of rows without finite features.

    Features are read in batches: only those of the drawn galaxies stay in memory.

    Raises
    ------
    InputError
        If fewer than `LEAST` galaxies have finite features.
    """
    total = len(catalogue)
    wanted = np.zeros(total, dtype=bool)
    wanted[np.random.default_rng(seed).permutation(total)[:most]] = True
    rows, features, bad = [], [], 0
    for first, _, batch in feature_batches(catalogue):
        finite = np.isfinite(batch).all(axis=1)
        bad += int((~finite).sum())
        here = np.flatnonzero(wanted[first : first + len(batch)] & finite)
        rows.append(first + here)
        features.append(batch[here])
    kept = np.concatenate(rows)
    if len(kept) < LEAST:
        raise InputError(
            f"{catalogue.path}: {len(kept)} galaxies with finite features; clusters need at "
            f"least {LEAST}"
        )
    table = catalogue.read(["confidence", "split"])
    members = Members(
        rows=kept,
        features=np.concatenate(features),
        predicted=class_codes(catalogue, classes)[kept],
        label=human_labels(catalogue)[kept],
        confidence=table["confidence"][kept].astype(np.float32),
        test=table["split"][kept].astype(str) == "test",
    )
    return members, bad


def feature_batches(
    catalogue: Catalogue, size: int = 8192
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(first row, identifiers (n,), features (n, F) as float32) of all rows, in their order."""
    first = 0
    for batch in catalogue.batches(["image_id", "features"], size):
        yield first, batch["image_id"].astype(str), batch["features"].astype(np.float32, copy=False)
        first += len(batch["features"])
