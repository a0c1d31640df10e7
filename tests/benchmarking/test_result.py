"""How benchmarks count: medians of alternating turns, ratios with their spread, the table."""

from __future__ import annotations

import json

import pytest
from benchmarks import __main__ as main_module
from benchmarks import document as document_module
from benchmarks import result as result_module
from benchmarks.document import BEGIN, END, Measured, write_document
from benchmarks.growth import exponents
from benchmarks.growth_figure import draw
from benchmarks.result import Pair, Result, Seconds, alternate

MACHINE = {
    "command": "python -m benchmarks",
    "day": "2026-01-01",
    "processor": "P",
    "cores": 2,
    "memory_gib": 24.0,
    "system": "Linux",
    "python": "3.11",
    "packages": {"numpy": "2"},
    "load_at_start": 0.1,
}


def test_sides_take_turns_after_a_warm_up():
    order = []
    ours = iter([9.0, 1.0, 2.0, 3.0])
    pair = alternate(
        lambda: order.append("ours") or Seconds(next(ours)),
        lambda: order.append("theirs") or Seconds(4.0),
        repeats=3,
    )
    assert order == ["ours", "theirs"] * 4
    assert pair.turns == [(1.0, 4.0), (2.0, 4.0), (3.0, 4.0)]
    assert tuple(pair) == (2.0, 4.0)


def test_rates_their_ratio_and_its_quartiles():
    pair = Pair([(1.0, 4.0), (2.0, 4.0), (4.0, 4.0)])
    found = pair.result("stage-peer", 100, "images/s", 5, "equal", error=0.01)
    assert (found.ours, found.theirs, found.ratio) == (50, 25, 2)
    assert found.spread == (1.5, 3)
    assert found.reached is False
    assert found.more == {"error": 0.01}
    drifting = Pair([(1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (1.0, 9.0)])
    assert drifting.result("stage", 1, "s", None, "").ratio == 2
    part = pair.result("stage-peer", 100, "images/s", 5, "a part of it", their_amount=10)
    assert part.ratio == 20
    assert part.reached is True


def test_a_result_is_kept_with_its_ratio(tmp_path, monkeypatch):
    monkeypatch.setattr(result_module, "FOLDER", tmp_path)
    Result("memory", 3.0, 2.0, 1.1, False, more={"rows": 5}).write()
    kept = json.loads((tmp_path / "memory.json").read_text())
    assert (kept["ratio"], kept["reached"], kept["more"]) == (1.5, False, {"rows": 5})


def test_the_table_goes_between_the_marks_and_says_what_is_missing(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    found = Result("a", 2.0, 1.0, 1.0, True, "MiB/s", "same bytes", (1.9, 2.1), 5)
    tables = [
        Measured("a", [found, Result("b", 1, 1, None, True)], None, MACHINE),
        Measured("c", [], "no peer", {**MACHINE, "command": "python -m benchmarks c"}),
    ]
    write_document(page, tables, MACHINE)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "2 cores" in text
    assert "- `python -m benchmarks c`, 2026-01-01, load 0.1 before the start: c." in text
    assert "| a | 2 | 1 | MiB/s | 2 (1.9 to 2.1) | ≥ 1 | yes | same bytes |" in text
    assert "not measured | no peer |" in text
    write_document(page, [], MACHINE)
    assert page.read_text().count(BEGIN) == 1
    (tmp_path / "other.md").write_text("no marks")
    with pytest.raises(SystemExit, match=r"other\.md has no lines"):
        write_document(tmp_path / "other.md", [], MACHINE)


def test_tables_of_earlier_runs_stay_if_the_machine_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(document_module, "FOLDER", tmp_path)
    later = {**MACHINE, "load_at_start": 0.5}
    for machine in (MACHINE, later):
        Measured("b", [Result("b", 3.0, 2.0, 1.0, True, spread=(1.0, 2.0))], None, machine).write()
    Measured("a", [], "no peer", {**MACHINE, "cores": 4}).write()
    kept = Measured.kept(["a", "b", "c"])
    assert [table.name for table in kept] == ["a", "b"]
    assert kept[1].machine == later
    assert kept[1].results[0].ratio == 1.5
    (tmp_path / "page.md").write_text(f"{BEGIN}{END}")
    write_document(tmp_path / "page.md", kept, MACHINE)
    text = (tmp_path / "page.md").read_text()
    assert "| b | 3 | 2 |" in text
    assert "no peer" not in text


def test_a_benchmark_that_fails_is_told_and_the_others_are_measured(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}{END}")

    def results(name, *, full):
        yield Result(f"{name}-first", 2.0, 1.0, 1.0, True)
        if name == "render":
            raise TypeError("a | b\nc")
        if name == "collect":
            raise SystemExit("the stage failed")

    for module in (result_module, document_module):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(main_module, "_results", results)
    words = ["render", "collect", "index", "--document", str(page)]
    monkeypatch.setattr("sys.argv", ["benchmarks", *words])
    assert main_module.main() == 1
    text = page.read_text()
    assert "| render | | | | | | not measured | failed: TypeError: a \\| b c |" in text
    assert "| collect | | | | | | not measured | failed: SystemExit: the stage failed |" in text
    for name in ("render", "collect", "index"):
        assert f"| {name}-first | 2 | 1 |" in text
    monkeypatch.setattr("sys.argv", ["benchmarks", "index"])
    assert main_module.main() == 0


def test_exponents_are_those_of_a_power_law():
    work = [1.0, 3.0, 10.0, 30.0]
    whole, last = exponents(work, [2 * x**0.7 for x in work])
    assert whole == pytest.approx(0.7)
    assert last == pytest.approx(0.7)
    whole, last = exponents(work, [5 + x for x in work])
    assert whole < last < 1


def test_growth_is_drawn_in_colour(tmp_path):
    found = {"work": [1, 3, 10], "seconds": [1.0, 2.0, 5.0], "mib": [100.0, 101.0, 104.0]}
    draw({"extract": found, "render": found}, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 5000
