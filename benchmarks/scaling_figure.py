"""The figure of docs/scaling.md: efficiency by number of workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.scaling_document import SHORT
from benchmarks.scaling_model import (
    DEEPGALAXY,
    NETWORKS,
    WORKERS,
    Step,
    calibrated,
    efficiency,
)

COLOURS = ("#b5442e", "#d99a1c", "#1f6f8b")


def draw(measured: dict[str, Any], path: Path) -> None:
    """Draw two panels: the step as measured, and a short one."""
    step = calibrated(measured)
    short = Step(**{**vars(step.scaled(seconds=SHORT)), "processor": 0.0})
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.9), sharey=True, constrained_layout=True)
    for axis, shown, title in (
        (axes[0], step, f"step of {1e3 * step.seconds:.0f} ms, as measured on one core"),
        (axes[1], short, f"step of {1e3 * SHORT:.0f} ms, assumed: a faster worker"),
    ):
        _panel(axis, shown)
        axis.set_title(title, fontsize=10)
    ours = measured["gradients"]
    error = [[ours["median"] - ours["low"]], [ours["high"] - ours["median"]]]
    axes[0].errorbar(
        [1, 2], [1, ours["median"]], yerr=[[0, error[0][0]], [0, error[1][0]]],
        fmt="o", color="black", markersize=5, capsize=3, zorder=5, label="measured",
    )  # fmt: skip
    axes[0].set_ylabel("efficiency (weak scaling)")
    axes[0].legend(frameon=False, fontsize=8.5, loc="lower left")
    figure.savefig(path, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _panel(axis: plt.Axes, step: Step) -> None:
    workers = np.unique(np.round(np.geomspace(1, WORKERS[-1], 60)).astype(int))
    for network, colour in zip(NETWORKS, COLOURS, strict=True):
        whole = workers[(workers <= network.per_node) | (workers % network.per_node == 0)]
        for tail, style in (("gumbel", "-"), ("normal", ":")):
            values = [efficiency(step, int(n), network, tail) for n in whole]
            label = network.name if tail == "gumbel" else None
            axis.plot(whole, values, style, color=colour, linewidth=1.6, label=label)
    axis.plot(
        list(DEEPGALAXY), list(DEEPGALAXY.values()), "D", color="0.35", markersize=6,
        markerfacecolor="white", label="DeepGalaxy, measured", zorder=5,
    )  # fmt: skip
    axis.set_xscale("log", base=2)
    axis.set_xticks(WORKERS, [str(n) for n in WORKERS], fontsize=8.5)
    axis.set_ylim(0, 1.04)
    axis.set_xlabel("workers")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
