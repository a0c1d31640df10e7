"""What the benchmark tells of the tiles of a catalogue HiPS, ours and the peer's."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hips_catalogue import facts_of, ours, write_table


def test_tiles_with_comments_and_without_are_counted_alike(tmp_path: Path) -> None:
    for order, text in ((1, "# Completeness = 2 / 5\na\tb\n1\t2\n3\t4\n"), (3, "a\tb\n5\t6")):
        tiles = tmp_path / f"Norder{order}" / "Dir0"
        tiles.mkdir(parents=True)
        (tiles / "Npix7.tsv").write_text(text)
    (tmp_path / "Norder1" / "Allsky.tsv").write_text("a\tb\n1\t2\n")
    facts = {"tiles": 2, "rows": 3, "rows_of_a_tile": 1.5, "megabytes": 0.0, "deepest_order": 3}
    assert facts_of(tmp_path) == facts


def test_all_made_rows_are_in_tiles(tmp_path: Path) -> None:
    write_table(tmp_path / "table.parquet", 2000)
    assert ours(tmp_path / "table.parquet", tmp_path / "hips", 10) > 0
    assert facts_of(tmp_path / "hips")["rows"] == 2000
