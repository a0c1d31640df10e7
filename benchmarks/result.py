"""What a benchmark says, and how it is kept."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from morphosphere.files import write_json

FOLDER = Path("results/bench")


@dataclass(frozen=True)
class Result:
    """One measured ratio.

    Attributes
    ----------
    name : str
        Begins with the stage: ``extract-loop``.
    ours, theirs : float
        What we reached, and the limit or the peer, in the same unit; medians over the repeats.
    goal : float or None
        What `ratio` should at least, or at most, be; None if only reported.
    higher_is_better : bool
        Whether the ratio should be large.
    unit : str
    note : str
        What was compared, and what is equal on both sides (work, accuracy), in a few words.
    spread : tuple of float
        Quartiles of the ratios of single repeats, taken in pairs; empty where there are no repeats.
    repeats : int
    more : dict
        Numbers kept in the file beside the ratio: errors that show equal accuracy, for example.
    paired : float or None
        Median of the ratios of single repeats, where both sides took turns: what slows the machine
        for a while slows both of a turn.
    """

    name: str
    ours: float
    theirs: float
    goal: float | None
    higher_is_better: bool
    unit: str = ""
    note: str = ""
    spread: tuple[float, ...] = ()
    repeats: int = 1
    more: dict[str, Any] = field(default_factory=dict)
    paired: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over theirs: the median of the repeats if they were paired, else of the medians."""
        return self.ours / self.theirs if self.paired is None else self.paired

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.higher_is_better else self.ratio <= self.goal

    def write(self) -> None:
        """Write as ``results/bench/<name>.json``."""
        kept = {**dataclasses.asdict(self), "ratio": self.ratio, "reached": self.reached}
        write_json(FOLDER / f"{self.name}.json", kept)


class Pair(tuple):
    """Median seconds of both sides, as a tuple; `turns` keeps the seconds of every repeat."""

    turns: list[tuple[float, float]]

    def __new__(cls, turns: list[tuple[float, float]]) -> Pair:
        """Of the seconds (ours, theirs) of each repeat."""
        pair = super().__new__(cls, (statistics.median(t[k] for t in turns) for k in (0, 1)))
        pair.turns = turns
        return pair

    def result(
        self,
        name: str,
        amount: float,
        unit: str,
        goal: float | None,
        note: str,
        *,
        their_amount: float | None = None,
        **more: Any,
    ) -> Result:
        """The ratio of the two rates at which an amount of work was done.

        `their_amount` is for a peer so slow that it was given a part of the work, of which its time
        is a linear function; the note must say so.
        """
        theirs = amount if their_amount is None else their_amount
        ratios = [(amount / o) / (theirs / t) for o, t in self.turns]
        spread = quartiles(ratios)
        return Result(
            name,
            amount / self[0],
            theirs / self[1],
            goal,
            True,
            unit,
            note,
            spread,
            len(ratios),
            more,
            statistics.median(ratios),
        )


def within(
    name: str, seconds: list[float], limit: float, note: str, *, goal: float = 1.0, **more: Any
) -> Result:
    """Times of several turns against a fixed limit in seconds."""
    spread = quartiles([value / limit for value in seconds])
    middle = statistics.median(seconds)
    return Result(name, middle, limit, goal, False, "s", note, spread, len(seconds), more=more)


def quartiles(values: list[float]) -> tuple[float, float]:
    """First and third quartile; the values' range when there are fewer than three."""
    if len(values) < 3:
        return min(values), max(values)
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int = 5
) -> Pair:
    """Seconds of both, run in turn after one warm-up each, so that drift hits both alike.

    A side that returns a `Seconds` says itself how long its work took: a peer in a process of its
    own, or work with a preparation that is not counted.
    """
    turns = []
    for repeat in range(repeats + 1):
        turn = tuple(_seconds(work) for work in (ours, theirs))
        if repeat:
            turns.append(turn)
    return Pair(turns)


class Seconds(float):
    """How long the counted part of a side's work took."""


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    said = work()
    return float(said) if isinstance(said, Seconds) else time.perf_counter() - start
