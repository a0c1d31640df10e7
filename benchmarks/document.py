"""The table of a document, from what the benchmarks found, in this run and in earlier ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import FOLDER, Result
from morphosphere.files import read_json, write_json, write_text

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
#: What must be the same for the tables of two runs to stand together.
SAME = ("processor", "cores", "memory_gib", "system", "python", "packages")


@dataclass(frozen=True)
class Measured:
    """What one benchmark found.

    Attributes
    ----------
    name : str
        Of the benchmark.
    results : sequence of Result
    missing : str or None
        Why some of it was not measured.
    machine : dict
        Of `benchmarks.machine.machine`, with the command.
    """

    name: str
    results: Sequence[Result]
    missing: str | None
    machine: dict[str, Any]

    def write(self) -> None:
        """Keep as ``results/bench/tables/<name>.json``, in the place of an earlier one."""
        write_json(_place(self.name), dataclasses.asdict(self))

    @classmethod
    def kept(cls, names: Iterable[str]) -> list[Measured]:
        """Those of some names that are kept, in their order."""
        return [cls._read(_place(name)) for name in names if _place(name).exists()]

    @classmethod
    def _read(cls, path: Path) -> Measured:
        said = read_json(path)
        return cls(**{**said, "results": [Result(**row) for row in said["results"]]})


def _place(name: str) -> Path:
    return FOLDER / "tables" / f"{name}.json"


def write_document(path: Path, tables: Sequence[Measured], machine: dict[str, Any]) -> None:
    """Put the tables between the marks of a document; the rest of it stays.

    Tables of another machine than `machine`, or of other packages, are left out.

    Raises
    ------
    SystemExit
        If the document has no such marks.
    """
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no lines {BEGIN} and {END} to write the table between")
    alike = [t for t in tables if all(t.machine[key] == machine[key] for key in SAME)]
    write_text(path, f"{before}{BEGIN}\n\n{document(alike, machine)}\n\n{END}{after}")


def document(tables: Sequence[Measured], machine: dict[str, Any]) -> str:
    """Machine, versions and commands, then a row for each ratio."""
    packages = ", ".join(f"{name} {value}" for name, value in machine["packages"].items())
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
        f"{machine['system']}, Python {machine['python']}; {packages}.",
        "",
        *_commands(tables),
        "",
        "| name | ours | theirs | unit | ratio (quartiles) | goal | reached | compared |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for table in tables:
        lines += map(_row, table.results)
        if table.missing:
            why = " ".join(table.missing.split()).replace("|", "\\|")
            lines.append(f"| {table.name} | | | | | | not measured | {why} |")
    return "\n".join(lines)


def _commands(tables: Sequence[Measured]) -> list[str]:
    """A line for each run, with what it measured and how busy the machine was before."""
    runs: dict[tuple, list[str]] = {}
    for table in tables:
        facts = table.machine
        run = (facts["command"], facts["day"], facts["load_at_start"])
        runs.setdefault(run, []).append(table.name)
    return [
        f"- `{command}`, {day}, load {load:g} before the start: {', '.join(names)}."
        for (command, day, load), names in runs.items()
    ]


def _row(result: Result) -> str:
    ratio = f"{result.ratio:.3g}"
    if result.spread:
        ratio += " (" + " to ".join(f"{value:.3g}" for value in result.spread) + ")"
    goal = (
        "" if result.goal is None else f"{'≥' if result.higher_is_better else '≤'} {result.goal:g}"
    )
    reached = {True: "yes", False: "**no**", None: ""}[result.reached]
    numbers = f"{result.ours:.4g} | {result.theirs:.4g} | {result.unit}"
    return f"| {result.name} | {numbers} | {ratio} | {goal} | {reached} | {result.note} |"
