"""Figures of how accuracy changes: with labels, rounds of recursion, brightness and size."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from morphosphere.evaluate.figures.style import BLUE, GREY, INK, ORANGE, message, new_figure
from morphosphere.surveys.evaluate.curve import KINDS
from morphosphere.surveys.evaluate.figures.common import log_axis, percent, whiskers
from morphosphere.surveys.evaluate.strata import Stratum

_WORDS = {"transferred": "transferred from the labelled survey", "scratch": "from scratch"}
_MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC",
}


def learning_curve(metrics: dict[str, Any]) -> Figure:
    """Balanced accuracy on the same test images against the number of labels in training."""
    curve = metrics["learning_curve"]
    lines = {
        kind: {
            int(n): one for n, one in curve[kind].items() if one["balanced_accuracy"] is not None
        }
        for kind in KINDS
    }
    if not any(lines.values()):
        return message("no model of the learning curve could be scored, or there are none")
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    for kind, paint, side in zip(KINDS, (BLUE, ORANGE), (0.97, 1.03)):
        if not lines[kind]:
            continue
        numbers = sorted(lines[kind])
        values = [lines[kind][n]["balanced_accuracy"] for n in numbers]
        given = [lines[kind][n]["intervals"].get("balanced_accuracy") for n in numbers]
        axes.errorbar(np.array(numbers) * side, values, whiskers(values, given), fmt="o-",
                      color=paint, markersize=5, elinewidth=1, label=_WORDS[kind])  # fmt: skip
    for one, style, words in (
        (metrics, "--", "the model that is kept"),
        (metrics.get("first_model") or {}, "-.", "the model of the labelled survey as it is"),
    ):
        if one.get("balanced_accuracy") is not None:
            axes.axhline(one["balanced_accuracy"], color=GREY, linewidth=1, linestyle=style,
                         label=words)  # fmt: skip
    chance = 1 / max(len(metrics["per_class"]), 1)
    axes.axhline(chance, color=GREY, linewidth=0.8, linestyle=":", label="guessing")
    every = sorted({n for line in lines.values() for n in line})
    axes.set(xscale="log", xlabel="labels in training", ylabel="balanced accuracy on test images")
    axes.set_xticks(every, [str(n) for n in every])
    axes.set_xticks([], minor=True)
    axes.grid(axis="y")
    percent(axes)
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def recursion(found: dict[str, Any] | None) -> Figure:
    """Measures of each round on the same test images, and the round that is kept."""
    rounds = (found or {}).get("rounds") or []
    rounds = [one for one in rounds if one.get("test")]
    if not rounds:
        return message("recursive training was not run, or its rounds have no scores")
    figure = new_figure(9.6, 3.7)
    left, right = figure.subplots(1, 2, width_ratios=[1.6, 1])
    at = [int(one["round"]) for one in rounds]
    for (name, words), paint in zip(_MEASURES.items(), (GREY, BLUE, ORANGE)):
        values = [one["test"].get(name) for one in rounds]
        if any(value is not None for value in values):
            left.plot(at, [np.nan if v is None else v for v in values], "o-", color=paint,
                      label=words, linewidth=1.4)  # fmt: skip
    kept = found.get("kept")
    if kept in at:
        left.axvline(kept, color=INK, linewidth=0.8, linestyle="--")
        left.annotate("kept", (kept, 0.02), xycoords=("data", "axes fraction"), fontsize=8,
                      xytext=(3, 0), textcoords="offset points")  # fmt: skip
    left.set(xlabel="round", xticks=at, title="The same test images after each round")
    left.set_xlim(min(at) - 0.3, max(at) + 0.3)
    left.grid(axis="y")
    percent(left)
    left.legend(fontsize=8)
    losses = {"validation": [], "test": []}
    for part, values in losses.items():
        values += [(one.get(part) or {}).get("log_loss") for one in rounds]
    for (part, values), paint in zip(losses.items(), (GREY, BLUE)):
        if any(value is not None for value in values):
            right.plot(at, [np.nan if v is None else v for v in values], "o-", color=paint,
                       label=part)  # fmt: skip
    for number, one in zip(at, rounds):
        if one.get("labels_added"):
            right.annotate(f"+{_total(one['labels_added'])} labels", (number, 1.0),
                           xycoords=("data", "axes fraction"), ha="center", va="bottom",
                           fontsize=7.5)  # fmt: skip
    right.set(xlabel="round", xticks=at, ylabel="log-loss")
    right.set_xlim(min(at) - 0.4, max(at) + 0.4)
    right.legend(fontsize=8)
    return figure


def _total(added: Any) -> int:
    return int(sum(added.values())) if isinstance(added, dict) else int(added)


def strata(groups: list[tuple[Stratum, dict[str, dict[str, Any]]]]) -> Figure:
    """Balanced accuracy of groups of test images by brightness and by size."""
    shown = [(s, found) for s, found in groups if found]
    if not shown:
        return message("too few test images with a known brightness or size to make groups")
    figure = new_figure(4.6 * len(shown) + 0.4, 3.8)
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    for axes, (stratum, found) in zip(panels, shown):
        lows, highs = zip(*((one["low"], one["high"]) for one in found.values()))
        for name, paint in (("accuracy", GREY), ("balanced_accuracy", BLUE)):
            some = [one for one in found.values() if one[name] is not None]
            if not some:
                continue
            values = [one[name] for one in some]
            given = [(one.get("intervals") or {}).get(name) for one in some]
            axes.errorbar([one["median"] for one in some], values, whiskers(values, given),
                          fmt="o-", color=paint, markersize=5, elinewidth=1,
                          label=_MEASURES[name])  # fmt: skip
        if min(lows) > 0 and max(highs) > 30 * min(lows):
            axes.set_xscale("log")
            log_axis(axes.xaxis, min(lows), max(highs))
        else:
            axes.locator_params(axis="x", nbins=5)
        for one in found.values():
            axes.annotate(f"n = {one['n']}", (one["median"], 0.01), ha="center", fontsize=7.5,
                          xycoords=("data", "axes fraction"))  # fmt: skip
        axes.margins(x=0.12)
        axes.set_xlabel(stratum.words)
        axes.grid(axis="y")
    panels[0].set_ylabel("on test images")
    percent(panels[0])
    panels[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure
