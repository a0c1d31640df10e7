"""Accuracy by brightness and by size of the test images."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.errors import ConfigError
from morphosphere.surveys.evaluate.bootstrap import drawn_scores, interval
from morphosphere.surveys.evaluate.photometry import measure_images
from morphosphere.surveys.evaluate.scored import Scored
from morphosphere.surveys.evaluate.scores import scores

#: Measures that groups have.
_NAMES = ("accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Stratum:
    """What test images are grouped by.

    Attributes
    ----------
    name : str
        "brightness" or "size".
    words : str
        What it is, with the unit.
    values : ndarray, shape (n,)
        NaN where not known.
    """

    name: str
    words: str
    values: np.ndarray


def read_strata(
    images: ImageSet, rows: np.ndarray, settings: SurveyEvaluateSettings
) -> tuple[Stratum, Stratum]:
    """Brightness and size of images: columns if the settings name them, else as measured.

    Raises
    ------
    ConfigError
        If a column does not exist or holds no numbers.
    """
    measured = (np.empty(0), np.empty(0))
    if settings.brightness is None or settings.size is None:
        measured = measure_images(images, rows)
    unit = images.attributes.get("unit") or "unit of the pixels"
    ends = ("flux measured on the image", f"{unit}"), ("half-light radius on the image", "pixel")
    found = []
    for k, (name, (words, unit)) in enumerate(zip(("brightness", "size"), ends)):
        column = getattr(settings, name)
        values = measured[k]
        if column is not None:
            values = _column(images, column, f"transfer.evaluate.{name}")[rows]
            words, unit = column.replace("_", " "), images.column_attributes(column).get("unit")
        found.append(Stratum(name, f"{words} [{unit}]" if unit else words, values))
    return found[0], found[1]


def _column(images: ImageSet, name: str, key: str) -> np.ndarray:
    if name not in images.columns:
        near = get_close_matches(name, images.columns, n=3, cutoff=0.4) or images.columns
        raise ConfigError(
            f"{key}: {images.path} has no column {name!r}; nearest: {', '.join(near)}"
        )
    values = images.column(name)
    if values.dtype.kind not in "fiu":
        raise ConfigError(f"{key}: the column {name!r} of {images.path} holds no numbers")
    return values.astype(np.float64)


def measure_strata(
    scored: Scored, stratum: Stratum, settings: SurveyEvaluateSettings, seed: int
) -> dict[str, dict[str, Any]]:
    """Accuracies of groups of equally many images, from the lowest value to the highest.

    Returns
    -------
    dict
        "<low> to <high>" to {``low``, ``high``, ``median`` (of the values), ``n``, ``accuracy``,
        ``balanced_accuracy`` (None where one class only occurs), ``intervals``}. Groups of fewer
        than ``least`` images are left out.
    """
    known = np.flatnonzero(np.isfinite(stratum.values))
    order = known[np.argsort(stratum.values[known], kind="stable")]
    number = max(1, min(settings.groups, len(order) // settings.least))
    out: dict[str, dict[str, Any]] = {}
    for rows in np.array_split(order, number):
        if len(rows) < settings.least:
            continue
        values = stratum.values[rows]
        part = scored.take(rows)
        given = (part.truth, part.probability, part.predicted)
        told = scores(*given, settings.bins)
        about: dict[str, Any] = {
            "low": float(values[0]),
            "high": float(values[-1]),
            "median": float(np.median(values)),
            "n": len(rows),
        }
        about |= {name: told[name] if np.isfinite(told[name]) else None for name in _NAMES}
        if settings.bootstrap:
            drawn = drawn_scores(
                *given, part.objects, bins=settings.bins, number=settings.bootstrap, seed=seed
            )
            about["intervals"] = {name: interval(drawn[name]) for name in _NAMES}
        out[_unique(f"{values[0]:.3g} to {values[-1]:.3g}", out)] = about
    return out


def _unique(name: str, taken: dict[str, Any]) -> str:
    number = 2
    new = name
    while new in taken:  # values so near that they read the same
        new, number = f"{name} ({number})", number + 1
    return new
