"""Posteriors of labels on bins: probabilities, quantiles, and their calibration.

A network says for each label a number for each of K equal bins of a range. The posterior is their
softmax, after division by a temperature (Guo et al. 2017, ICML, PMLR 70, 1321). Quantiles are read
off its cumulative sum, after a monotone map that makes them right on images that had no part in
training (Kuleshov et al. 2018, ICML, PMLR 80, 2796).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

#: Cumulative probabilities of the median, of the central 68 % and of the central 95 %.
QUANTILES = {"median": 0.5, "low68": 0.16, "high68": 0.84, "low95": 0.025, "high95": 0.975}
#: Knots of the map of cumulative probabilities.
_KNOTS = 25
_TEMPERATURES = (0.2, 8.0)


@dataclass(frozen=True)
class Label:
    """A number that is told from an image, its range, and the calibration of its posterior.

    Attributes
    ----------
    name : str
        Column of the true values.
    low, high : float
        Range, in the unit of the column.
    scale : str
        "linear" or "log10": in what bins are equal.
    unit : str
    temperature : float
    recalibration : tuple of two sequences
        Cumulative probabilities as the network says them, and as they turned out.
    """

    name: str
    low: float
    high: float
    scale: str = "linear"
    unit: str = ""
    temperature: float = 1.0
    recalibration: tuple[Sequence[float], Sequence[float]] = ((0.0, 1.0), (0.0, 1.0))

    @classmethod
    def of(cls, value: dict[str, Any]) -> Self:
        """From what `dataclasses.asdict` gives."""
        return cls(**{**value, "recalibration": tuple(map(tuple, value["recalibration"]))})

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values in [0, 1] within the range; NaN stays NaN."""
        low, high = self._bend(np.array([self.low, self.high]))
        return (self._bend(np.asarray(values, dtype=np.float64)) - low) / (high - low)

    def value(self, scaled: np.ndarray) -> np.ndarray:
        """The inverse of `scaled`."""
        low, high = self._bend(np.array([self.low, self.high]))
        bent = low + np.asarray(scaled, dtype=np.float64) * (high - low)
        return 10**bent if self.scale == "log10" else bent

    def _bend(self, values: np.ndarray) -> np.ndarray:
        if self.scale == "linear":
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values)

    def quantiles(self, probability: np.ndarray, wanted: Sequence[float]) -> np.ndarray:
        """Quantiles of posteriors.

        Parameters
        ----------
        probability : ndarray, shape (N, K)
        wanted : sequence of float, length Q
            Cumulative probabilities.

        Returns
        -------
        ndarray, shape (N, Q)
            In the unit of the label.
        """
        said, true = self.recalibration
        at = np.interp(wanted, true, said)
        edges = np.linspace(0, 1, probability.shape[1] + 1)
        total = cumulative(probability)
        return self.value(np.stack([np.interp(at, row, edges) for row in total]))

    def rank(self, probability: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Recalibrated cumulative probability at the true values, shape (N,); NaN where unknown."""
        said, true = self.recalibration
        return np.interp(_rank(probability, self.scaled(truth)), said, true)

    def calibrated(self, logits: Sequence[np.ndarray], truth: np.ndarray) -> Self:
        """This label with temperature and recalibration fitted to images with known values.

        Parameters
        ----------
        logits : sequence of ndarray, shape (N, K)
            Of each view of the images, see `probabilities`.
        truth : ndarray, shape (N,)
            Images whose value is not known (NaN) have no part in it; without ten others the label
            stays as it is.
        """
        from scipy.optimize import minimize_scalar

        known = np.isfinite(truth)
        if known.sum() < 10:
            return self
        views = [view[known] for view in logits]
        place = self.scaled(truth[known])
        bins = np.clip((place * views[0].shape[1]).astype(int), 0, views[0].shape[1] - 1)
        rows = np.arange(len(bins))

        def surprise(logarithm: float) -> float:
            said = probabilities(views, np.exp(logarithm))[rows, bins]
            return float(-np.log(np.maximum(said, 1e-12)).mean())

        best = minimize_scalar(surprise, bounds=np.log(_TEMPERATURES), method="bounded")
        temperature = float(np.exp(best.x))
        ranks = _rank(probabilities(views, temperature), place)
        # Every other knot is a quantile of the ranks: both axes are fine where ranks pile up.
        said = np.quantile(ranks, np.linspace(0, 1, _KNOTS))
        said[0], said[-1] = 0.0, 1.0
        said = np.maximum.accumulate(said + 1e-6 * np.arange(_KNOTS))
        said = np.clip(said / said[-1], 0, 1)
        true = np.linspace(0, 1, _KNOTS)
        return dataclasses.replace(
            self,
            temperature=temperature,
            recalibration=(tuple(map(float, said)), tuple(map(float, true))),
        )


def probabilities(views: Sequence[np.ndarray], temperature: float) -> np.ndarray:
    """Mean over views of the softmax of logits, shape (N, K).

    Parameters
    ----------
    views : sequence of ndarray, shape (N, K)
        Logits of several views of the same images: turned, mirrored.
    temperature : float
    """
    total = 0.0
    for view in views:
        x = np.asarray(view, dtype=np.float64) / temperature
        x = np.exp(x - x.max(axis=1, keepdims=True))
        total = total + x / x.sum(axis=1, keepdims=True)
    return total / len(views)


def cumulative(probability: np.ndarray) -> np.ndarray:
    """Cumulative sums from 0 to 1 at the edges of the bins, shape (N, K + 1)."""
    total = np.cumsum(probability, axis=1, dtype=np.float64)
    total = np.concatenate([np.zeros((len(total), 1)), total / total[:, -1:]], axis=1)
    return total


def _rank(probability: np.ndarray, place: np.ndarray) -> np.ndarray:
    edges = np.linspace(0, 1, probability.shape[1] + 1)
    rows = zip(place, cumulative(probability))
    return np.array([np.interp(x, edges, row) if np.isfinite(x) else np.nan for x, row in rows])
