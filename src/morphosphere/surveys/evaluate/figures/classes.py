"""Figures of classes: ROC and precision-recall, confusion, reliability."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import BLUE, INK, ORANGE, message, new_figure
from morphosphere.surveys.evaluate.bootstrap import weights
from morphosphere.surveys.evaluate.figures.common import colour, percent
from morphosphere.surveys.evaluate.scored import Scored
from morphosphere.surveys.evaluate.scores import (
    calibration_error,
    calibration_table,
    confident_half,
    ece_if_calibrated,
)

#: Draws of objects for the band about the ROC curve.
_DRAWS = 100


def roc(scored: Scored, seed: int) -> Figure:
    """ROC and precision-recall of each class against the rest, of all labels and the surest."""
    classes = _compared(scored)
    if not classes:
        return message("the test images are of one class, or there are none: nothing to compare")
    figure = new_figure(9.6, 4.4)
    left, right = figure.subplots(1, 2)
    sure = scored.take(scored.confident)
    shown = classes if len(scored.classes) > 2 else [_rarer(scored)]
    near = [left]
    if _in_corner(scored, shown):
        near.append(left.inset_axes([0.42, 0.1, 0.55, 0.55]))
        near[1].set(xlim=(-0.005, 0.2), ylim=(0.8, 1.005))
        near[1].tick_params(labelsize=7.5)
    for k in shown:
        for axes in near:
            _roc_line(axes, scored, k, "-", seed, band=len(shown) == 1)
            _roc_line(axes, sure, k, ":", seed, band=False)
    for k in classes:
        _precision_line(right, scored, k, "-")
        _precision_line(right, sure, k, ":")
    left.plot([0, 1], [0, 1], color=INK, linewidth=0.6, linestyle="--")
    rest = "the rest" if len(scored.classes) > 2 else scored.classes[1 - shown[0]]
    left.set(xlabel=f"false positives among {rest}", ylabel="true positives")
    left.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    of = "each class against the rest" if len(shown) > 1 else f"{scored.classes[shown[0]]}"
    left.set_title(f"ROC: {of}")
    right.set(
        xlabel="recall", ylabel="precision", title="Precision and recall (area)", xlim=(-0.01, 1.01)
    )
    right.set_ylim(top=1.005)
    right.legend(fontsize=8, loc="lower left", title="dotted: surest labels", title_fontsize=8)
    return figure


def _compared(scored: Scored) -> list[int]:
    there = [k for k in range(len(scored.classes)) if (scored.truth == k).any()]
    return there if len(there) > 1 else []


def _rarer(scored: Scored) -> int:
    return int(np.bincount(scored.truth, minlength=2).argmin())


def _in_corner(scored: Scored, shown: list[int]) -> bool:
    """Whether the ROC curves run so near to the corner that only a close view shows them."""
    from sklearn.metrics import roc_auc_score

    areas = [roc_auc_score(scored.truth == k, scored.probability[:, k]) for k in shown]
    return min(areas) > 0.93


def _roc_line(axes: Axes, scored: Scored, k: int, line: str, seed: int, *, band: bool) -> None:
    from sklearn.metrics import roc_curve

    of_class, chance = scored.truth == k, scored.probability[:, k]
    if of_class.all() or not of_class.any():
        return
    wrong, right, _ = roc_curve(of_class, chance)
    axes.plot(wrong, right, line, color=colour(k), linewidth=1.4)
    if not band:
        return
    at = np.unique(np.concatenate([np.linspace(0, 0.2, 101), np.linspace(0.2, 1, 41)]))
    found = []
    for drawn in weights(scored.objects, _DRAWS, seed):
        for weight in drawn:
            if weight[of_class].any() and weight[~of_class].any():
                wrong, right, _ = roc_curve(of_class, chance, sample_weight=weight)
                found.append(np.interp(at, wrong, right))
    if found:
        low, high = np.quantile(found, [0.025, 0.975], axis=0)
        axes.fill_between(at, low, high, color=colour(k), alpha=0.18, linewidth=0)


def _precision_line(axes: Axes, scored: Scored, k: int, line: str) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    of_class, chance = scored.truth == k, scored.probability[:, k]
    if of_class.all() or not of_class.any():
        return
    precision, recall, _ = precision_recall_curve(of_class, chance)
    area = average_precision_score(of_class, chance)
    name = f"{scored.classes[k]} ({of_class.mean():.0%} of images): {area:.3f}"
    axes.plot(recall, precision, line, color=colour(k), linewidth=1.4,
              label=name if line == "-" else None)  # fmt: skip


def confusion(scored: Scored) -> Figure:
    """Told against true classes: of all test images, and of the more confident half."""
    if not len(scored):
        return message("there are no test images with a label")
    count = len(scored.classes)
    figure = new_figure(2 * (1.9 + 0.75 * count) + 0.8, 1.5 + 0.75 * count)
    panels = figure.subplots(1, 2)
    half = scored.take(confident_half(scored))
    for axes, part, title in zip(panels, (scored, half), ("all", "the more confident half")):
        _matrix(axes, part, f"{title} ({len(part)} images)")
    panels[0].set_ylabel("true class")
    return figure


def _matrix(axes: Axes, scored: Scored, title: str) -> None:
    from sklearn.metrics import confusion_matrix

    labels = np.arange(len(scored.classes))
    table = confusion_matrix(scored.truth, scored.predicted, labels=labels)
    of_class = table.sum(axis=1, keepdims=True)
    share = table / np.maximum(of_class, 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(table):
        text = f"{number}\n{share[row, column]:.1%}" if of_class[row] else "–"
        dark = share[row, column] > 0.55
        axes.text(column, row, text, ha="center", va="center", fontsize=8.5,
                  color="white" if dark else INK)  # fmt: skip
    axes.set_xticks(labels, scored.classes, rotation=25 if len(labels) > 2 else 0,
                    ha="right" if len(labels) > 2 else "center")  # fmt: skip
    axes.set_yticks(labels, scored.classes)
    axes.set(xlabel="told class", title=title)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def reliability(before: Scored, after: Scored, bins: int, seed: int) -> Figure:
    """How often the told class is right, against its probability, before and after calibration."""
    if not len(after):
        return message("there are no test images with a label")
    figure = new_figure(9.0, 4.8)
    grid = figure.subplots(2, 2, sharex=True, height_ratios=[3.2, 1], sharey="row")
    low = min(float(before.confidence.min()), float(after.confidence.min()))
    low = max(0.0, np.floor(10 * low) / 10)
    for column, (part, words, paint) in enumerate(
        ((before, "Before calibration", ORANGE), (after, "After calibration", BLUE))
    ):
        top, bottom = grid[0, column], grid[1, column]
        top.plot([low, 1], [low, 1], color=INK, linewidth=0.8, linestyle="--")
        count, said, right = calibration_table(part.confidence, part.right, bins)
        there = count > 0
        ends = _wilson(right[there] * count[there], count[there])
        bars = np.abs(ends - right[there])
        top.errorbar(said[there], right[there], bars, fmt="o", color=paint, markersize=5,
                     elinewidth=1)  # fmt: skip
        error = calibration_error(part.confidence, part.right, bins)
        floor = ece_if_calibrated(part.confidence, bins, seed)
        top.set_title(f"{words}: error {error:.1%}\n({floor:.1%} by chance alone)")
        edges = np.linspace(0, 1, bins + 1)
        bottom.bar(edges[:-1], count, np.diff(edges), align="edge", color=paint, alpha=0.75,
                   edgecolor="white")  # fmt: skip
        bottom.set(xlabel="probability of the told class", yscale="symlog")
        bottom.set_yticks([0, *(10**k for k in range(1, int(np.log10(max(count.max(), 10))) + 1))])
        percent(top)
        percent(bottom, "x")
    grid[0, 0].set(xlim=(low - 0.01, 1.01), ylim=(-0.02, 1.03), ylabel="share that is right")
    grid[1, 0].set_ylabel("images")
    return figure


def _wilson(hits: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Ends (2, n) of the 95 % interval of a share (Wilson 1927, JASA 22, 209)."""
    z = 1.96
    share = hits / number
    middle = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z / (1 + z**2 / number) * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return np.stack([np.minimum(middle - half, share), np.maximum(middle + half, share)])
