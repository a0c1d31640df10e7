"""All metrics of a classifier of surveys, and its figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.errors import InputError
from morphosphere.evaluate.figures.style import STYLE
from morphosphere.files import read_json
from morphosphere.learn.table import EpochTable
from morphosphere.progress import log
from morphosphere.surveys.evaluate import calibration, scores
from morphosphere.surveys.evaluate.curve import Point, measure_curve, reread, some
from morphosphere.surveys.evaluate.domain import doubts, measure_domain
from morphosphere.surveys.evaluate.figures import classes, courses, pictures, values
from morphosphere.surveys.evaluate.figures.common import write_figures
from morphosphere.surveys.evaluate.notes import notes
from morphosphere.surveys.evaluate.ordinal import measure_type, read_types, training_types
from morphosphere.surveys.evaluate.scored import (
    Scored,
    Survey,
    open_predictions,
    read_scored,
    read_survey,
    take_column,
)
from morphosphere.surveys.evaluate.sheets import sheets_of_target, sheets_of_test
from morphosphere.surveys.evaluate.strata import Stratum, measure_strata, read_strata
from morphosphere.surveys.reading import ClassModel


@dataclass(frozen=True)
class Given:
    """Files that are evaluated.

    Attributes
    ----------
    model : Path
        ModelBundle of the task ``classes``.
    predictions, images : Path
        Of the survey that is scored.
    labelled : Path, optional
        Predictions of the labelled survey.
    target, target_images : Path, optional
        Of the target survey, where it is not the one that is scored.
    recursion : Path, optional
        recursion.json of the rounds.
    first : Path, optional
        ModelBundle of the labelled survey, that the model was begun from.
    curve : list of Point
    """

    model: Path
    predictions: Path
    images: Path
    labelled: Path | None = None
    target: Path | None = None
    target_images: Path | None = None
    recursion: Path | None = None
    first: Path | None = None
    run: Path | None = None
    curve: list[Point] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """All of them."""
        single = (self.model, self.predictions, self.images, self.labelled, self.target,
                  self.target_images, self.recursion, self.first)  # fmt: skip
        paths = [*single, *(point.model for point in self.curve)]
        return list(dict.fromkeys(path for path in paths if path is not None))


def evaluate(
    given: Given, settings: SurveyEvaluateSettings, folder: Path, seed: int
) -> tuple[dict[str, Any], list[Path]]:
    """Measure and draw.

    Returns
    -------
    metrics : dict
        The contents of ``metrics.json``.
    paths : list of Path
        Of the figures.

    Raises
    ------
    InputError
        If inputs do not belong together.
    """
    model = ClassModel.load(given.model)
    first = other_model(given.first, model)
    found = open_predictions(given.predictions, model.classes)
    surveys = {}
    if given.labelled is not None:
        surveys["labelled"] = open_predictions(given.labelled, model.classes)
    surveys["target"] = open_predictions(given.target or given.predictions, model.classes)
    short = {name: read_survey(catalogue, model.classes) for name, catalogue in surveys.items()}
    scored = read_scored(found, model.classes)
    before = calibration.before(scored, model)
    recursion = read_json(given.recursion) if given.recursion else None
    with ImageSet(given.images) as images, ImageSet(given.target_images or given.images) as other:
        check_same(found, images)
        check_same(surveys["target"], other)
        log(f"evaluate {len(scored)} test images of {len(np.unique(scored.objects))} objects")
        metrics, strata = _measure(given, settings, images, scored, before, seed)
        metrics["first_model"] = measure_first(first, images, scored, settings, seed)
        typed = read_types(found, settings.type_range)
        types = measure_type(typed, _types(surveys, found), bootstrap=settings.bootstrap, seed=seed)
        metrics["intervals"] |= types.pop("intervals")
        metrics |= types
        metrics |= about_recursion(recursion)
        limit = float(model.bundle.info["domain"]["limit"])
        metrics["domain"] = measure_domain(short, limit)
        metrics["doubt"] = doubts(scored)
        metrics["train_seconds"] = train_seconds(given.run, recursion)
        metrics["catalogue"] = about_target(short["target"])
        metrics["notes"] = notes(
            metrics, scored, typed, curve=bool(given.curve), first=first is not None
        )
        for name in sorted(set(metrics["notes"].values())):
            log(f"evaluate: {name}")
        transform, shown = model.bundle.transform, settings.shown
        with rc_context(STYLE):
            drawn = {
                "roc": classes.roc(scored, seed),
                "confusion": classes.confusion(scored),
                "reliability": classes.reliability(before, scored, settings.bins, seed),
                "learning_curve": courses.learning_curve(metrics),
                "strata": courses.strata(strata),
                "recursion": courses.recursion(recursion),
                "type": values.types(typed, metrics),
                "certain": pictures.sheets(
                    sheets_of_test(images, scored, transform, shown),
                    "Test images; framed: told wrongly",
                    "there are no test images with a label",
                ),
                "certain_target": pictures.sheets(
                    sheets_of_target(other, surveys["target"], short["target"], transform, shown),
                    "Images of the target survey without a label",
                    "every image of the target survey has a label",
                ),
                "domain": values.domain(short, limit),
            }
    return metrics, write_figures(drawn, folder, settings.dpi)


def check_same(catalogue: Catalogue, images: ImageSet) -> None:
    """Raise InputError unless predictions are of the images, in their order, as far as is seen."""
    same = len(catalogue) == len(images)
    if same and len(images):
        rows = np.unique(np.linspace(0, len(images) - 1, 5).astype(int))
        theirs = [images.column("image_id", slice(row, row + 1))[0] for row in rows]
        same = take_column(catalogue, "image_id", rows).tolist() == theirs
    if not same:
        raise InputError(
            f"{catalogue.path}: not of the images of {images.path}; predict them again"
        )


def about_recursion(found: dict[str, Any] | None) -> dict[str, Any]:
    """What metrics say of recursive training: scores before and after, and the round kept."""
    names = ("kept", "before", "after", "worse", "said")
    if not found:
        return {"recursion": dict.fromkeys(names)}
    return {
        "recursion": {name: found.get(name) for name in names}
        | {"rounds": len(found.get("rounds") or [])}
    }


def about_target(survey: Survey) -> dict[str, Any]:
    """Rows of the catalogue, and how many are told to be of each class."""
    count = np.bincount(survey.predicted, minlength=len(survey.classes))
    return {
        "rows": len(survey),
        "predicted": dict(zip(survey.classes, count.tolist())),
        "median_confidence": float(np.median(survey.confidence)) if len(survey) else None,
    }


def _measure(
    given: Given,
    settings: SurveyEvaluateSettings,
    images: ImageSet,
    scored: Scored,
    before: Scored,
    seed: int,
) -> tuple[dict[str, Any], list[tuple[Stratum, dict[str, Any]]]]:
    """Scores of the test images, of parts of them, and of the learning curve."""
    how = {"bins": settings.bins, "bootstrap": settings.bootstrap, "seed": seed}
    metrics = scores.measure(scored, **how)
    metrics["ece_before_temperature"] = scores.measure(before, **how | {"bootstrap": 0})["ece"]
    half = scores.confident_half(scored)
    parts = {"confident_half": half, "high_confidence": scored.confident}
    for name, mask in parts.items():
        metrics[name] = scores.measure(scored.take(mask), **how)
        metrics["intervals"][name] = metrics[name].pop("intervals")
    strata = []
    for stratum in read_strata(images, scored.rows, settings):
        groups = measure_strata(scored, stratum, settings, seed)
        metrics[f"by_{stratum.name}"] = groups
        strata.append((stratum, groups))
    points = given.curve if len(scored) else []
    metrics["learning_curve"] = measure_curve(points, images, scored, settings, seed)
    return metrics, strata


def other_model(path: Path | None, model: ClassModel) -> ClassModel | None:
    """The model of the labelled survey, if there is one and it is not the model itself."""
    if path is None:
        return None
    first = ClassModel.load(path)
    return None if first.version == model.version else first


def measure_first(
    first: ClassModel | None,
    images: ImageSet,
    scored: Scored,
    settings: SurveyEvaluateSettings,
    seed: int,
) -> dict[str, Any] | None:
    """Scores of the model of the labelled survey, which has seen nothing of the target."""
    if first is None or not len(scored):
        return None
    part = some(scored, settings.curve_images, seed)
    said = reread(first, images, part, settings.views)
    return scores.measure(said, bins=settings.bins, bootstrap=settings.bootstrap, seed=seed)


def train_seconds(folder: Path | None, recursion: dict[str, Any] | None) -> float | None:
    """Seconds of the trainings that led to the model that is kept; None if not known.

    Parameters
    ----------
    folder : Path or None
        Of the results of surveys, with the tables of the trainings.
    recursion : dict or None
        Which round is kept.
    """
    if folder is None:
        return None
    places = [folder / "labelled", folder / "rounds" / str((recursion or {}).get("kept") or 0)]
    tables = [EpochTable(place / "training") for place in places]
    return sum(table.seconds() for table in tables) or None


def _types(surveys: dict[str, Catalogue], scored: Catalogue) -> np.ndarray:
    """Types of the training: those of the labelled survey, else of the one that is scored."""
    found = training_types(surveys["labelled"]) if "labelled" in surveys else np.empty(0)
    return found if len(found) else training_types(scored)
