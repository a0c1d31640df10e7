"""What docs/scaling.md says that follows from a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.scaling_model import (
    DEEPGALAXY,
    NETWORKS,
    WORKERS,
    calibrated,
    efficiency,
    machine_network,
)
from benchmarks.scaling_parts import PARTS
from morphosphere.files import atomic_path

BEGIN, END = "<!-- measured: benchmarks.scaling_model --document -->", "<!-- end of measured -->"
#: Share of the machine's work that others may do before the numbers are doubted.
IDLE, BUSY = 0.03, "The machine was not idle: these numbers are too low."
#: Seconds of the short step that is shown beside the measured one.
SHORT = 0.03


def document(measured: dict[str, Any], path: Path) -> None:
    """Replace what stands between the marks of a file."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path}: no lines {BEGIN!r} and {END!r} to write between")
    with atomic_path(path) as partial:
        partial.write_text(f"{before}{BEGIN}\n{text(measured)}\n{END}{after}")


def text(measured: dict[str, Any]) -> str:
    """Tables of what was measured and of what the model makes of it, in Markdown."""
    ways, batch = measured["ways"], measured["batch"]
    step = calibrated(measured)
    short = replace(step.scaled(seconds=SHORT), processor=0.0)
    names = {"alone": "alone", "beside": "beside another", "together": "together"}
    names["streamed"] = "together, streamed"
    parts = [
        [f"{label}, {1e3 * way['step']:.0f} ms", *(f"{1e3 * way['parts'][p]:.1f}" for p in PARTS)]
        for label, way in ((label, ways[name]) for name, label in names.items())
    ]
    ratios = [
        ["together over alone", "efficiency"],
        ["together over beside: what sharing gradients costs", "gradients"],
        ["beside over alone: what sharing caches and memory costs", "memory"],
    ]
    shares = {name: ways[name]["parts"]["loading"] / ways[name]["step"] for name in names}
    machine = machine_network(measured)
    rows = [
        [
            str(n),
            *(f"{efficiency(step, n, network):.3f}" for network in NETWORKS),
            *(f"{efficiency(short, n, network):.3f}" for network in NETWORKS),
            f"{DEEPGALAXY[n]:.2f}" if n in DEEPGALAXY else "",
        ]
        for n in WORKERS
    ]
    lengths = [f"{1e3 * s.seconds:.0f} ms" for s in (step, short)]
    headers = [f"{network.name}, {length}" for length in lengths for network in NETWORKS]
    return "\n".join(
        [
            f"Milliseconds of a step of {batch} images and its parts, means; the step itself is "
            "the median of the rounds:",
            "",
            *_table(["", *PARTS], parts),
            "",
            "Images per second of two processes, over those of two that do without what is named; "
            "medians of the rounds, quartiles:",
            "",
            *_table(["", "efficiency", "quartiles"], [_ratio(measured, *r) for r in ratios]),
            "",
            f"Loading took {shares['together']:.2%} of a step, streamed {shares['streamed']:.2%}. "
            f"The gradient has {step.gradient / 1e6:.2f} MB, in {len(step.buckets)} pieces; steps "
            f"scatter by {step.spread:.1%}. An all-reduce between the two processes took "
            f"{2e6 * machine.latency:.0f} µs and {1e3 * step.gradient / machine.bandwidth:.1f} ms "
            f"more for the whole gradient. Others took {measured['others']:.1%} of the busy time."
            + (f" **{BUSY}**" if measured["others"] > IDLE else ""),
            "",
            f"For these two processes the model says {efficiency(step, 2, machine):.3f}, where "
            f"{measured['gradients']['median']:.3f} was measured. Beyond:",
            "",
            *_table(["workers", *headers, "DeepGalaxy"], rows),
        ]
    )


def _ratio(measured: dict[str, Any], label: str, key: str) -> list[str]:
    found = measured[key]
    return [label, f"{found['median']:.3f}", f"{found['low']:.3f} to {found['high']:.3f}"]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
