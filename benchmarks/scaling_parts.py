"""Where the time of a step goes: from the moments that processes noted to seconds and ratios.

A block is what one process noted in some steps: ``way``, ``round``, ``rank``, ``started`` and
``steps``, whose keys `benchmarks.scaling_worker.TimedLoop` explains. Times are in seconds.
"""

from __future__ import annotations

from statistics import fmean, median, quantiles, stdev
from typing import Any

#: What a step consists of; `waiting` is for a slower process, `transfer` what then remains.
PARTS = ("loading", "forward", "backward", "waiting", "transfer", "optimiser", "between")


def step_parts(blocks: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Parts of each step of each process.

    Parameters
    ----------
    blocks : list of dict
        Of the processes that share gradients in the same steps, or a single one.

    Returns
    -------
    list of dict
        `PARTS` in seconds; their sum is the time from the end of the step before.
    """
    found = []
    for steps in zip(*(block["steps"] for block in blocks), strict=True):
        computed = [_computed(step) for step in steps]
        everywhere = max(computed)
        for block, step, own in zip(blocks, steps, computed):
            number = block["steps"].index(step)
            former = block["steps"][number - 1] if number else None
            since = former["end"] if former else block["started"]
            loading = step["loaded"] - (former["loaded"] if former else 0.0)
            seen = min(everywhere, step["gradient"])  # clocks may differ by a little
            found.append(
                {
                    "loading": loading,
                    "forward": step["backward"] - step["begin"],
                    "backward": own - step["backward"],
                    "waiting": seen - own,
                    "transfer": step["gradient"] - seen,
                    "optimiser": step["end"] - step["gradient"],
                    "between": step["begin"] - since - loading,
                }
            )
    return found


def _computed(step: dict[str, Any]) -> float:
    """When the process's own gradient was complete."""
    return max((bucket["ready"] for bucket in step["buckets"]), default=step["gradient"])


def step_seconds(blocks: list[dict[str, Any]]) -> float:
    """Time of a step: from the start of a block to the end of its last step, the slowest's."""
    return max((b["steps"][-1]["end"] - b["started"]) / len(b["steps"]) for b in blocks)


def rounds_of(blocks: list[dict[str, Any]], way: str) -> list[list[dict[str, Any]]]:
    """Blocks made in this way, by round."""
    of_way = [block for block in blocks if block["way"] == way]
    numbers = sorted({block["round"] for block in of_way})
    return [[block for block in of_way if block["round"] == number] for number in numbers]


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Ours over theirs, paired by round: median and quartiles."""
    low, middle, high = quantiles([a / b for a, b in zip(ours, theirs, strict=True)], n=4)
    return {"median": middle, "low": low, "high": high}


def summary(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """What all rounds say together.

    Returns
    -------
    dict
        ``ways``: for each way the median step and the mean of each part, in seconds, and the
        processor's seconds in a step; ``efficiency`` (a step alone over a step together),
        ``gradients`` (a step beside over one together), ``memory`` (alone over beside): median and
        quartiles; ``spread``: standard deviation of a step's own computing over its mean;
        ``buckets``: bytes, and when ready as a fraction of the backward pass.
    """
    ways: dict[str, Any] = {}
    by_round: dict[str, list[float]] = {}
    for way in ("alone", "beside", "together", "streamed"):
        rounds = rounds_of(blocks, way)
        share = way in ("together", "streamed")
        # Processes that do not share gradients are looked at one by one.
        groups = [group for r in rounds for group in ([r] if share else [[b] for b in r])]
        parts = [part for group in groups for part in step_parts(group)]
        by_round[way] = [
            step_seconds(r) if share else fmean(step_seconds([b]) for b in r) for r in rounds
        ]
        ways[way] = {
            "step": median(by_round[way]),
            "processor": median(s["processor"] for r in rounds for b in r for s in b["steps"]),
            "parts": {name: fmean(part[name] for part in parts) for name in PARTS},
            "by_round": by_round[way],
        }
        if way == "beside":
            own = [part["forward"] + part["backward"] + part["optimiser"] for part in parts]
    return {
        "ways": ways,
        "efficiency": ratio(by_round["alone"], by_round["together"]),
        "gradients": ratio(by_round["beside"], by_round["together"]),
        "memory": ratio(by_round["alone"], by_round["beside"]),
        "spread": stdev(own) / fmean(own),
        "buckets": _buckets(rounds_of(blocks, "together")),
    }


def _buckets(rounds: list[list[dict[str, Any]]]) -> list[dict[str, float]]:
    steps = [step for r in rounds for block in r for step in block["steps"]]
    found = []
    for notes in zip(*(step["buckets"] for step in steps), strict=True):
        ready = [
            (note["ready"] - step["backward"]) / (_computed(step) - step["backward"])
            for note, step in zip(notes, steps)
        ]
        found.append({"bytes": notes[0]["bytes"], "ready": median(ready)})
    return found
