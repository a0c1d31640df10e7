"""From the predictions of all rounds to the model that is kept, and what is said of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.config.survey_recursion import RecursionSettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_directory, read_json, write_json
from morphosphere.progress import log
from morphosphere.surveys.choose.predictions import Predictions, read_predictions
from morphosphere.surveys.settle.scores import Said, difference, gain_interval, scores


def settle(
    predictions: Sequence[Path],
    models: Sequence[Path],
    choices: Sequence[Path],
    output: Path,
    *,
    settings: RecursionSettings,
    seed: int,
    rounds: int | None = None,
) -> dict[str, Any]:
    """Score all rounds, keep one, write its model and ``recursion.json``; return the latter.

    Parameters
    ----------
    predictions, models : sequence of Path
        Of each round, from 0.
    choices : sequence of Path
        Of each round from 1, and perhaps of one that was not trained.
    output : Path
        Folder.
    settings : RecursionSettings
    seed : int
        Of the bootstrap.
    rounds : int, optional
        Number of rounds after round 0.

    Raises
    ------
    InputError
        If the numbers of files differ, or predictions are not of the same galaxies with the same
        labels.
    """
    _check_numbers(predictions, models, choices, rounds)
    classes = _classes(models)
    made = [read_json(path) for path in choices]
    validation, test = _all_said(predictions, classes)
    scored = [
        {
            "round": number,
            "validation": scores(validation[number]),
            "test": scores(test[number]),
            "labels_added": made[number - 1]["counts"] if number else {},
        }
        for number in range(len(predictions))
    ]
    kept = best_round(validation, scored, settings.margin)
    report = {
        "kept": kept,
        "classes": list(classes),
        "rounds": scored,
        "before": scored[0]["test"],
        "after": scored[-1]["test"],
        "gain": _gain(test, settings, seed),
        "worse": _worse(scored),
        "worse_on_test": _worse_on_test(scored),
        "loss_difference": _last_against_first(validation, scored),
        "stop": next((one["stop"] for one in made if one["stop"]), None),
    }
    report["said"] = _words(report)
    with atomic_directory(output / "model") as folder:
        shutil.copytree(models[kept], folder, dirs_exist_ok=True)
    write_json(output / "recursion.json", report)
    log(f"recursion: {report['said']}")
    return report


def best_round(validation: Sequence[Said], scored: list[dict[str, Any]], margin: float) -> int:
    """The round that is kept; each round's ``compared`` gets what it was judged by.

    A round takes the place of an earlier one if its balanced log-loss on validation is lower by
    `margin` standard errors of the difference, and no less is told rightly there. Without
    labelled galaxies of two classes in validation, nothing can be judged, and round 0 is kept.
    """
    kept = 0
    for number in range(1, len(validation)):
        if scored[number]["validation"]["balanced_log_loss"] is None:
            continue
        found = difference(validation[number], validation[kept])
        scored[number]["compared"] = {
            "with_round": kept,
            "loss_difference": found.mean,
            "standard_error": found.error if np.isfinite(found.error) else None,
        }
        lower = found.mean < 0 and found.mean <= -margin * found.error
        right = [scored[k]["validation"]["balanced_accuracy"] for k in (kept, number)]
        if lower and right[1] >= right[0]:
            kept = number
    return kept


def _check_numbers(
    predictions: Sequence[Path], models: Sequence[Path], choices: Sequence[Path], rounds: int | None
) -> None:
    later = len(predictions) - 1
    if len(models) != len(predictions) or not later <= len(choices) <= later + 1:
        raise InputError(
            f"{len(predictions)} predictions, {len(models)} models and {len(choices)} choices: "
            "give one of each for every round, and no choice for the first"
        )
    if rounds is not None and rounds != later:
        raise InputError(f"predictions of {later} rounds after the first, not of {rounds}")


def _classes(models: Sequence[Path]) -> tuple[str, ...]:
    named = [tuple(read_json(path / "model.json").get("classes") or ()) for path in models]
    if not named[0]:
        raise InputError(f"{models[0]}: no model of classes; give the models of the rounds")
    for path, names in zip(models, named):
        if names != named[0]:
            raise InputError(
                f"{path}: a model of the classes {', '.join(names)}, but {models[0]} tells "
                f"{', '.join(named[0])}; train all rounds with the same"
            )
    return named[0]


def _all_said(
    predictions: Sequence[Path], classes: tuple[str, ...]
) -> tuple[list[Said], list[Said]]:
    """What every round says of the labelled galaxies of validation, and of those of test."""
    validation, test = [], []
    first = read_predictions(predictions[0], classes)
    if not first.human("test").any():
        log(f"{predictions[0]}: no labelled galaxy is in the test set, so that nothing is scored")
    for path in predictions:
        found = first if path == predictions[0] else read_predictions(path, classes)
        for what, there, here in (
            ("images", first.ids, found.ids),
            ("labels", first.truth, found.truth),
            ("splits", first.split, found.split),
        ):
            if not np.array_equal(there, here):
                raise InputError(
                    f"{path}: other {what} than {predictions[0]}; rounds are compared on the same "
                    "images, so predict the same file with every model"
                )
        validation.append(_said(found, "validation"))
        test.append(_said(found, "test"))
    return validation, test


def _said(found: Predictions, split: str) -> Said:
    rows = found.human(split)
    return Said(
        found.truth[rows], found.predicted[rows], found.probability[rows], found.objects[rows]
    )


def _gain(test: Sequence[Said], settings: RecursionSettings, seed: int) -> dict[str, Any]:
    """How much balanced accuracy on the test set the last round gains over the first."""
    first, last = scores(test[0])["balanced_accuracy"], scores(test[-1])["balanced_accuracy"]
    none = first is None or last is None
    interval = gain_interval(test[0], test[-1], draws=settings.bootstrap, seed=seed)
    return {
        "balanced_accuracy": None if none else last - first,
        "interval": None if none or interval is None else list(interval),
    }


def _last_against_first(
    validation: Sequence[Said], scored: list[dict[str, Any]]
) -> dict[str, float | None] | None:
    """Balanced log-loss on validation of the last round minus that of the first."""
    if len(validation) < 2 or scored[-1]["validation"]["balanced_log_loss"] is None:
        return None
    found = difference(validation[-1], validation[0])
    error = found.error if np.isfinite(found.error) else None
    return {"mean": found.mean, "standard_error": error}


def _worse(scored: list[dict[str, Any]]) -> bool:
    """Whether the last round has a higher loss on validation than the first."""
    first, last = (scored[k]["validation"]["balanced_log_loss"] for k in (0, -1))
    return first is not None and last is not None and last > first


def _worse_on_test(scored: list[dict[str, Any]]) -> bool:
    """Whether the last round tells less of the test galaxies rightly than the first."""
    first, last = (scored[k]["test"]["balanced_accuracy"] for k in (0, -1))
    return first is not None and last is not None and last < first


def _words(report: dict[str, Any]) -> str:
    rounds, kept = report["rounds"], report["kept"]
    if len(rounds) == 1:
        why = f": {report['stop']}" if report["stop"] else ""
        return f"no round was trained{why}; the first model is kept"
    last = len(rounds) - 1
    judged = [one["validation"]["balanced_log_loss"] for one in (rounds[0], rounds[-1])]
    if None in judged:
        said = "validation has no labelled galaxies of two classes to judge the rounds by"
    else:
        change = "rose" if judged[1] > judged[0] else "fell"
        said = (
            f"the balanced log-loss on validation {change} from {judged[0]:.4f} to {judged[1]:.4f} "
            f"in {last} round{'s' * (last > 1)}"
        )
        if (error := report["loss_difference"]["standard_error"]) is not None:
            said += f" (standard error of the difference {error:.4f})"
        if report["worse"]:
            said = f"recursion made the model worse: {said}"
    first, after = (one["balanced_accuracy"] for one in (report["before"], report["after"]))
    if first is not None and after is not None:
        said += (
            f"; balanced accuracy on the same {report['before']['n']} test images: {first:.4f} "
            f"before, {after:.4f} after"
        )
        if report["worse_on_test"]:
            said += ": worse, though the test images decide nothing"
    if kept == last:
        return f"{said}; the last round is kept"
    no_better = "" if report["worse"] else " (none of the later ones is clearly better)"
    return f"{said}; the model of round {kept} is kept{no_better}"
