"""The learning curve: models trained on few labels, scored on the same test images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.progress import progress
from morphosphere.surveys.evaluate.photometry import pieces
from morphosphere.surveys.evaluate.scored import Scored
from morphosphere.surveys.evaluate.scores import NAMES, measure
from morphosphere.surveys.reading import ClassModel

#: How a model of the curve was begun.
KINDS = ("transferred", "scratch")


@dataclass(frozen=True)
class Point:
    """A model of the learning curve: how it was begun, labels it has seen, its bundle."""

    kind: str
    labels: int
    model: Path


def parse_point(text: str) -> Point:
    """A point given as ``KIND:N=BUNDLE``.

    Raises
    ------
    ConfigError
        If it is not of that form.
    """
    name, equals, model = text.partition("=")
    kind, _, number = name.partition(":")
    if not equals or not model or kind not in KINDS or not number.isdigit() or int(number) < 1:
        raise ConfigError(
            f"--curve {text}: expected KIND:N=BUNDLE, with KIND one of {', '.join(KINDS)} and N "
            "the number of labels"
        )
    return Point(kind, int(number), Path(model))


def measure_curve(
    points: list[Point],
    images: ImageSet,
    scored: Scored,
    settings: SurveyEvaluateSettings,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Scores of the models of a learning curve.

    Models with the same kind and number of labels are repeats: their means are told, with
    ``repeats`` and the standard deviation ``balanced_accuracy_std``, and intervals are those of
    the first.

    Returns
    -------
    dict
        {kind: {number of labels as text: {n, accuracy, …, intervals}}}, in order of the numbers.

    Raises
    ------
    InputError
        If a model has other classes than the predictions.
    """
    chosen = some(scored, settings.curve_images, seed)
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    with progress("score the learning curve", len(points)) as advance:
        for point in sorted(points, key=lambda p: (KINDS.index(p.kind), p.labels, str(p.model))):
            said = reread(ClassModel.load(point.model), images, chosen, settings.views)
            found = measure(said, bins=settings.bins, bootstrap=settings.bootstrap, seed=seed)
            groups.setdefault((point.kind, point.labels), []).append(found)
            advance(1)
    out: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for (kind, number), found in groups.items():
        out[kind][str(number)] = _mean(found)
    return out


def reread(network: ClassModel, images: ImageSet, scored: Scored, views: int) -> Scored:
    """What another model says of the same images.

    Raises
    ------
    InputError
        If it has other classes.
    """
    if network.classes != scored.classes:
        raise InputError(
            f"{network.bundle.path}: a model of the classes {', '.join(network.classes)}, but the "
            f"predictions are of {', '.join(scored.classes)}; train it again"
        )
    network.check_channels(images)
    probability, predicted = [], []
    for part in pieces(images, scored.rows, chunk=64):
        reading = network.read(network.bundle.transform(part), views)
        probability.append(reading.probability)
        predicted.append(reading.predicted)
    values = {name: getattr(scored, name) for name in scored.__dataclass_fields__}
    values["probability"] = np.concatenate(probability)
    values["predicted"] = np.concatenate(predicted)
    return Scored(**values)


def some(scored: Scored, count: int, seed: int) -> Scored:
    """At most `count` of the images, by chance."""
    if len(scored) <= count:
        return scored
    chosen = np.random.default_rng(seed).permutation(len(scored))[:count]
    return scored.take(np.sort(chosen))


def _mean(found: list[dict[str, Any]]) -> dict[str, Any]:
    out = {name: found[0][name] for name in ("n", "objects")}
    for name in NAMES:
        values = [one[name] for one in found if one[name] is not None]
        out[name] = float(np.mean(values)) if values else None
    if len(found) > 1:
        values = [one["balanced_accuracy"] for one in found if one["balanced_accuracy"] is not None]
        out["balanced_accuracy_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    out["repeats"] = len(found)
    out["intervals"] = {k: v for k, v in found[0]["intervals"].items() if k != "per_class"}
    return out
