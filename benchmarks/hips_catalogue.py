"""Write a catalogue as HiPS, against plain writes of the same files and against hipscatalog-gen.

Rows are spread over the whole sky, which makes the most tiles. The peer has the same rows, columns
and deepest order; it shares rows among orders by a rule of its own, so that the tiles of both are
told beside the ratio. It takes some ten milliseconds for each tile, so both make tiles of some
hundred rows here, as catalogues are published; its cluster of two workers is started within the
counted time, as its command does it.

Plain writes go to the page cache at gigabytes a second, which is told without a goal, since no
program comes near it: pyarrow takes several times as long only to turn the same numbers into text,
in one thread and in the order of the table (``csv_seconds``).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pyarrow import csv

from benchmarks.peak import Peak, peak_of
from benchmarks.peers import MissingPeer, peer
from benchmarks.result import Pair, Result, Seconds, alternate
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.config.hips import HipsSettings
from morphosphere.surveys.catalogue.hips import OnSphere, write_hips

ROWS, ROWS_FULL = 1_000_000, 10_000_000
#: Rows that a tile adds: the default, and so many that orders end at 4, the peer's least.
SMALL_TILES, LARGE_TILES = 20, 500
#: Memory may grow by this with ten times the rows, as in `memory`.
FLAT = 1.1
_BATCH = 65536
_ALONE = """
import sys
from pathlib import Path
from benchmarks.hips_catalogue import ours
ours(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
"""


def run(*, full: bool = False) -> Iterator[Result]:
    """Both sides on two cores; with `full`, small tiles and, for us alone, ten million rows too."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, tenth = folder / "catalogue.parquet", folder / "tenth.parquet"
        write_table(table, ROWS)
        write_table(tenth, ROWS // 10)
        for rows in (LARGE_TILES, SMALL_TILES) if full else (LARGE_TILES,):
            yield _limit(table, folder, rows)
        yield _memory(tenth, table, folder)
        theirs: list[Seconds] = []
        yield _peer(table, folder, theirs, repeats=3 if full else 1)
        if full:
            large = folder / "large.parquet"
            write_table(large, ROWS_FULL)
            pair = Pair([(float(ours(large, folder / "large", LARGE_TILES)), float(theirs[-1]))])
            note = f"{ROWS_FULL} rows, against hipscatalog-gen's rate with {ROWS}"
            yield pair.result(
                "hips_catalogue-ten_million", ROWS_FULL, "rows/s", 5.0, note, their_amount=ROWS
            )


def write_table(path: Path, rows: int) -> None:
    """Write a Catalogue of `rows` galaxies all over the sky: a name, a score, three properties."""
    random = np.random.default_rng(0)
    with CatalogueWriter(path) as out:
        for first in range(0, rows, _BATCH):
            count = min(_BATCH, rows - first)
            out.append(
                {
                    "id": np.array(
                        [f"target-{n:09d}" for n in range(first, first + count)], object
                    ),
                    "ra": random.uniform(0, 360, count),
                    "dec": np.degrees(np.arcsin(random.uniform(-1, 1, count))),
                    "score": random.uniform(size=count),
                    "magnitude": random.uniform(16, 24, count).astype(np.float32),
                    "radius": random.gamma(2.0, 1.0, count).astype(np.float32),
                    "class": random.integers(0, 5, count),
                }
            )


def ours(table: Path, output: Path, rows: int) -> Seconds:
    """Make the HiPS with `rows` rows of a tile; what was there is removed before, uncounted."""
    shutil.rmtree(output, ignore_errors=True)
    settings = HipsSettings(catalogue_rank="score", catalogue_rows=rows)
    return _timed(lambda: write_hips(output, OnSphere(table, "ra", "dec"), "hips_sky", settings))


def _timed(work: Callable[[], object]) -> Seconds:
    start = time.perf_counter()
    work()
    return Seconds(time.perf_counter() - start)


def facts_of(root: Path) -> dict[str, Any]:
    """Tiles, rows, bytes and deepest order of a catalogue HiPS."""
    tiles = list(root.glob("Norder*/Dir*/Npix*.tsv"))
    rows = size = 0
    for path in tiles:
        text = path.read_bytes()
        size += len(text)
        rows += sum(1 for line in text.splitlines() if line and not line.startswith(b"#")) - 1
    orders = [int(path.parts[-3].removeprefix("Norder")) for path in tiles]
    return {
        "tiles": len(tiles),
        "rows": rows,
        "rows_of_a_tile": round(rows / max(1, len(tiles)), 1),
        "megabytes": round(size / 1e6, 1),
        "deepest_order": max(orders, default=-1),
    }


def _limit(table: Path, folder: Path, rows: int) -> Result:
    output, copy = folder / "ours", folder / "copy"
    ours(table, output, rows)
    facts = facts_of(output)
    if facts["rows"] != ROWS:
        raise SystemExit(f"hips_catalogue: {facts['rows']} rows of {ROWS} are in the tiles")
    files = {p.relative_to(output): p.read_bytes() for p in output.rglob("*") if p.is_file()}

    def write() -> None:
        for parent in {name.parent for name in files}:
            os.makedirs(copy / parent, exist_ok=True)
        for name, data in files.items():
            with open(f"{copy}/{name}", "wb", buffering=0) as out:
                out.write(data)

    def plain() -> Seconds:
        shutil.rmtree(copy, ignore_errors=True)
        return _timed(write)

    pair = alternate(lambda: ours(table, output, rows), plain, repeats=3)
    note = f"{ROWS} rows; plain writes of the same {len(files)} files from memory"
    more = {"ours": facts, "csv_seconds": round(_as_text(table, folder), 3)}
    return pair.result(f"hips_catalogue-writes_{rows}", ROWS, "rows/s", None, note, **more)


def _as_text(table: Path, folder: Path) -> Seconds:
    """Seconds of writing the same columns as one file of tab-separated values."""
    columns = pq.read_table(table, use_threads=False)
    options = csv.WriteOptions(delimiter="\t", quoting_style="none")
    return _timed(lambda: csv.write_csv(columns, folder / "table.tsv", options))


def _memory(tenth: Path, table: Path, folder: Path) -> Result:
    """Peak memory of a process that makes the HiPS and nothing else."""
    small, large = (
        peak_of([sys.executable, "-c", _ALONE, path, folder / "alone", SMALL_TILES])
        for path in (tenth, table)
    )
    each = max(0.0, large - small) * 2**20 / (ROWS - ROWS // 10)
    note = f"10 times {ROWS // 10} rows; {each:.0f} bytes for each"
    return Result("hips_catalogue-memory", large, small, FLAT, False, "MiB", note)


def _settings(table: Path, output: Path, order: int) -> dict[str, Any]:
    return {
        "input": {"paths": [str(table)], "format": "parquet"},
        "columns": {"ra": "ra", "dec": "dec"},
        "algorithm": {
            "selection_mode": "score_global",
            "level_limit": order,
            "selection_defaults": {"order_desc": True},
            "score_global": {"score_column": "score"},
        },
        "cluster": {"n_workers": 2, "threads_per_worker": 1, "diagnostics_mode": "off"},
        "output": {"out_dir": str(output), "cat_name": "benchmark", "overwrite": True},
    }


def _peer(table: Path, folder: Path, taken: list[Seconds], *, repeats: int) -> Result:
    output, theirs, plain = folder / "ours", folder / "theirs", folder / "plain.parquet"
    # Units and descriptions of our columns are nothing to the peer, and they are left out.
    pq.write_table(pq.read_table(table).replace_schema_metadata(), plain)
    turns = []
    with peer("peers", "hipscatalog_peer", threads=1) as other:
        peak = Peak(other.ask("pid")["value"], interval=0.1)
        ours(table, output, LARGE_TILES)  # a warm-up
        order = facts_of(output)["deepest_order"]
        settings = _settings(plain, theirs, order)
        for _ in range(repeats):  # no warm-up of the peer, a turn of which takes a minute or more
            before = ours(table, output, LARGE_TILES)
            taken.append(other.seconds("work", settings=settings))
            after = ours(table, output, LARGE_TILES)
            turns.append(((before + after) / 2, float(taken[-1])))
        memory = round(peak.stop() / 2**20)
    facts = facts_of(theirs)
    if facts["rows"] != ROWS:
        raise MissingPeer(f"hipscatalog_peer: {facts['rows']} rows of {ROWS} are in its tiles")
    more = {"ours": facts_of(output), "theirs": facts, "their_peak_mib": memory}
    note = f"{ROWS} rows, same columns, orders to {order}; hipscatalog-gen with two workers"
    name = "hips_catalogue-hipscatalog_gen"
    return Pair(turns).result(name, ROWS, "rows/s", 5.0, note, **more)
