"""Extract a mock box, against reading its bytes, and against loops over its galaxies.

The limits are HDF5 reading the same datasets in large slices, and that with the bytes of the result
written as one stream. The goal is set against the first, and stays, though one process cannot reach
it: a result is nearly as large as what is read, so that a bare copy already reaches only 0.2 to 0.4
of reading from the page cache, and extracting also dates, centres and turns every star and measures
each galaxy. The second limit is that copy.

The peers only read: `loadSubhalo` of illustris_python for each galaxy and particle type, and
pynbody's catalogue of subhalos, with the same datasets.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq

from benchmarks.boxes import SNAPSHOT, memory, mock_box
from benchmarks.peers import MissingPeer, peer
from benchmarks.result import Result, alternate
from morphosphere.extract.__main__ import main
from morphosphere.progress import log

#: Galaxies of the box and how often they stand in it: some 0.5 GiB, and 2 GiB.
GALAXIES, COPIES, COPIES_FULL = 100, 6, 24
GOAL, GOAL_PEER = 0.8, 10
#: Particles read at once by the limit, and bytes written at once.
SLICE, BLOCK = 1 << 20, 1 << 23
#: Galaxies that the loop is given in a short run; its time is a linear function of their number.
PART = 100
REPEATS = 5
#: Datasets that are extracted from a mock box.
DATASETS = {
    "PartType4": [
        "Coordinates",
        "Velocities",
        "Masses",
        "GFM_InitialMass",
        "GFM_StellarFormationTime",
        "GFM_Metallicity",
        "StellarHsml",
        "GFM_StellarPhotometrics",
    ],
    "PartType0": [
        "Coordinates",
        "Velocities",
        "Masses",
        "GFM_Metallicity",
        "StarFormationRate",
        "Density",
    ],
}
PEER_FIELDS = {"stars": DATASETS["PartType4"], "gas": DATASETS["PartType0"]}


def run(*, full: bool = False) -> Iterator[Result]:
    """One process on both sides, inputs in the page cache, results in memory if they can be."""
    box = mock_box(GALAXIES, COPIES_FULL if full else COPIES, files=1)
    files = sorted(box.glob("snapdir_*/*.hdf5"))
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        folder = Path(name)
        words = ["--simulation", "mock", "--snapshot", str(SNAPSHOT), "--input", str(box)]

        def ours() -> None:
            if main([*words, "--output", str(folder / "galaxies")]):
                raise SystemExit("benchmark extract: the stage failed")

        ours()
        written = sum(path.stat().st_size for path in (folder / "galaxies").iterdir())
        size = sum(map(read, files))
        pair = alternate(ours, lambda: [read(file) for file in files], repeats=REPEATS)
        note = f"h5py reading the same {size / 2**20:.0f} MiB in slices, page cache, one process"
        yield pair.result("extract", size / 2**20, "MiB/s", GOAL, note)
        pair = alternate(ours, lambda: copy(files, folder / "copy", written), repeats=REPEATS)
        note = f"the same, and {written / 2**20:.0f} MiB written as one stream"
        yield pair.result("extract-write", (size + written) / 2**20, "MiB/s", None, note)
        yield from _peers(box, folder / "galaxies" / "galaxies.parquet", ours, full)


def _peers(box: Path, table: Path, ours: Callable[[], object], full: bool) -> Iterator[Result]:
    galaxies = pq.read_table(table, columns=["subhalo_id", "n_stars"])
    ids = galaxies["subhalo_id"].to_pylist()
    missing = []
    for name, call, part in (
        ("illustris_python", "loop", len(ids) if full else min(PART, len(ids))),
        ("pynbody", "pynbody", len(ids)),
    ):
        taken = ids[:: len(ids) // part][:part]
        words = {"path": str(box), "snapshot": SNAPSHOT, "ids": taken, "fields": PEER_FIELDS}
        try:
            with peer("peers", "extract_peer", threads=1) as other:
                found = other.ask(call, **words)["value"]
                check = _particles(box, taken)
                if found != check:
                    raise MissingPeer(f"{name}: read {found}, not {check} particles")
                pair = alternate(ours, partial(other.seconds, call, **words), repeats=3)
        except MissingPeer as why:
            log(f"benchmark extract: {why}")
            missing.append(str(why))
            continue
        note = f"{name} reading the same datasets of each galaxy; it computes and writes nothing"
        if part < len(ids):
            note += f"; given {part} of {len(ids)}"
        goal = GOAL_PEER if name == "illustris_python" else None
        yield pair.result(
            f"extract-{name}", len(ids), "galaxies/s", goal, note, their_amount=part, read=found
        )
    if missing:
        raise MissingPeer("; ".join(missing))


def read(path: Path) -> int:
    """Read what is extracted of one file in large slices; bytes."""
    total = 0
    with h5py.File(path) as file:
        for name in DATASETS.keys() & set(file):
            for key in DATASETS[name]:
                item = file[name][key]
                for start in range(0, len(item), SLICE):
                    total += item[start : start + SLICE].nbytes
    return total


def copy(files: list[Path], path: Path, size: int) -> None:
    """Read as `read` does, then write so many bytes; to a file that is made anew and synced."""
    for file in files:
        read(file)
    block = np.ones(BLOCK, dtype=np.uint8)
    path.unlink(missing_ok=True)
    with open(path, "wb", buffering=0) as out:
        for start in range(0, size, BLOCK):
            out.write(block[: size - start])
        os.fsync(out.fileno())


def _particles(box: Path, ids: list[int]) -> dict[str, int]:
    """Particles of some subhalos by the catalogue, as the peers should count them."""
    from morphosphere.snapshots.families import open_snapshot

    counts = open_snapshot(box, SNAPSHOT).subhalos().count
    return {name: int(counts[name][ids].sum()) for name in PEER_FIELDS}
