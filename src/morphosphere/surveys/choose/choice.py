"""One round of recursion: which galaxies get the class that a model gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_recursion import RecursionSettings
from morphosphere.errors import InputError
from morphosphere.files import read_json, write_json
from morphosphere.progress import log
from morphosphere.surveys.choose.predictions import Predictions, read_predictions
from morphosphere.surveys.choose.threshold import Threshold, balanced, surest, threshold
from morphosphere.surveys.label.columns import HUMAN_ORIGINS, with_columns

PSEUDO = "pseudo"


def make_choice(
    target: Path,
    predictions: Path,
    calibration: Path,
    previous: Path | None,
    *,
    output: Path,
    path: Path,
    settings: RecursionSettings,
) -> dict[str, Any]:
    """Choose labels, write them into an ImageSet and say so in a JSON file; return its contents.

    Parameters
    ----------
    target : Path
        ImageSet with labels of people.
    predictions : Path
        What the model of the round before says of it.
    calibration : Path
        What the same model says of labelled galaxies; those of validation set the thresholds.
    previous : Path or None
        The choice of the round before.
    output, path : Path
        ImageSet and JSON file to write.
    settings : RecursionSettings

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    former = read_json(previous) if previous else {"round": 0, "chosen": {}, "stop": None}
    with ImageSet(target) as images:
        classes = _classes(images)
        ids = images.column("image_id").astype(object)
        columns = {
            name: images.column(name)
            for name in ("label", "label_weight", "confident_label", "label_origin")
        }
    said = read_predictions(predictions, classes)
    if not np.array_equal(said.ids, ids):
        raise InputError(f"{predictions}: not of the images of {target}; predict them again")
    sample = said if calibration == predictions else read_predictions(calibration, classes)
    limits = thresholds(sample, classes, settings)
    rows, candidates = choose(said, limits, settings)
    if former["stop"]:  # a recursion that has ended does not go on
        rows = rows[:0]
    choice = {
        "round": former["round"] + 1,
        "thresholds": {name: limits[name].at for name in classes},
        "validation": {
            name: {"labels": one.labels, "above": one.above, "purity": one.purity}
            for name, one in limits.items()
        },
        "candidates": dict(zip(classes, candidates)),
        "counts": {name: int((said.predicted[rows] == k).sum()) for k, name in enumerate(classes)},
        "chosen": {
            name: [str(i) for i in ids[rows[said.predicted[rows] == k]]]
            for k, name in enumerate(classes)
        },
    }
    choice |= _compared(choice["chosen"], former["chosen"])
    choice["stop"] = former["stop"] or _stop(choice, settings)
    with_columns(
        target,
        output,
        _labelled(columns, rows, said.predicted, settings.weight),
        attributes={"classes": list(classes), "recursion_round": choice["round"]},
        replace=True,
    )
    write_json(path, choice)
    _say(choice)
    return choice


def thresholds(
    sample: Predictions, classes: tuple[str, ...], settings: RecursionSettings
) -> dict[str, Threshold]:
    """The threshold of each class, from the labelled galaxies of validation."""
    known = sample.human("validation") & ~sample.outlier
    return {
        name: threshold(
            sample.confidence[known & (sample.predicted == k)],
            sample.truth[known & (sample.predicted == k)] == k,
            purity=settings.purity,
            least=settings.least_validation,
        )
        for k, name in enumerate(classes)
    }


def choose(
    said: Predictions, limits: dict[str, Threshold], settings: RecursionSettings
) -> tuple[np.ndarray, list[int]]:
    """Rows that get a label, and how many of each class could have had one.

    They are galaxies of training without a label of people, not unlike those that the model knows.
    """
    least = np.array([np.inf if one.at is None else one.at for one in limits.values()])
    allowed = (
        (said.split == "train")
        & (said.truth < 0)
        & ~said.outlier
        & (said.confidence >= least[said.predicted])
    )
    counts = [int((allowed & (said.predicted == k)).sum()) for k in range(len(limits))]
    most = balanced(counts, most=settings.per_class, imbalance=settings.imbalance)
    return surest(said.confidence, said.predicted, allowed, per_class=most), counts


def _classes(images: ImageSet) -> tuple[str, ...]:
    if "classes" not in images.attributes or "label_origin" not in images.columns:
        raise InputError(
            f"{images.path}: holds no labels; give the target.h5 that surveys.label has written"
        )
    return tuple(str(name) for name in images.attributes["classes"])


def _compared(chosen: dict[str, list[str]], former: dict[str, list[str]]) -> dict[str, float | int]:
    """How many labels are new or other ones, and the share that came, went or changed."""
    now = {(i, name) for name, ids in chosen.items() for i in ids}
    then = {(i, name) for name, ids in former.items() for i in ids}
    either = {i for i, _ in now | then}
    unlike = {i for i, _ in now ^ then}
    return {"new": len(now - then), "changed": len(unlike) / max(1, len(either))}


def _stop(choice: dict[str, Any], settings: RecursionSettings) -> str | None:
    """Why the recursion ends before this round is trained; None if it does not."""
    if choice["round"] > settings.rounds:
        return f"{settings.rounds} rounds are done"
    if without := [name for name, at in choice["thresholds"].items() if at is None]:
        facts = choice["validation"][without[0]]
        return (
            f"no threshold for {without[0]}: of {facts['labels']} labelled galaxies of validation "
            f"that are predicted to be of it, the surest are not right in {settings.purity:.0%} of "
            f"at least {settings.least_validation}"
        )
    if none := [name for name, n in choice["counts"].items() if not n]:
        return f"no galaxy without a label is surely {none[0]}"
    if choice["new"] < settings.least_new:
        return f"{choice['new']} new labels, fewer than {settings.least_new}"
    if choice["changed"] < settings.least_change:
        return (
            f"{choice['changed']:.1%} of the labels changed, less than {settings.least_change:.1%}"
        )
    return None


def _labelled(
    columns: dict[str, np.ndarray], rows: np.ndarray, predicted: np.ndarray, weight: float
) -> dict[str, np.ndarray]:
    """Columns of labels with those of the rows; what earlier rounds gave is taken away."""
    out = {name: values.copy() for name, values in columns.items()}
    origin = out["label_origin"].astype(object)
    others = ~np.isin(origin.astype(str), HUMAN_ORIGINS)
    out["label"][others] = np.nan
    out["confident_label"][others] = np.nan
    out["label_weight"][others] = 1
    origin[others] = ""
    out["label"][rows] = predicted[rows]
    out["label_weight"][rows] = weight
    out["confident_label"][rows] = 0
    origin[rows] = PSEUDO
    out["label_origin"] = origin
    return out


def _say(choice: dict[str, Any]) -> None:
    counts = ", ".join(
        f"{name} {n} of {choice['candidates'][name]}" for name, n in choice["counts"].items()
    )
    limits = ", ".join(
        f"{name} {'none' if at is None else f'{at:.3f}'}"
        for name, at in choice["thresholds"].items()
    )
    log(
        f"round {choice['round']}: labels of the surest: {counts} (thresholds: {limits}); "
        f"{choice['new']} are new, {choice['changed']:.0%} changed"
    )
    if choice["stop"]:
        log(f"the recursion ends before round {choice['round']}: {choice['stop']}")
