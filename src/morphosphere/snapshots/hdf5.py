"""HDF5 files of a snapshot: opened with clear errors, few at a time, and joined."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from morphosphere.errors import InputError

#: Files that are kept open at once.
OPEN_FILES = 16


class OpenFiles:
    """HDF5 files by path, of which the least recently used are closed. Picklable."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, h5py.File] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"_open": OrderedDict()}

    def __getitem__(self, path: Path) -> h5py.File:
        """The open file.

        Raises
        ------
        InputError
            If the file is missing, truncated or not HDF5.
        """
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        self._open[path] = open_hdf5(path)
        if len(self._open) > OPEN_FILES:
            self._open.popitem(last=False)[1].close()
        return self._open[path]

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading.

    Raises
    ------
    InputError
        If the file is missing, truncated or not HDF5.
    """
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        if "truncated" in str(error):
            raise InputError(f"{path}: truncated; copy or download it again ({error})") from None
        raise InputError(f"{path}: cannot be read as HDF5 ({error})") from None


def attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """An attribute as a scalar if it holds one value (some writers make arrays of one)."""
    value = np.asarray(attributes[name])
    value = value.reshape(()) if value.size == 1 else value
    value = value[()]
    return value.decode() if isinstance(value, bytes) else value


def counts_by_type(attributes: Mapping[str, Any], name: str) -> np.ndarray:
    """Six particle numbers as int64, joined with the upper 32 bits where ``_HighWord`` is there."""
    low = np.asarray(attributes[name]).astype(np.int64)
    high = np.asarray(attributes.get(f"{name}_HighWord", 0)).astype(np.int64)
    return low + (high << 32) if (high >= 0).all() else low


def snapshot_files(folder: Path, number: int) -> list[Path]:
    """Files of snapshot `number` below `folder`, in the order of their number; may be empty."""
    return _numbered(folder, number, ("snapdir",), r"snap\w*")


def catalogue_files(folder: Path, number: int) -> list[Path]:
    """Files of the group catalogue `number` below `folder`, in order; may be empty."""
    return _numbered(folder, number, ("groups",), r"(?:fof_subhalo_tab|fof_tab|groups|subhalo_tab)")


def _numbered(folder: Path, number: int, folders: Sequence[str], stem: str) -> list[Path]:
    pattern = re.compile(rf"{stem}_0*{number}(?:\.(\d+))?\.(?:hdf5|h5)")
    places = [folder / f"{name}_{number:03d}" for name in folders] + [folder]
    for place in places:
        if not place.is_dir():
            continue
        found = {}
        for path in place.iterdir():
            if match := pattern.fullmatch(path.name):
                found[int(match[1] or 0), path.name] = path
        if found:
            return [found[key] for key in sorted(found)]
    return []


def check_complete(paths: Sequence[Path], expected: int) -> None:
    """Refuse a set of files of which some are missing.

    Raises
    ------
    InputError
        Naming the first file that is not there.
    """
    if len(paths) == expected:
        return
    match = re.fullmatch(r"(.*\.)(\d+)(\.\w+)", paths[0].name)
    if len(paths) > expected or match is None:
        raise InputError(
            f"{paths[0].parent}: {len(paths)} files, but the header of {paths[0].name} says "
            f"{expected}; remove what does not belong there, or copy what is missing"
        )
    there = {path.name for path in paths}
    names = (f"{match[1]}{i}{match[3]}" for i in range(expected))
    missing = [name for name in names if name not in there]
    raise InputError(
        f"{paths[0].parent / missing[0]}: missing; the header of {paths[0].name} says that there "
        f"are {expected} files, {len(missing)} of them are not there"
    )
