"""Probabilities as they were before calibration."""

from __future__ import annotations

import dataclasses

import numpy as np

from morphosphere.calibration import softmax
from morphosphere.surveys.evaluate.scored import Scored
from morphosphere.surveys.reading import ClassModel

#: Smaller probabilities are not told from zero in float32.
_TINY = 1e-12


def uncalibrated(probability: np.ndarray, model: ClassModel) -> np.ndarray:
    """The inverse of `ClassModel.calibrated`, shape (n, K): p is as P^T exp(-T bias).

    Parameters
    ----------
    probability : ndarray, shape (n, K)
        Calibrated.
    model : ClassModel
        Whose calibration it is.
    """
    known = model.bundle.info["calibration"]
    logits = np.log(np.maximum(probability, _TINY)) - np.asarray(known["bias"], dtype=np.float64)
    return softmax(float(known["temperature"]) * logits)


def before(scored: Scored, model: ClassModel) -> Scored:
    """Images with the probabilities and decisions that they had without calibration."""
    probability = uncalibrated(scored.probability, model)
    return dataclasses.replace(scored, probability=probability, predicted=model.decide(probability))
