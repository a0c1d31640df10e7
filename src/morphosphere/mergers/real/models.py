"""Encounter models of a pair that volunteers found and scored (Galaxy Zoo: Mergers).

Holincheck et al. (2016, MNRAS 459, 720) searched for encounters that look like a pair, with the
restricted three-body code JSPAM (Wallin et al. 2016, Astronomy and Computing 16, 26). A file has a
line per model: a name with the model's score, and after a tab 34 numbers. Numbers 7 and 8 are the
masses; number 27 is the time of the closest approach, negative as it lies in the past, and zero
where the galaxies have never been closer than now; number 28 is the distance then. Distances are in
15 kpc, masses in 1e11 solar masses, the gravitational constant is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.collect.fault import Fault

#: Length of JSPAM in kpc, and its time, sqrt(length^3 / (G 1e11 Msun)), in Myr.
LENGTH = 15.0
TIME = 86.62
_NUMBERS = 34
_MASSES, _TIME, _DISTANCE = (6, 7), 26, 27


@dataclass(frozen=True)
class Models:
    """What the best-scored encounter models of a pair say: medians, 16th and 84th percentiles.

    Attributes
    ----------
    count : int
        Number of models that count.
    score : float
        Least score among them.
    time, mass_ratio, distance : tuple of float
        Myr since the closest approach, mass ratio (at most 1), distance then in kpc, each as
        (median, 16th, 84th percentile).
    """

    count: int
    score: float
    time: tuple[float, float, float]
    mass_ratio: tuple[float, float, float]
    distance: tuple[float, float, float]


NONE = Models(0, np.nan, *((np.nan,) * 3,) * 3)


def read_models(path: Path, best: int) -> Models:
    """The `best` models of a file, by their scores; models without a score do not count.

    Raises
    ------
    Fault
        If a line is not a model, naming it, or no model has a score.
    """
    scores, rows = [], []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{path.name}: cannot be read ({error})") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, _, text = line.partition("\t")
        parts = name.split(",")
        try:
            values = [float(part) for part in text.split(",")]
            score = float(parts[1]) if len(parts) > 1 else np.nan
        except ValueError:
            raise Fault(f"{path.name}: line {number} is not an encounter model") from None
        if len(values) != _NUMBERS:
            raise Fault(f"{path.name}: line {number} has {len(values)} numbers, not {_NUMBERS}")
        if np.isfinite(score) and np.isfinite(values).all():
            scores.append(score)
            rows.append(values)
    if not rows:
        raise Fault(f"{path.name}: no encounter model with a score in it")
    order = np.argsort(-np.array(scores), kind="stable")[:best]
    table = np.array(rows)[order]
    masses = table[:, list(_MASSES)]
    return Models(
        count=len(order),
        score=float(np.array(scores)[order].min()),
        time=_spread(np.maximum(-table[:, _TIME], 0) * TIME),
        mass_ratio=_spread(masses.min(axis=1) / np.maximum(masses.max(axis=1), 1e-30)),
        distance=_spread(table[:, _DISTANCE] * LENGTH),
    )


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [16, 50, 84])
    return float(middle), float(low), float(high)
