"""What a benchmark says, and how it is kept."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from morphosphere.files import write_json

FOLDER = Path("results/bench")


@dataclass(frozen=True)
class Result:
    """One measured ratio.

    Attributes
    ----------
    name : str
    ours, theirs : float
        What we reached, and the limit or the peer, in the same unit.
    goal : float
        What `ratio` (ours over theirs) should at least, or at most, be.
    higher_is_better : bool
        Whether the ratio should be large.
    unit : str
    note : str
        What was compared, in a few words.
    """

    name: str
    ours: float
    theirs: float
    goal: float
    higher_is_better: bool
    unit: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio >= self.goal if self.higher_is_better else self.ratio <= self.goal

    def write(self) -> None:
        """Write as ``results/bench/<name>.json``."""
        write_json(FOLDER / f"{self.name}.json", {**dataclasses.asdict(self), "ratio": self.ratio})


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int = 5
) -> tuple[float, float]:
    """Median seconds of both, run in turn after one warm-up each, so that drift hits both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for which, work in enumerate((ours, theirs)):
            start = time.perf_counter()
            work()
            if repeat:
                seconds[which].append(time.perf_counter() - start)
    return statistics.median(seconds[0]), statistics.median(seconds[1])
