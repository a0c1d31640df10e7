"""The page on scaling: what is written into it follows from a measurement."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.scaling_document import BEGIN, END, document
from benchmarks.scaling_figure import draw
from benchmarks.scaling_model import KEPT, NETWORKS, calibrated, efficiency, main
from PIL import Image

from factories_scaling import measurement
from morphosphere.files import read_json

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"


def test_tables_stand_between_the_marks_and_nothing_else_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    document(measurement(), page)
    once = page.read_text()
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once
    assert "| together over alone | 0.970 | 0.960 to 0.980 |" in once
    assert "Loading took 2.00% of a step" in once
    row = next(line for line in once.splitlines() if line.startswith("| 512 |")).split(" | ")
    assert row[1] == f"{efficiency(calibrated(measurement()), 512, NETWORKS[0]):.3f}"
    assert row[-1].rstrip(" |") == "0.73"
    document(measurement(), page)
    assert page.read_text() == once


def test_a_page_without_marks_is_left_as_it_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(SystemExit, match="no lines"):
        document(measurement(), page)
    assert page.read_text() == "nothing"


def test_the_figure_is_drawn(tmp_path):
    draw(measurement(), tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.width > 1000
        assert len(figure.convert("RGB").getcolors(1 << 20)) > 100


def test_the_page_says_what_the_kept_measurement_says(tmp_path, capsys):
    copy = tmp_path / "scaling.md"
    copy.write_text(PAGE.read_text())
    document(read_json(KEPT), copy)
    assert copy.read_text() == PAGE.read_text()
    assert main(["--calibration", str(KEPT)]) == 0
    assert "512" in capsys.readouterr().out
