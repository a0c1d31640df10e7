"""Sources that are put aside on disk come out as if all had been in memory."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import hpgeom
import numpy as np
import pyarrow as pa
import pytest

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.hips import sources
from morphosphere.hips.lines import lines_of
from morphosphere.hips.partition import LAST_ORDER, cut

from .conftest import tree

COUNT = 3000


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Sources all over the sphere and a crowd in one place; some without place, rank or name."""
    random = np.random.default_rng(4)
    lon = np.where(np.arange(COUNT) % 3, random.uniform(0, 360, COUNT), random.normal(80, 1, COUNT))
    lat = np.degrees(np.arcsin(random.uniform(-1, 1, COUNT)))
    lat[::3] = random.normal(20, 1, COUNT)[::3]
    lon[::50] = np.nan
    rank = random.integers(0, 40, COUNT).astype(np.float64)
    rank[::17] = np.nan
    path = tmp_path / "catalogue.parquet"
    with CatalogueWriter(path) as out:
        for rows in np.array_split(np.arange(COUNT), 7):
            names = np.array([f"name {row}" for row in rows], dtype=object)
            out.append({"image_id": names, "lon": lon[rows], "lat": lat[rows], "rank": rank[rows]})
    return Catalogue(path)


def written(catalogue: Catalogue, root: Path, bucket: int, monkeypatch, **words: object) -> dict:
    """All files of a catalogue HiPS that was made with so many sources in memory."""
    root.mkdir()
    monkeypatch.setattr(sources, "BUCKET", bucket)
    fields = sources.fields_of(catalogue)
    sources.write_sources(root, catalogue, fields, **{"rank": "rank", "rows": 2, **words})
    return tree(root)


@pytest.mark.parametrize("rank", ["rank", "-rank"])
def test_memory_for_less_does_not_change_a_byte(
    catalogue: Catalogue, tmp_path: Path, monkeypatch, rank: str
) -> None:
    whole = written(catalogue, tmp_path / "whole", COUNT, monkeypatch, rank=rank)
    assert len(whole) > 500
    for bucket in (700, 130):
        made = written(catalogue, tmp_path / str(bucket), bucket, monkeypatch, rank=rank)
        assert made == whole


def test_tiles_show_the_best_that_none_above_them_shows(
    catalogue: Catalogue, tmp_path: Path, monkeypatch
) -> None:
    """Against a plain loop over the sources in order of rank."""
    table = catalogue.read(["lon", "lat", "rank"])
    worth = np.where(np.isnan(table["rank"]), -np.inf, table["rank"])
    known = np.isfinite(table["lon"])
    shown: dict[tuple[int, int], list[int]] = {}
    for row in np.argsort(-worth, kind="stable").tolist():
        if not known[row]:
            continue
        for order in range(LAST_ORDER + 1):
            place = table["lon"][row], table["lat"][row]
            tile = (order, int(hpgeom.angle_to_pixel(1 << order, *place)))
            if len(shown.setdefault(tile, [])) < 2 or order == LAST_ORDER:
                shown[tile].append(row)
                break
    root = tmp_path / "made"
    written(catalogue, root, 200, monkeypatch)
    found = {}
    for path in root.glob("Norder*/Dir*/*.tsv"):
        lines = path.read_text().splitlines()[2:]
        tile = (int(path.parts[-3][6:]), int(path.stem[4:]))
        found[tile] = [int(line.split("\t")[0]) for line in lines]
    assert found == {tile: rows for tile, rows in shown.items() if rows}


def test_a_second_run_leaves_nothing_of_the_first(
    catalogue: Catalogue, tmp_path: Path, monkeypatch
) -> None:
    root = tmp_path / "made"
    first = written(catalogue, root, 200, monkeypatch)
    sources.write_sources(root, catalogue, sources.fields_of(catalogue), rank="rank", rows=40)
    assert len(tree(root)) < len(first)
    assert not list(root.glob(".*"))


def test_leaves_cover_the_sphere_and_hold_no_more_than_they_may() -> None:
    counts = np.random.default_rng(1).integers(0, 9, 12 * 4**3)
    counts[77] = 500
    leaves = cut(counts, 40)
    pixels = np.arange(len(counts)) << 2 * (LAST_ORDER - 3)
    leaf = leaves.of(pixels)
    held = np.bincount(leaf, weights=counts)
    assert (held[leaf[np.arange(len(counts)) != 77]] <= 40).sum() >= len(counts) - 1
    assert leaves.order[leaf[77]] == 3
    assert leaves.total == counts.sum() == held.sum()
    in_buckets = np.bincount(leaves.bucket, weights=held)
    assert (np.delete(in_buckets, leaves.bucket[leaf[77]]) <= 40).all()
    for (order, tile), number in leaves.above.items():
        assert number == counts[tile * 4 ** (3 - order) : (tile + 1) * 4 ** (3 - order)].sum() > 40


def test_lines_bring_numbers_back_and_hold_texts_in_their_field() -> None:
    numbers = np.array([np.pi * 1e5, np.nan, 1e-7, -0.5])
    columns = [
        pa.array([1, None, 3, -4]),
        pa.array(numbers),
        pa.array(numbers.astype(np.float32)),
        pa.array([True, False, None, True]),
        pa.array(["a\tb\r\nc", " x ", None, 'é\u2003"']),
        pa.array(["u", "u", "v", None]).dictionary_encode(),
    ]
    text, edges = lines_of(columns)
    lines = [bytes(text[a:b]).decode() for a, b in pairwise(edges)]
    assert all(line.endswith("\n") for line in lines)
    cells = [line[:-1].split("\t") for line in lines]
    assert [row[0] for row in cells] == ["1", "", "3", "-4"]
    for column, kind in ((1, np.float64), (2, np.float32)):
        back = [kind(row[column]) if row[column] else np.nan for row in cells]
        np.testing.assert_array_equal(np.array(back, kind), numbers.astype(kind))
    assert [row[3] for row in cells] == ["1", "0", "", "1"]
    assert [row[4] for row in cells] == ["a b c", "x", "", 'é "']
    assert [row[5] for row in cells] == ["u", "u", "v", ""]
