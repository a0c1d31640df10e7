"""Run the benchmarks and print a table: ``python -m benchmarks [name ...]``."""

from __future__ import annotations

import argparse
import importlib
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.result import Result
from morphosphere.progress import log

NAMES = (
    "start",
    "extract",
    "render",
    "collect",
    "predict",
    "hips",
    "ranks",
    "scaling",
    "memory",
    "demo",
    "overhead",
    "quality",
    "encounters",
    "nbody",
    "scaling_mergers",
    "survey_predict",
    "survey_catalogue",
    "sersic_simulate",
)


def main() -> int:
    """Run the named benchmarks, or all; a missed goal is shown, not an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    names = parser.parse_args().names or NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    results = []
    for name in names:
        log(f"benchmark {name} ...")
        for result in importlib.import_module(f"benchmarks.{name}").run():
            result.write()
            results.append(result)
    Console(width=140).print(_table(results))
    return 0


def _table(results: list[Result]) -> Table:
    table = Table("name", "ours", "theirs", "unit", "ratio", "goal", "", "compared")
    for r in results:
        goal = f"{'>=' if r.higher_is_better else '<='} {r.goal:g}"
        mark = "reached" if r.reached else "[bold]missed[/bold]"
        table.add_row(
            r.name, f"{r.ours:.4g}", f"{r.theirs:.4g}", r.unit, f"{r.ratio:.3g}", goal, mark, r.note
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
