"""What is missing in the metrics of a classifier, and why."""

from __future__ import annotations

from typing import Any

from morphosphere.surveys.evaluate import scores
from morphosphere.surveys.evaluate.ordinal import Typed
from morphosphere.surveys.evaluate.scored import Scored


def notes(
    metrics: dict[str, Any], scored: Scored, typed: Typed, *, curve: bool, first: bool
) -> dict[str, str]:
    """What is missing in the metrics, and why: {key: reason}.

    `curve` and `first` say whether models of the learning curve, and of the labelled survey, were
    given.
    """
    found = {}
    for prefix, (part, words) in {
        "": (scored, "test images with a label"),
        "high_confidence.": (scored.take(scored.confident), "high-confidence test images"),
        "confident_half.": (scored.take(scores.confident_half(scored)), "more confident half"),
    }.items():
        found |= {prefix + name: why for name, why in scores.reasons(part, words).items()}
        if metrics["intervals"] and (why := scores.without_error(part, words)):
            found[f"intervals.{prefix}".rstrip(".")] = why
    if metrics["ece_before_temperature"] is None:
        found["ece_before_temperature"] = found["ece"]
    if metrics["type_mae"] is None:
        found["type_mae"] = (
            "no true type of the test images is known" if typed.said
            else "the model tells no type (transfer.label.type and learn.type are to be set)"
        )  # fmt: skip
    if metrics["type_mae_median_of_training"] is None:
        found["type_mae_median_of_training"] = found.get(
            "type_mae", "no type of the training images is known"
        )
    if metrics["recursion"]["kept"] is None:
        found["recursion"] = "recursive training was not run"
    if not curve:
        found["learning_curve"] = "no models were trained on fewer labels"
    elif not len(scored):
        found["learning_curve"] = found["accuracy"]
    if metrics["first_model"] is None:
        found["first_model"] = (
            found["accuracy"] if first
            else "the model is that of the labelled survey, or the latter is not given"
        )  # fmt: skip
    elif why := _no_better(metrics):
        found["first_model"] = why
    if metrics["train_seconds"] is None:
        found["train_seconds"] = "the tables of the trainings are not given, or not there"
    for name in ("by_brightness", "by_size"):
        if not metrics[name]:
            found[name] = "too few test images with a known value"
    if None in metrics["doubt"].values():
        found["doubt"] = "no test image is told wrongly, or each is: nothing to tell apart"
    return found


def _no_better(metrics: dict[str, Any]) -> str | None:
    """What to say if the model of the labelled survey is as good as the one that is kept."""
    first, kept = (one["balanced_accuracy"] for one in (metrics["first_model"], metrics))
    if first is None or kept is None or first < kept:
        return None
    return (
        f"the model of the labelled survey as it is has a balanced accuracy of {first:.4f} on "
        f"{metrics['first_model']['n']} test images, the one that is kept {kept:.4f} on "
        f"{metrics['n']}: labels of the target have not made it better"
    )
