"""All that is known of one galaxy, for a block of galaxies in one small JSON file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.files import write_text


def details_path(folder: Path, number: int) -> Path:
    """File of a block."""
    return folder / "details" / f"{number:05d}.json"


def plain(values: np.ndarray) -> list[Any]:
    """Values as JSON has them: seven digits for fractions, null for what is not finite."""
    if values.dtype.kind == "f":
        return [float(f"{v:.7g}") if math.isfinite(v) else None for v in values.tolist()]
    if values.dtype.kind == "O":
        return [None if v is None else str(v) for v in values]
    return values.tolist()


def write_details(path: Path, first: int, batch: dict[str, np.ndarray]) -> None:
    """Write a block: scalar columns under ``columns``, neighbours and their distances beside.

    Parameters
    ----------
    path : Path
    first : int
        Row of the catalogue of the first galaxy.
    batch : dict
        Column name to array, (n,) or (n, k).
    """
    block: dict[str, Any] = {"first": first, "columns": {}}
    for name, values in batch.items():
        if values.ndim == 2:
            block[name] = [plain(row) for row in values]
        else:
            block["columns"][name] = plain(values)
    write_text(path, json.dumps(block, separators=(",", ":"), allow_nan=False))
