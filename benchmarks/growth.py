"""How time and memory of every stage grow with its work: at 1, 3, 10 and 30 times.

The exponent p of a power law (time or peak memory ~ work^p) is a straight line's slope through the
logarithms of all four. Start-up, a second or two of each, makes the slope of time smaller than that
of the work alone; so the slope of the last step, where it counts least, is told beside it. The
figure is ``results/bench/growth.png``, all numbers are in ``results/bench/growth.json``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.growth_figure import draw
from benchmarks.result import FOLDER, Result
from benchmarks.whole import Cost, Work, all_stages
from morphosphere.files import write_json
from morphosphere.progress import log

WORK = Work(box=240, pictures=1800, images=6000, joined=60_000)
FACTORS = (1, 3, 10, 30)
#: The generated layer grows by its order; its tiles are the sum of 12 * 4^k over the orders.
ORDERS = {1: 1, 3: 2, 10: 3, 30: 4}
TIME_GOAL, MEMORY_GOAL = 1.05, 0.1


def run(*, full: bool = False) -> Iterator[Result]:
    """The exponents of each stage; up to ten times the work, or thirty if `full`."""
    factors = FACTORS if full else FACTORS[:-1]
    grown = measure(factors)
    write_json(FOLDER / "growth.json", grown)
    draw(grown, FOLDER / "growth.png")
    for stage, found in grown.items():
        for kind, key, goal in (("time", "seconds", TIME_GOAL), ("memory", "mib", MEMORY_GOAL)):
            whole, last = exponents(found["work"], found[key])
            low, high = found[key][0], found[key][-1]
            unit = "s" if key == "seconds" else "MiB"
            more = found["work"][-1] / found["work"][0]
            note = f"{low:.3g} to {high:.3g} {unit} for {more:.3g} times the work"
            note += f"; exponent of the last step {last:.2f}"
            yield Result(
                f"growth-{kind}-{stage}", whole, 1.0, goal, False, "exponent", note,
                more={"last_step": last, "work": found["work"], key: found[key]},
            )  # fmt: skip


def exponents(work: list[float], cost: list[float]) -> tuple[float, float]:
    """Slope of the logarithms over all points, and over the last two."""
    x, y = np.log(work), np.log(cost)
    return float(np.polyfit(x, y, 1)[0]), float((y[-1] - y[-2]) / (x[-1] - x[-2]))


def measure(factors: tuple[int, ...]) -> dict[str, dict[str, list[float]]]:
    """Work, seconds and MiB of each stage at each factor, in files that are removed after it."""
    grown: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        log("benchmark growth: a warm-up, for compiled loops and the page cache")
        with tempfile.TemporaryDirectory(dir=name) as room:
            for _ in all_stages(Path(room), WORK, Path(room) / "model", order=ORDERS[1]):
                pass
        model = Path(name) / "first" / "model"
        for factor in factors:
            work = WORK.times(factor)
            log(f"benchmark growth: {factor} times: {work}")
            with tempfile.TemporaryDirectory(dir=name) as room:
                folder = model.parent if factor == factors[0] else Path(room)
                for cost in all_stages(folder, work, model, order=ORDERS[factor]):
                    _add(grown, cost, work_of(cost, work, ORDERS[factor]))
    return grown


def work_of(cost: Cost, work: Work, order: int) -> int:
    """What a stage had to do: tiles for the generated layer, else images or galaxies."""
    if cost.stage == "hips-generated":
        return sum(12 * 4**k for k in range(order + 1))
    return work.of(cost.stage)


def _add(grown: dict[str, dict[str, list[float]]], cost: Cost, work: int) -> None:
    found = grown.setdefault(cost.stage, {"work": [], "seconds": [], "mib": []})
    found["work"].append(work)
    found["seconds"].append(cost.seconds)
    found["mib"].append(cost.mib)
