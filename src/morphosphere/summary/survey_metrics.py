"""The metrics of a survey: what is measured of the same images stands in one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from morphosphere.summary.html import Markup, table, text
from morphosphere.summary.values import number, quiet, sections_of, with_interval

#: Measures of a classification, and what they mean.
_MEASURES = {
    "accuracy": ("Accuracy", "Share of images whose class is told rightly."),
    "balanced_accuracy": (
        "Balanced accuracy",
        "The same in each class, averaged over classes: a rare class counts as much as a common "
        "one.",
    ),
    "precision": ("Precision", "Of the images told to be of a class, the share that is (purity)."),
    "recall": ("Recall", "Of the images of a class, the share told to be (completeness)."),
    "f1": ("F1", "Harmonic mean of precision and recall."),
    "roc_auc": (
        "ROC AUC",
        "Chance that an image of a class has a higher probability of it than one of another class.",
    ),
    "ece": (
        "Calibration error",
        "Expected calibration error: how far the share of right predictions is from what "
        "probabilities say.",
    ),
    "ece_if_calibrated": (
        "… by chance",
        "Calibration error that right probabilities would have on as many images.",
    ),
    "ece_before_temperature": (
        "… uncalibrated",
        "Calibration error before probabilities were calibrated on images of validation.",
    ),
    "log_loss": ("Log-loss", "Mean of -ln of the probability of the true class."),
}
#: Images that measures are told of, and what they are.
_PARTS = {
    "": ("All", "All test images that have a label; none had a part in any choice."),
    "confident_half": (
        "Confident half",
        "Of the images told to be of each class, the half with the higher probability.",
    ),
    "high_confidence": (
        "Confident labels",
        "Test images whose label passes the cut transfer.label.confident.",
    ),
    "first_model": (
        "Labelled survey's model",
        "The same test images (or some of them), told by the model that has seen the labelled "
        "survey alone.",
    ),
}
_TYPES = {
    "type_mae": ("Mean absolute error", "Of the type, the median of its posterior."),
    "type_mae_median_of_training": (
        "… of one answer",
        "That of always saying the median type of the training images.",
    ),
}
_KINDS = {"transferred": "labelled survey's model", "scratch": "scratch"}
_DOUBTS = {
    "confidence": "low probability of the told class",
    "spread": "large spread over the ensemble or dropout",
    "domain_distance": "large distance from the training images",
}
_GROUPS = {
    "training": "labelled survey, trained on",
    "labelled": "labelled survey, other images",
    "target": "target survey",
}


def is_of_survey(metrics: dict[str, Any]) -> bool:
    """Whether metrics are those of labels carried to another survey."""
    return {"per_class", "confident_half", "learning_curve"} <= metrics.keys()


def survey_sections(metrics: dict[str, Any]) -> tuple[list[str], set[str]]:
    """The sections of a survey's page, and the keys of `metrics` that they tell."""
    return sections_of(metrics, _sections(metrics))


def _sections(metrics: dict[str, Any]) -> Iterator[tuple[str, set[str], Iterable[str]]]:
    whole = {*_MEASURES, "n", "objects", "intervals", *_PARTS} - {""}
    yield "Test images", whole, _whole(metrics)
    yield "Classes", {"per_class"}, _per_class(metrics)
    yield "Type", set(_TYPES), _types(metrics)
    yield "Learning curve", {"learning_curve"}, _curve(metrics.get("learning_curve") or {})
    for name in ("brightness", "size"):
        key = f"by_{name}"
        yield f"By {name}", {key}, _strata(name, metrics.get(key) or {})
    yield "Recursive training", {"recursion"}, _recursion(metrics.get("recursion") or {})
    yield "Distance from the training images", {"domain"}, _domain(metrics.get("domain") or {})
    yield "What tells wrong predictions", {"doubt"}, _doubt(metrics.get("doubt") or {})
    yield "Catalogue and training", {"catalogue", "train_seconds"}, _catalogue(metrics)


def _parts(metrics: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Measures and intervals of each group of images that there is."""
    intervals = metrics.get("intervals") or {}
    found = {}
    for key in _PARTS:
        part = metrics if not key else metrics.get(key)
        if part:
            found[key] = (part, part.get("intervals", intervals.get(key, {})) if key else intervals)
    return found


def _whole(metrics: dict[str, Any]) -> Iterator[str]:
    parts = _parts(metrics)
    rows: list[list[Any]] = [
        [title, *(number(part.get(key)) for part, _ in parts.values()), ""]
        for key, title in (("n", "Images"), ("objects", "Galaxies"))
    ]
    for key, (title, about) in _MEASURES.items():
        cells = [
            with_interval(part[key], within.get(key)) if key in part else ""
            for part, within in parts.values()
        ]
        if any(cells):
            rows.append([title, *cells, about])
    head = ["", *(_PARTS[key][0] for key in parts), "What it is"]
    yield table(head, rows, numbers=range(1, len(parts) + 1))
    yield from _meanings(_PARTS[key] for key in parts)
    yield quiet(
        "In brackets: 95 % intervals, by drawing galaxies anew (bootstrap). With several classes, "
        "precision, recall, F1 and ROC AUC are means over them."
    )


def _per_class(metrics: dict[str, Any]) -> Iterator[str]:
    names = ("precision", "recall", "f1", "roc_auc")
    rows = []
    for key, (part, within) in _parts(metrics).items():
        for label, found in (part.get("per_class") or {}).items():
            ends = (within.get("per_class") or {}).get(label, {})
            cells = [with_interval(found.get(name), ends.get(name)) for name in names]
            rows.append([_PARTS[key][0], label, number(found.get("n")), *cells])
    head = ["Images", "Class", "Number", *(_MEASURES[name][0] for name in names)]
    yield table(head, rows, numbers=range(2, len(head)))


def _types(metrics: dict[str, Any]) -> Iterator[str]:
    within = metrics.get("intervals") or {}
    rows = [
        [title, with_interval(metrics.get(key), within.get(key)), about]
        for key, (title, about) in _TYPES.items()
    ]
    yield table(["", "All", "What it is"], rows, numbers=[1])


def _curve(curve: dict[str, Any]) -> Iterator[str]:
    points = [
        (int(labels), kind, found)
        for kind, those in curve.items()
        for labels, found in those.items()
    ]
    if not points:
        return
    names = ("balanced_accuracy", "roc_auc", "ece", "log_loss")
    order = list(curve)
    rows = []
    for labels, kind, found in sorted(points, key=lambda one: (one[0], order.index(one[1]))):
        within = found.get("intervals") or {}
        cells = [with_interval(found.get(name), within.get(name)) for name in names]
        spread = found.get("balanced_accuracy_std")
        repeats = [number(found.get("repeats")), number(spread)]
        rows.append([labels, _KINDS.get(kind, kind), number(found.get("n")), *cells, *repeats])
    head = ["Labels", "Begun from", "Images", *(_MEASURES[name][0] for name in names)]
    head += ["Repeats", "Their scatter"]
    if all(row[-1] == "–" for row in rows):
        rows, head = [row[:-2] for row in rows], head[:-2]
    numbers = [0, *range(2, len(head))]
    yield quiet(
        "How good models become that see so many labels in training, on test images; intervals are "
        "of the images, not of the choice of labels."
    )
    yield table(head, rows, numbers=numbers)


def _strata(name: str, groups: dict[str, Any]) -> Iterator[str]:
    if not groups:
        return
    names = ("accuracy", "balanced_accuracy")
    rows = []
    for label, found in groups.items():
        within = found.get("intervals") or {}
        cells = [with_interval(found.get(key), within.get(key)) for key in names]
        rows.append([label, number(found.get("median")), number(found.get("n")), *cells])
    head = [name.capitalize(), "Median", "Images", *(_MEASURES[key][0] for key in names)]
    yield table(head, rows, numbers=range(1, len(head)))


def _recursion(found: dict[str, Any]) -> Iterator[str]:
    before, after = found.get("before"), found.get("after")
    if not before or not after:
        return
    titles = {"n": "Images", "balanced_log_loss": "Log-loss, classes alike"}
    rows = [
        [
            titles.get(key) or _MEASURES.get(key, (key.replace("_", " "), ""))[0],
            with_interval(before[key], None),
            with_interval(after.get(key), None),
        ]
        for key in before
        if not isinstance(before[key], (dict, list))
    ]
    yield table(["", "Before", "After"], rows, numbers=[1, 2])
    if found.get("said"):
        yield f"<p>{text(found['said'][:1].upper() + found['said'][1:])}.</p>"
    yield quiet(
        "Both on the same test images: by the model before any round, and by that of the last "
        f"round. Which one is kept ({_round(found.get('kept'))}) is decided on images of "
        f"validation. Worse: {number(found.get('worse'))}."
    )


def _domain(found: dict[str, Any]) -> Iterator[str]:
    rows = [
        [_GROUPS.get(key, key), number(part["n"]), _share(part["outliers"]),
         number(part["median_distance"])]
        for key, part in found.items()
        if isinstance(part, dict)
    ]  # fmt: skip
    yield table(["", "Images", "Beyond the limit", "Median distance"], rows, numbers=[1, 2, 3])
    yield quiet(
        f"The limit is {number(found.get('limit'))}: it holds nearly all validation images of the "
        "model's last training, and what is beyond looks unlike them. A model that is adapted to "
        "the target can find images of the labelled survey strange."
    )


def _doubt(found: dict[str, Any]) -> Iterator[str]:
    rows = [[_DOUBTS.get(key, key), number(value)] for key, value in found.items()]
    yield table(["", "ROC AUC"], rows, numbers=[1])
    yield quiet("1: wrong predictions are those with the largest; 0.5: it says nothing of them.")


def _catalogue(metrics: dict[str, Any]) -> Iterator[str]:
    found = metrics.get("catalogue") or {}
    rows = [
        ["Galaxies in the catalogue", _grouped(found.get("rows"))],
        *(
            [f"told to be {name}", _grouped(count)]
            for name, count in (found.get("predicted") or {}).items()
        ),
        ["Median probability of the told class", number(found.get("median_confidence"))],
        ["Training in seconds", number(metrics.get("train_seconds"))],
    ]
    yield table(["", "Value"], rows, numbers=[1])


def _meanings(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = (f"<b>{text(title)}</b>: {text(about)}" for title, about in parts)
    yield Markup(f"<p class='quiet'>{'<br>'.join(lines)}</p>")


def _round(number_of: int | None) -> str:
    return "not known" if number_of is None else f"round {number_of}" if number_of else "the first"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _grouped(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
