"""The families of snapshot files that can be read, and how to tell them apart."""

from __future__ import annotations

from pathlib import Path

from morphosphere.errors import InputError
from morphosphere.snapshots.cutouts import CutoutSnapshot
from morphosphere.snapshots.gadget4 import Gadget4Snapshot
from morphosphere.snapshots.galaxychop import GalaxyChopSnapshot, has_tables
from morphosphere.snapshots.hdf5 import catalogue_files, open_hdf5, snapshot_files
from morphosphere.snapshots.isolated import IsolatedSnapshot
from morphosphere.snapshots.protocol import Snapshot
from morphosphere.snapshots.tng import TngSnapshot

FAMILIES = ("tng", "gadget4", "cutouts", "galaxychop", "isolated")


def open_snapshot(path: str | Path, number: int, family: str = "auto") -> Snapshot:
    """Open one snapshot.

    Parameters
    ----------
    path : path-like
        Folder of a simulation (``snapdir_NNN``, ``groups_NNN``, or the files themselves), folder
        of cutouts, or a single file.
    number : int
        Number of the snapshot.
    family : str
        One of `FAMILIES`, or "auto" to look at the files.

    Raises
    ------
    InputError
        If nothing there can be read, naming what was looked for.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such folder or file; set the path of the simulation")
    folder = path.parent if path.is_file() else path
    snapshot, catalogue = snapshot_files(folder, number), catalogue_files(folder, number)
    if path.is_file() and path not in snapshot:
        snapshot, catalogue = [], []
    family = detect(path, number) if family == "auto" else family
    if family in ("cutouts", "galaxychop"):
        files = [path] if path.is_file() else hdf5_files(path)
        if not files:
            raise InputError(f"{path}: no files *.hdf5 or *.h5 in it")
        return CutoutSnapshot(files, number) if family == "cutouts" else GalaxyChopSnapshot(files)
    if not snapshot:
        raise InputError(_nothing(path, number))
    if family == "isolated":
        return IsolatedSnapshot(snapshot)
    if not catalogue:
        raise InputError(
            f"{folder}: snapshot {number} has no group catalogue (groups_{number:03d}/"
            f"fof_subhalo_tab_{number:03d}.0.hdf5); copy it, or set family to isolated to take the "
            "whole snapshot as one object"
        )
    return {"tng": TngSnapshot, "gadget4": Gadget4Snapshot}[family](snapshot, catalogue)


def detect(path: Path, number: int) -> str:
    """Family of the files of snapshot `number` at `path`.

    GADGET-4 keeps the cosmology in ``/Parameters``, AREPO (also) in ``/Header``. A snapshot whose
    space is not periodic and that has no group catalogue is an isolated object.

    Raises
    ------
    InputError
        If no family fits, naming what was looked for.
    """
    folder = path.parent if path.is_file() else path
    snapshot = snapshot_files(folder, number)
    if snapshot and (path.is_dir() or path in snapshot):
        with open_hdf5(snapshot[0]) as file:
            if "Header" not in file:
                raise InputError(f"{snapshot[0]}: has no group Header; no family of files fits")
            header = file["Header"].attrs
            parameters = file["Parameters"].attrs if "Parameters" in file else {}
            periodic = float(header.get("BoxSize", 0)) > 0
            if not catalogue_files(folder, number) and not periodic:
                return "isolated"
            if "HubbleParam" in header:
                return "tng"
            if "HubbleParam" in parameters:
                return "gadget4"
        raise InputError(
            f"{snapshot[0]}: neither Header nor Parameters has HubbleParam; no family of files "
            f"fits; set family to one of {', '.join(FAMILIES)}"
        )
    files = [path] if path.is_file() else hdf5_files(path)
    for candidate in files[:1]:
        with open_hdf5(candidate) as file:
            if has_tables(file):
                return "galaxychop"
            if "Header" in file and any(name.startswith("PartType") for name in file):
                return "cutouts"
    raise InputError(_nothing(path, number))


def hdf5_files(folder: Path) -> list[Path]:
    """HDF5 files of a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix in (".hdf5", ".h5") and p.is_file())


def _nothing(path: Path, number: int) -> str:
    return (
        f"{path}: no snapshot {number} there; looked for snapdir_{number:03d}/snap*_{number:03d}"
        f"[.N].hdf5, snap*_{number:03d}[.N].hdf5, and files that each hold one galaxy (*.hdf5, "
        "*.h5 with groups Header and PartTypeN, or with a table stars)"
    )
