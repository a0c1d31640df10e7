"""Measures of many bootstrap draws at once, as sums over weighted images.

scikit-learn takes milliseconds for each draw; here images are counted once, and a draw is a row of
weights. On weights of one the numbers are scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Elements of the weights that are in memory at a time.
_ELEMENTS = 4_000_000
#: Probabilities are cut here, as scikit-learn's log-loss does.
_TINY = np.finfo(np.float64).eps


def weights(objects: np.ndarray, number: int, seed: int) -> Iterator[np.ndarray]:
    """How often each image is drawn when whole objects are, with replacement.

    Yields
    ------
    ndarray of int, shape (d, n)
        Of some of the draws; `number` in all.
    """
    random = np.random.default_rng(seed)
    _, code = np.unique(objects, return_inverse=True)
    groups = int(code.max()) + 1
    step = max(1, _ELEMENTS // max(len(code), groups))
    for start in range(0, number, step):
        drawn = random.multinomial(groups, np.full(groups, 1 / groups), min(step, number - start))
        yield drawn[:, code]


def interval(values: np.ndarray) -> list[float] | None:
    """Central 95 % of draws; None if the value exists in none of them."""
    values = values[np.isfinite(values)]
    return [float(x) for x in np.quantile(values, [0.025, 0.975])] if len(values) else None


def mean_interval(
    values: np.ndarray, objects: np.ndarray, number: int, seed: int
) -> list[float] | None:
    """Central 95 % of a mean over draws of objects; None without draws."""
    if not number or not len(values):
        return None
    found = [(w @ values) / w.sum(axis=1) for w in weights(objects, number, seed)]
    return interval(np.concatenate(found))


def drawn_scores(
    truth: np.ndarray,
    probability: np.ndarray,
    predicted: np.ndarray,
    objects: np.ndarray,
    *,
    bins: int,
    number: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """What `scores.scores` gives, of each of `number` draws of objects, shape (number,)."""
    parts = [
        weighted_scores(w, truth, probability, predicted, bins)
        for w in weights(objects, number, seed)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def weighted_scores(
    weight: np.ndarray,
    truth: np.ndarray,
    probability: np.ndarray,
    predicted: np.ndarray,
    bins: int,
) -> dict[str, np.ndarray]:
    """What `scores.scores` gives, of weighted images.

    Parameters
    ----------
    weight : ndarray, shape (D, n)
    truth, predicted : ndarray of int, shape (n,)
    probability : ndarray, shape (n, K)
    bins : int

    Returns
    -------
    dict
        Names to ndarray, shape (D,); NaN for what does not exist.
    """
    count = probability.shape[1]
    table = _sums(weight, truth * count + predicted, count * count).reshape(-1, count, count)
    of_class, told, hits = table.sum(2), table.sum(1), np.diagonal(table, axis1=1, axis2=2)
    total = of_class.sum(1)
    rows = np.arange(len(truth))
    with np.errstate(invalid="ignore", divide="ignore"):
        per_class = {
            "precision": np.where(told > 0, hits / told, 0.0),
            "recall": hits / of_class,
            "f1": 2 * hits / (of_class + told),
            "roc_auc": np.stack(_areas(weight, truth, probability), axis=1),
        }
        out = {"accuracy": hits.sum(1) / total}
        for name, values in per_class.items():
            values = np.where(of_class > 0, values, np.nan)
            alone = (of_class > 0).sum(1) < 2
            mean = np.nansum(values, axis=1) / (of_class > 0).sum(1)
            out[name] = np.where(alone, np.nan, mean)
            out |= {f"{name}.{k}": values[:, k] for k in range(count)}
        out["balanced_accuracy"] = out["recall"]
        surprise = -np.log(np.clip(probability[rows, truth], _TINY, 1 - _TINY))
        out["log_loss"] = (weight @ surprise) / total
        confidence = probability[rows, predicted]
        excess = confidence - (predicted == truth)
        place = bin_of(confidence, bins)
        out["ece"] = np.abs(_sums(weight * excess, place, bins)).sum(1) / total
    return out


def bin_of(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Number of the equal bin of confidence, 0 to bins - 1."""
    return np.clip((confidence * bins).astype(int), 0, bins - 1)


def _sums(weight: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Sums of weights (D, n) over the members of each group, shape (D, groups)."""
    out = np.zeros((len(weight), groups))
    for k in np.unique(group):
        out[:, k] = weight[:, group == k].sum(axis=1)
    return out


def _areas(weight: np.ndarray, truth: np.ndarray, probability: np.ndarray) -> list[np.ndarray]:
    """Area under the ROC curve of each class against the rest, K arrays of shape (D,)."""
    count = probability.shape[1]
    if count == 2:  # of two classes it is the same number
        return [_area(weight, truth == 0, probability[:, 0])] * 2
    return [_area(weight, truth == k, probability[:, k]) for k in range(count)]


def _area(weight: np.ndarray, of_class: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The share of pairs in right order, ties counting half (Mann and Whitney's U)."""
    order = np.argsort(value, kind="stable")
    first = np.flatnonzero(np.diff(value[order], prepend=-np.inf))  # where a new value begins
    ordered = weight[:, order]
    yes = np.add.reduceat(ordered * of_class[order], first, axis=1).astype(np.float64)
    no = np.add.reduceat(ordered * ~of_class[order], first, axis=1).astype(np.float64)
    below = np.cumsum(no, axis=1) - no
    with np.errstate(invalid="ignore"):
        return (yes * (below + no / 2)).sum(1) / (yes.sum(1) * no.sum(1))
