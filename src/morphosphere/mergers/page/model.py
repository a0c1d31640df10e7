"""What the page needs to know of a model of the task ``mergers``."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.merger_page import MergerPageSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.posterior import Label

TASK = "mergers"
#: What the bundle may say of an image that is unlike those of the training.
LIMITS = ("reconstruction_error", "encounter_probability")


def labels_of(model: ModelBundle) -> list[Label]:
    """The labels that the model tells, in the order of its outputs.

    Raises
    ------
    InputError
        If the model has another task, or its labels are not complete.
    """
    where = model.path / "model.json"
    if model.info.get("task") != TASK:
        raise InputError(
            f"{where}: task {model.info.get('task')!r}; the page needs a model of task {TASK!r}"
        )
    labels = model.info.get("labels")
    if not isinstance(labels, list) or not labels:
        raise InputError(f"{where}: no labels; train the model again")
    try:
        return [Label.of(label) for label in labels]
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{where}: labels: {error}; train the model again") from None


def model_facts(model: ModelBundle) -> dict[str, Any]:
    """The part of config.json on the model.

    Raises
    ------
    InputError
        As `labels_of`, or if a limit is not a number.
    """
    outlier = model.info.get("outlier") or {}
    limits = {name: outlier.get(name) for name in LIMITS}
    for name, value in limits.items():
        if value is not None and not isinstance(value, int | float):
            raise InputError(f"{model.path / 'model.json'}: outlier.{name} is not a number")
    return {
        "labels": [dataclasses.asdict(label) for label in labels_of(model)],
        "outlier": limits,
        "transform": dataclasses.asdict(model.transform),
    }


def field_of_view(settings: MergerPageSettings, images: ImageSet) -> float:
    """Width of the images in kpc: as set, or the median of the images' column.

    Raises
    ------
    ConfigError
        If neither is there.
    """
    if settings.field_of_view is not None:
        return settings.field_of_view
    if "field_of_view" in images.columns:
        widths = images.column("field_of_view")
        if np.isfinite(widths).any():
            return float(np.nanmedian(widths))
    raise ConfigError(
        f"{images.path}: no column field_of_view; set the page's field_of_view to the width of "
        "the images in kpc"
    )
