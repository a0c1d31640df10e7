"""The most and the least certain galaxies of each class, and how reliable confidence is."""

from __future__ import annotations

from typing import Any

import numpy as np


def certain_rows(
    predicted: np.ndarray,
    confidence: np.ndarray,
    usable: np.ndarray,
    count: int,
    classes: int,
    strange: np.ndarray | None = None,
) -> list[dict[str, np.ndarray]]:
    """Rows of each predicted class, ``most`` and ``least`` certain first, `count` at most.

    Those that are `strange`, shape (N,), as unlike training, come after all others.

    Parameters
    ----------
    predicted : ndarray of int, shape (N,)
    confidence : ndarray, shape (N,)
    usable : ndarray of bool, shape (N,)
        Galaxies that the page can show.
    """
    out = []
    for number in range(classes):
        rows = np.flatnonzero((predicted == number) & usable & np.isfinite(confidence))
        last = np.zeros(len(rows), bool) if strange is None else strange[rows]
        down = rows[np.lexsort((-confidence[rows], last))]
        up = rows[np.lexsort((confidence[rows], last))]
        out.append({"most": down[:count], "least": up[:count]})
    return out


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int) -> list[dict[str, Any]]:
    """Mean confidence and share of right predictions in bins of equal width that are not empty.

    The interval is Wilson's (1927, JASA 22, 209), 95 %.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
    right : ndarray of bool, shape (n,)
    bins : int
        Between the least possible confidence, 0, and 1.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    out = []
    for number in np.unique(place):
        inside = place == number
        n, share = int(inside.sum()), float(right[inside].mean())
        low, high = wilson(share, n)
        out.append(
            {
                "confidence": float(np.mean(confidence[inside], dtype=np.float64)),
                "right": share,
                "n": n,
                "low": low,
                "high": high,
            }
        )
    return out


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a share of n trials."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
