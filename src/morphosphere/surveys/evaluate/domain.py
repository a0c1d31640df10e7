"""How far images are from those of training, and whether what the model doubts is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.surveys.evaluate.scored import Scored, Survey


def measure_domain(surveys: dict[str, Survey], limit: float) -> dict[str, Any]:
    """Shares of images beyond the model's limit of the domain distance.

    Parameters
    ----------
    surveys : dict
        Name ("labelled", "target") to all of its images; images of the labelled survey's split
        train count apart, as ``training``.
    limit : float

    Returns
    -------
    dict
        ``limit`` and, of each group, {n, outliers (share), median_distance}.
    """
    out: dict[str, Any] = {"limit": limit}
    for name, mask, survey in groups_of(surveys):
        distance = survey.distance[mask]
        out[name] = {
            "n": int(mask.sum()),
            "outliers": float(survey.outlier[mask].mean()),
            "median_distance": float(np.median(distance)),
        }
    return out


def groups_of(surveys: dict[str, Survey]) -> list[tuple[str, np.ndarray, Survey]]:
    """Groups of images that distances are told of: name, mask and survey; none is empty."""
    found = []
    for name, survey in surveys.items():
        sound = np.isfinite(survey.distance)
        if name == "labelled":
            trained = survey.trained & survey.human
            found.append(("training", trained & sound, survey))
            found.append((name, ~survey.trained & sound, survey))
        else:
            found.append((name, sound, survey))
    return [group for group in found if group[1].any()]


def doubts(scored: Scored) -> dict[str, float | None]:
    """How well three numbers tell wrong predictions from right ones: areas under ROC curves.

    Of small confidence, large spread and large domain distance: 0.5 says nothing, 1 all. None
    where no test image, or each, is told wrongly.
    """
    from sklearn.metrics import roc_auc_score

    wrong = ~scored.right
    values = {
        "confidence": -scored.confidence,
        "spread": scored.spread,
        "domain_distance": scored.distance,
    }
    out: dict[str, float | None] = {}
    for name, value in values.items():
        known = np.isfinite(value)
        two = known.any() and len(np.unique(wrong[known])) == 2
        out[name] = float(roc_auc_score(wrong[known], value[known])) if two else None
    return out
