"""Which images are the most and the least certain of each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.pictures import rgb
from morphosphere.surveys.evaluate.photometry import pieces
from morphosphere.surveys.evaluate.scored import Scored, Survey, take_column

#: Candidates for each place in a row: an object is shown once, with however many images.
_PER_PLACE = 12


@dataclass(frozen=True)
class Sheet:
    """A row of pictures.

    Attributes
    ----------
    title : str
    pictures : list of ndarray of uint8, shape (S, S, 3)
    captions : list of str
    wrong : list of bool or None
        Whether the predicted class is not the known one; None where it is not known.
    """

    title: str
    pictures: list[np.ndarray]
    captions: list[str]
    wrong: list[bool | None]


def extremes(
    predicted: np.ndarray,
    confidence: np.ndarray,
    classes: tuple[str, ...],
    count: int,
    objects: Callable[[np.ndarray], np.ndarray],
    strange: np.ndarray | None = None,
) -> list[tuple[str, np.ndarray]]:
    """The most and the least confident predictions of each class, each object once.

    Parameters
    ----------
    predicted : ndarray of int, shape (n,)
    confidence : ndarray, shape (n,)
    classes : tuple of str
    count : int
        Images in a row, at most.
    objects : callable
        Gives the objects (m,) of some places in the arrays.
    strange : ndarray of bool, shape (n,), optional
        Images that come after all others, as those unlike training: no confidence counts there.

    Returns
    -------
    list of (title, places)
        Classes that nothing is predicted to be have no rows.
    """
    found = []
    last = np.zeros(len(predicted), bool) if strange is None else strange
    for k, name in enumerate(classes):
        members = np.flatnonzero((predicted == k) & np.isfinite(confidence))
        if not len(members):
            continue
        down = members[np.lexsort((-confidence[members], last[members]))]
        up = members[np.lexsort((confidence[members], last[members]))]
        most = _each_once(down[: count * _PER_PLACE], objects, count)
        least = _each_once(up[: count * _PER_PLACE], objects, count)
        found.append((f"{name}\nmost certain", most))
        found.append((f"{name}\nleast certain", least))
    return found


def _each_once(
    rows: np.ndarray, objects: Callable[[np.ndarray], np.ndarray], count: int
) -> np.ndarray:
    _, first = np.unique(objects(rows).astype(str), return_index=True)
    return rows[np.sort(first)[:count]]


def pictures_of(images: ImageSet, rows: np.ndarray, transform: Transform) -> list[np.ndarray]:
    """Images at `rows` as the network sees them, as pictures (S, S, 3)."""
    return [picture for part in pieces(images, rows) for picture in rgb(transform(part))]


def sheets_of_test(
    images: ImageSet, scored: Scored, transform: Transform, count: int
) -> list[Sheet]:
    """Sheets of the test images, with the true class where another one is told."""

    def caption(k: int) -> str:
        words = f"{scored.confidence[k]:.3f}"
        return words if scored.right[k] else f"{words}\nis {scored.classes[scored.truth[k]]}"

    found = extremes(
        scored.predicted, scored.confidence, scored.classes, count, lambda at: scored.objects[at]
    )
    return [
        Sheet(
            title,
            pictures_of(images, scored.rows[at], transform),
            [caption(k) for k in at],
            [not scored.right[k] for k in at],
        )
        for title, at in found
    ]


def sheets_of_target(
    images: ImageSet, catalogue: Catalogue, survey: Survey, transform: Transform, count: int
) -> list[Sheet]:
    """Sheets of the images of a survey that have no label, those unlike training last."""
    rows = np.flatnonzero(~survey.human)
    found = extremes(
        survey.predicted[rows],
        survey.confidence[rows],
        survey.classes,
        count,
        lambda at: take_column(catalogue, "object", rows[at]),
        survey.outlier[rows],
    )
    sheets = []
    for title, at in found:
        chosen = rows[at]
        captions = [
            f"{survey.confidence[k]:.3f}" + ("\nunlike training" if survey.outlier[k] else "")
            for k in chosen
        ]
        pictures = pictures_of(images, chosen, transform)
        sheets.append(Sheet(title, pictures, captions, [None] * len(chosen)))
    return sheets
