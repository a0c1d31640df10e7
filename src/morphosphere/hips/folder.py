"""The folder of a HiPS while it is being made: what may stay of an earlier run.

A fingerprint of settings and inputs stands in the folder. Tiles made under the same fingerprint are
kept; under another one they are removed. ``properties`` is removed first and written last, so a
folder that has it is complete.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import InputError
from morphosphere.files import atomic_path, digest, read_json, write_json

FINGERPRINT = "fingerprint.json"
#: Part of every fingerprint: raise it when tiles of the same settings come out differently.
DRAWING_VERSION = 2
#: Folder of a catalogue HiPS that is being written.
SCRATCH = ".rows"
_OURS = ("Norder*", "*.fits", "*.xml", "*.jpg", "*.json", "properties", ".pictures*", ".rows*")


def digest_images(images: ImageSet) -> list[str]:
    """Digests of an ImageSet's file and of the files whose images it refers to."""
    parts = {images.path}
    if images.images.is_virtual:
        parts.update(
            images.path.parent / part.file_name for part in images.images.virtual_sources()
        )
    return [digest(part) for part in sorted(parts)]


def prepare(root: Path, fingerprint: dict[str, Any]) -> bool:
    """Make `root` ready to be filled; return whether it holds tiles that count.

    Raises
    ------
    InputError
        If the folder holds files that are no HiPS of ours: they are not touched.
    """
    if root.exists() and not root.is_dir():
        raise InputError(f"{root}: is a file; name a folder for the layer")
    root.mkdir(parents=True, exist_ok=True)
    if _same(root, fingerprint):
        (root / "properties").unlink(missing_ok=True)
        return True
    leftovers = [item for item in root.iterdir() if ".partial" not in item.name]
    if leftovers and not (root / FINGERPRINT).exists():
        raise InputError(
            f"{root}: holds {leftovers[0].name}, but no {FINGERPRINT}, so it is not a map of ours; "
            "empty the folder or name another one"
        )
    (root / "properties").unlink(missing_ok=True)
    for pattern in _OURS:
        for item in root.glob(pattern):
            if item.name == FINGERPRINT:
                continue
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    write_json(root / FINGERPRINT, fingerprint)
    return False


def _same(root: Path, fingerprint: dict[str, Any]) -> bool:
    if not (root / FINGERPRINT).exists():
        return False
    try:
        return read_json(root / FINGERPRINT) == fingerprint
    except InputError:
        return False


def write_cells(root: Path, order: int, rows: np.ndarray) -> None:
    """Write which catalogue row each cell of a tile order shows, for the page."""
    with atomic_path(root / f"Norder{order}" / "cells.bin") as path:
        path.write_bytes(rows.astype("<i4").tobytes())


def clean(root: Path, *, scratch: bool) -> None:
    """Remove what killed runs left beside their files; with `scratch`, scratch files too."""
    patterns = [".*.partial*", "*.partial", "Norder*/.*.partial*", "Norder*/Dir*/.*.partial"]
    for pattern in [*patterns, *((".pictures", SCRATCH) if scratch else ())]:
        for item in root.glob(pattern):
            if item.is_dir():
                shutil.rmtree(item)
            else:
                item.unlink(missing_ok=True)
