"""Errors of the ordinal target (Hubble type T), against always saying the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.posterior import QUANTILES
from morphosphere.surveys.evaluate.bootstrap import mean_interval

#: Central intervals of the posterior: name to the ends' names.
INTERVALS = {"68": ("low68", "high68"), "95": ("low95", "high95")}


@dataclass(frozen=True)
class Typed:
    """Test images whose type is known, whatever their class, and what the model says of it.

    Attributes
    ----------
    objects : ndarray of str, shape (n,)
    true : ndarray, shape (n,)
    said : dict
        Quantile name of `posterior.QUANTILES` to (n,); empty if the model tells no type.
    """

    objects: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    true: np.ndarray = field(default_factory=lambda: np.empty(0))
    said: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.true)


def read_types(catalogue: Catalogue, span: tuple[float, float] | None = None) -> Typed:
    """Test images with a known type, within `span` (both ends included) if that is given."""
    if "type_median" not in catalogue.columns:
        return Typed()
    said = [f"type_{key}" for key in QUANTILES]
    if "type" not in catalogue.columns:
        return Typed(said={key: np.empty(0) for key in QUANTILES})
    names = ["object", "split", "type", *said]
    low, high = span or (-np.inf, np.inf)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for batch in catalogue.batches(names):
        true = batch["type"].astype(np.float64)
        chosen = (batch["split"] == "test") & np.isfinite(true) & np.isfinite(batch["type_median"])
        chosen &= (true >= low) & (true <= high)
        for name in names:
            parts[name].append(batch[name][chosen])
    found = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    return Typed(
        objects=found["object"].astype(str),
        true=found["type"].astype(np.float64),
        said={key: found[f"type_{key}"].astype(np.float64) for key in QUANTILES},
    )


def training_types(catalogue: Catalogue) -> np.ndarray:
    """Known types of the training images, shape (n,)."""
    if "type" not in catalogue.columns:
        return np.empty(0)
    found = [
        batch["type"][(batch["split"] == "train") & np.isfinite(batch["type"])]
        for batch in catalogue.batches(["type", "split"])
    ]
    return np.concatenate(found).astype(np.float64)


def measure_type(
    typed: Typed, training: np.ndarray, *, bootstrap: int, seed: int
) -> dict[str, Any]:
    """Errors of the posterior's median, and how often its intervals hold the truth.

    Parameters
    ----------
    typed : Typed
    training : ndarray, shape (m,)
        Types of the training images.
    bootstrap : int
        Draws of objects for the interval of the mean absolute error.
    seed : int

    Returns
    -------
    dict
        ``type_mae``, ``type_mae_median_of_training`` (of always saying the median of `training`),
        ``type``: {n, bias (mean of told minus true), coverage}, and ``intervals``. None where not
        known.
    """
    out: dict[str, Any] = {"type_mae": None, "type_mae_median_of_training": None, "intervals": {}}
    if not len(typed):
        return out
    true = typed.true
    error = typed.said["median"] - true
    out["type_mae"] = float(np.abs(error).mean())
    if len(training):
        out["type_mae_median_of_training"] = float(np.abs(true - np.median(training)).mean())
    out["type"] = {
        "n": len(typed),
        "bias": float(error.mean()),
        "coverage": {
            name: float(((typed.said[low] <= true) & (true <= typed.said[high])).mean())
            for name, (low, high) in INTERVALS.items()
        },
    }  # fmt: skip
    out["intervals"]["type_mae"] = mean_interval(np.abs(error), typed.objects, bootstrap, seed)
    return out
