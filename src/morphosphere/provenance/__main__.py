"""Command line: compare the results of two runs, or look whether those of one are as they were."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from morphosphere.errors import MorphosphereError
from morphosphere.provenance.compare import Comparison, compare
from morphosphere.provenance.nearly import Nearness, nearness
from morphosphere.provenance.runs import Run, read_run
from morphosphere.provenance.verify import verify

#: Names that are shown of a long list.
_SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; exit status 0 if all is the same, 1 if something differs, 2 for an error."""
    parser = argparse.ArgumentParser(prog="python -m morphosphere.provenance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    of_two = commands.add_parser("compare", help="compare the results of two runs by their digests")
    of_two.add_argument("a", type=Path, metavar="A", help="folder of a run, as in results/demo")
    of_two.add_argument("b", type=Path, metavar="B", help="folder of another run")
    of_two.add_argument(
        "--tolerance",
        type=float,
        metavar="T",
        help="of results with other digests compare the values, too: those that differ by at most "
        "T of their spread count as the same",
    )
    of_one = commands.add_parser("verify", help="look whether files are as the records say")
    of_one.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    args = parser.parse_args(argv)
    try:
        if args.command == "verify":
            return _verify(read_run(args.run))
        return _compare(read_run(args.a), read_run(args.b), args.tolerance)
    except (MorphosphereError, OSError) as error:
        print(f"morphosphere provenance: error: {error}", file=sys.stderr)
        return 2


def _compare(a: Run, b: Run, tolerance: float | None) -> int:
    found = compare(a, b)
    print(f"A: {a.folder}, {len(a.jobs)} jobs\nB: {b.folder}, {len(b.jobs)} jobs")
    near: dict[str, Nearness] = {}
    if tolerance is not None:
        near = {name: nearness(a.folder / name, b.folder / name) for name in found.differ}
    close = [name for name in found.differ if name in near and near[name].within(tolerance)]
    _list("made by A alone", found.only_a)
    _list("made by B alone", found.only_b)
    _list("differ", [_said(n, near.get(n)) for n in found.differ if n not in close])
    _list(f"differ by no more than {tolerance}", [_said(n, near.get(n)) for n in close])
    if found.differ:
        _list("results differ although inputs are the same", found.origins)
    _list("was different", found.causes)
    print(_sum(found, len(close)))
    return 0 if not (found.only_a or found.only_b) and len(close) == len(found.differ) else 1


def _sum(found: Comparison, close: int) -> str:
    if found.equal:
        return f"all {len(found.same)} results have the same digests"
    total = sum(map(len, (found.same, found.differ, found.only_a, found.only_b)))
    within = f", {close} differ within the tolerance" if close else ""
    return (
        f"{len(found.same)} of {total} results have the same digests{within}, "
        f"{len(found.differ) - close} differ, {len(found.only_a) + len(found.only_b)} are in one "
        "run alone"
    )


def _said(name: str, near: Nearness | None) -> str:
    return name if near is None else f"{name}: {near}"


def _list(title: str, lines: list[str]) -> None:
    if lines:
        print(f"{title}:")
        for line in lines[:_SHOWN]:
            print(f"  {line}")
        if len(lines) > _SHOWN:
            print(f"  and {len(lines) - _SHOWN} more")


def _verify(run: Run) -> int:
    wrong = verify(run)
    _list("not as the records say", wrong)
    count = len(run.outputs)
    print(f"{count - len(wrong)} of {count} results are as the records say")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
