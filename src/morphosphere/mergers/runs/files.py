"""Which snapshots a run has, and how each is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from morphosphere.config.merger_sources import RunSettings
from morphosphere.errors import InputError
from morphosphere.snapshots.families import hdf5_files, open_snapshot
from morphosphere.snapshots.hdf5 import snapshot_files
from morphosphere.snapshots.protocol import Snapshot

_NUMBERED = re.compile(r"snap\w*_(\d+)(?:\.\d+)?\.(?:hdf5|h5)|snapdir_(\d+)")


@dataclass(frozen=True)
class Moment:
    """One snapshot of a run.

    Attributes
    ----------
    number : int
        Of the snapshot; where the file's name has none, its place in the order of names.
    path : Path
        First file of the snapshot.
    """

    number: int
    path: Path

    @property
    def names(self) -> tuple[str, ...]:
        """What a table may call it."""
        folder = self.path.parent.name
        parts = (folder,) if folder.startswith("snapdir_") else ()
        return (self.path.name, self.path.stem, *parts, str(self.number))


def find_moments(settings: RunSettings) -> list[Moment]:
    """The snapshots of a run, in the order of their numbers.

    Raises
    ------
    InputError
        If the folder is missing or holds no snapshot, or not one that is named in the settings.
    """
    folder = Path(settings.path)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; correct `path` of the run")
    if settings.family in ("auto", "isolated"):
        numbers = sorted(
            {
                int(match[1] or match[2])
                for item in folder.iterdir()
                if (match := _NUMBERED.fullmatch(item.name))
            }
        )
        numbers = [n for n in numbers if n in (settings.snapshots or numbers)]
        moments = [Moment(n, files[0]) for n in numbers if (files := snapshot_files(folder, n))]
        if moments or settings.family == "isolated":
            return _wanted(moments, settings, folder)
    files = [p for p in hdf5_files(folder) if p.name != (settings.table or "")]
    moments = [Moment(_number(path, place), path) for place, path in enumerate(files)]
    moments.sort(key=lambda moment: moment.number)
    for one, other in pairwise(moments):
        if one.number == other.number:
            raise InputError(
                f"{other.path}: the same number {one.number} as {one.path.name}; each file of the "
                "folder must be one snapshot"
            )
    return _wanted(moments, settings, folder)


def _number(path: Path, place: int) -> int:
    match = re.search(r"(\d+)$", path.stem)
    return int(match[1]) if match else place


def _wanted(moments: list[Moment], settings: RunSettings, folder: Path) -> list[Moment]:
    if not moments:
        raise InputError(
            f"{folder}: no snapshot in it; looked for snap*_NNN[.N].hdf5, snapdir_NNN/ and files "
            "*.hdf5, *.h5; correct `path` of the run"
        )
    if settings.snapshots is None:
        return moments
    there = {moment.number: moment for moment in moments}
    if missing := [n for n in settings.snapshots if n not in there]:
        raise InputError(
            f"{folder}: no snapshot {missing[0]} in it, but `snapshots` of the run names it; there "
            f"are {', '.join(map(str, sorted(there)))}"
        )
    return [there[n] for n in sorted(settings.snapshots)]


def open_moment(moment: Moment, settings: RunSettings) -> Snapshot:
    """Open one snapshot of a run.

    Raises
    ------
    InputError
        If it is damaged, or files of it are missing.
    """
    if settings.family in ("auto", "isolated") and _NUMBERED.fullmatch(moment.path.name):
        return open_snapshot(settings.path, moment.number, "isolated")
    return open_snapshot(moment.path, moment.number, settings.family)
