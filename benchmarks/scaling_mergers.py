"""Weak scaling of the network of mergers: as `benchmarks.scaling`, with the other task."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.result import Result
from benchmarks.scaling import of_task


def run() -> Iterator[Result]:
    """Efficiency, what of it is lost to sharing gradients, and the share of loading."""
    yield from of_task("mergers", "scaling-mergers")
