"""Mock boxes of a chosen size in the IllustrisTNG layout, made quickly and kept between runs.

A small box is made by the mock, and a large one is that box several times over: files of their own
with groups of their own, so that no byte is read twice. The particles of no group make a group of
their own in each copy, since those of the next copy follow them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

from benchmarks.work import FOLDER, ROOT
from morphosphere.files import atomic_directory

SNAPSHOT = 99
TYPES = 6


def memory() -> Path | None:
    """A folder in memory for results, so that no disk is measured; None if there is none."""
    place = Path("/dev/shm")
    return place if os.access(place, os.W_OK) else None


def mock_box(galaxies: int, copies: int, **settings: object) -> Path:
    """A box of ``galaxies * copies`` galaxies; made if it is not there.

    Beside ``snapdir_099`` and ``groups_099`` stands ``../postprocessing/offsets``, which
    illustris_python needs.

    Parameters
    ----------
    galaxies, copies : int
        Galaxies that the mock makes, and how often they stand in the box.
    **settings
        Further settings of the mock: ``stars_range``, ``files`` (of one copy), ...

    Returns
    -------
    Path
        ``.../output``, as simulations name the folder.
    """
    chosen = {"galaxies": galaxies, "workers": len(os.sched_getaffinity(0)), **settings}
    folder = FOLDER / "boxes" / f"{_digest({**chosen, 'workers': 1})}-{copies}"
    if folder.exists():
        return folder / "output"
    with atomic_directory(folder) as made:
        words = ["--settings", json.dumps(chosen), "--output", str(made / "one")]
        command = [sys.executable, "-m", "morphosphere.snapshots.mock", *words]
        subprocess.run(command, check=True, capture_output=True)
        enlarge(made / "one", made / "output", copies)
        write_offsets(made / "output")
        shutil.rmtree(made / "one")
    return folder / "output"


def enlarge(one: Path, many: Path, copies: int) -> None:
    """Write a box with the contents of another several times over; see the module."""
    particles, tables = _files(one, "snapdir"), _files(one, "groups")
    with h5py.File(particles[0]) as first, h5py.File(tables[0]) as table:
        loose = _total(first) - np.concatenate(_column(tables, "Group/GroupLenType")).sum(axis=0)
        groups = int(table["Header"].attrs["Ngroups_Total"])
        subhalos = int(table["Header"].attrs["Nsubgroups_Total"])
        total = _total(first) * copies
    shape = {"NumPart_Total": (total & 0xFFFFFFFF).astype(np.uint32)}
    shape["NumPart_Total_HighWord"] = (total >> 32).astype(np.uint32)
    shape["NumFilesPerSnapshot"] = np.int32(len(particles) * copies)
    for copy in range(copies):
        for number, path in enumerate(particles, start=copy * len(particles)):
            with h5py.File(_copied(path, many, number), "r+") as file:
                file["Header"].attrs.update(shape)
                file["Parameters"].attrs["NumFilesPerSnapshot"] = shape["NumFilesPerSnapshot"]
        for number, path in enumerate(tables, start=copy * len(tables)):
            with h5py.File(_copied(path, many, number), "r+") as file:
                if len(file.get("Subhalo", ())):
                    file["Subhalo/SubhaloGrNr"][...] += np.int32(copy * (groups + 1))
                if len(file.get("Group", ())):
                    values = file["Group/GroupFirstSub"][()]
                    values[values >= 0] += copy * subhalos
                    file["Group/GroupFirstSub"][...] = values
                header = file["Header"].attrs
                if path == tables[-1]:
                    _add_group(file["Group"], loose)
                    header["Ngroups_ThisFile"] += np.int32(1)
                header["Ngroups_Total"] = np.int32((groups + 1) * copies)
                header["Nsubgroups_Total"] = np.int32(subhalos * copies)
                header["NumFiles"] = np.int32(len(tables) * copies)


def write_offsets(output: Path) -> None:
    """Write ``postprocessing/offsets`` beside a box: first rows of files and first particles."""
    particles, tables = _files(output, "snapdir"), _files(output, "groups")
    counts = np.array([_header(path, "NumPart_ThisFile") for path in particles], dtype=np.int64)
    length = np.concatenate(_column(tables, "Subhalo/SubhaloLenType")).astype(np.int64)
    group = np.concatenate(_column(tables, "Subhalo/SubhaloGrNr"))
    groups = np.concatenate(_column(tables, "Group/GroupLenType")).astype(np.int64)
    starts, before = _first(groups), _first(length)
    rows = {
        name: _first(np.array([_header(path, f"N{key}_ThisFile") for path in tables]))
        for name, key in (("Subhalo", "subgroups"), ("Group", "groups"))
    }
    folder = output.parent / "postprocessing" / "offsets"
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / f"offsets_{SNAPSHOT:03d}.hdf5", "w") as file:
        file["FileOffsets/SnapByType"] = _first(counts)
        for name, values in rows.items():
            file[f"FileOffsets/{name}"] = values
        within = before - before[np.searchsorted(group, group)]
        file["Subhalo/SnapByType"] = starts[group] + within
        file["Group/SnapByType"] = starts


def _add_group(group: h5py.Group, particles: np.ndarray) -> None:
    """One more row: a group of so many particles without subhalos."""
    own = {"GroupLenType": particles, "GroupLen": particles.sum(), "GroupFirstSub": -1}
    for name, item in list(group.items()):
        values = item[()]
        row = np.zeros_like(values[:1])
        row[...] = own.get(name, 0)
        del group[name]
        group[name] = np.concatenate([values, row])


def _files(box: Path, kind: str) -> list[Path]:
    found = (box / f"{kind}_{SNAPSHOT:03d}").glob("*.hdf5")
    return sorted(found, key=lambda path: int(path.suffixes[-2][1:]))


def _copied(path: Path, box: Path, number: int) -> Path:
    stem = path.name.split(".")[0]
    target = box / path.parent.name / f"{stem}.{number}.hdf5"
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(path, target))


def _header(path: Path, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return np.asarray(file["Header"].attrs[name])


def _total(file: h5py.File) -> np.ndarray:
    header = file["Header"].attrs
    high = header["NumPart_Total_HighWord"].astype(np.int64)
    return header["NumPart_Total"].astype(np.int64) + (high << 32)


def _column(paths: list[Path], name: str) -> list[np.ndarray]:
    """A dataset of the catalogue, file by file; files without rows are left out."""
    parts = []
    for path in paths:
        with h5py.File(path) as file:
            if name in file:
                parts.append(file[name][()])
    return parts


def _first(counts: np.ndarray) -> np.ndarray:
    """Sums of what comes before, along the first axis."""
    return np.cumsum(counts, axis=0) - counts


def _digest(settings: dict[str, object]) -> str:
    """Digest of the settings and of the code of the mock."""
    code = sorted((ROOT / "src" / "morphosphere" / "snapshots" / "mock").glob("*.py"))
    said = json.dumps(settings, sort_keys=True).encode()
    return hashlib.sha256(b"".join([said, *(path.read_bytes() for path in code)])).hexdigest()[:12]
