"""Run the benchmarks and print a table: ``python -m benchmarks [--full] [name ...]``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.document import Measured, write_document
from benchmarks.machine import machine
from benchmarks.peers.environments import MissingPeer
from benchmarks.result import Result
from morphosphere.progress import log

#: Every stage against its limit and its peers: what ``make bench`` runs.
STAGES = (
    "start",
    "extract",
    "render",
    "collect",
    "train",
    "predict",
    "hips",
    "hips_catalogue",
    "index",
    "explorer",
    "survey_predict",
    "sersic_simulate",
)
#: What ``make bench-full`` adds: longer, or about a whole run.
LONG = (
    "growth",
    "train_peer",
    "demo",
    "ranks",
    "scaling",
    "scaling_mergers",
    "memory",
    "overhead",
    "quality",
    "encounters",
    "nbody",
    "survey_catalogue",
)


def main() -> int:
    """Run the named benchmarks, or all; a missed goal is shown, not an error.

    A stage or a peer that fails is told in the table too, and the others are measured.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(STAGES + LONG))
    parser.add_argument("--full", action="store_true", help="all of them, and at their full size")
    parser.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help="write the table here as well, with what earlier runs found",
    )
    args = parser.parse_args()
    names = args.names or (STAGES + LONG if args.full else STAGES)
    if unknown := sorted(set(names) - {*STAGES, *LONG}):
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(STAGES + LONG)}")
    facts = {**machine(), "command": " ".join(["python -m benchmarks", *_words(args)])}
    found, failed = [], False
    for name in names:
        log(f"benchmark {name} ...")
        results, missing = [], None
        try:
            for result in _results(name, full=args.full):
                result.write()
                results.append(result)
        except MissingPeer as why:
            missing = str(why)
            log(f"benchmark {name}: not measured: {why}")
        except (Exception, SystemExit) as why:  # whatever it raised: the others are measured
            missing, failed = f"failed: {type(why).__name__}: {why}", True
            log("".join(traceback.format_exception(why)))
        Measured(name, results, missing, facts).write()
        found += results
        if args.document:  # a long run that is stopped has written what it found
            write_document(args.document, Measured.kept(STAGES + LONG), facts)
    Console(width=140).print(_shown(found))
    return int(failed)


def _words(args: argparse.Namespace) -> list[str]:
    return [*(["--full"] if args.full else []), *args.names]


def _results(name: str, *, full: bool) -> Iterator[Result]:
    run = importlib.import_module(f"benchmarks.{name}").run
    return run(full=full) if "full" in inspect.signature(run).parameters else run()


def _shown(results: list[Result]) -> Table:
    table = Table("name", "ours", "theirs", "unit", "ratio", "spread", "goal", "", "compared")
    marks = {True: "reached", False: "[bold]missed[/bold]", None: ""}
    for r in results:
        goal = "" if r.goal is None else f"{'>=' if r.higher_is_better else '<='} {r.goal:g}"
        spread = " to ".join(f"{value:.3g}" for value in r.spread)
        numbers = (f"{r.ours:.4g}", f"{r.theirs:.4g}", r.unit, f"{r.ratio:.3g}", spread)
        table.add_row(r.name, *numbers, goal, marks[r.reached], r.note)
    return table


if __name__ == "__main__":
    sys.exit(main())
