"""Search by identifier without a server: sorted keys in blocks, found by bisection.

A galaxy is found by the beginning of its identifier and by the beginning of each part of it that
follows an underscore, so that ``tng_99_394242_c0`` is found by ``tng_99_39`` and by ``3942``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from morphosphere.files import atomic_path

BLOCK = 1024
#: Parts of an identifier that say nothing alone: the camera.
_CAMERA = re.compile(r"c\d+")


def keys_of(image_id: str) -> list[tuple[str, str]]:
    """(key, what stands before it) for one identifier; keys are in lower case."""
    out = [(image_id.lower(), "")]
    for found in re.finditer("_", image_id):
        key = image_id[found.end() :]
        if key and not _CAMERA.fullmatch(key):
            out.append((key.lower(), image_id[: found.end()]))
    return out


def write_ids(folder: Path, image_ids: np.ndarray) -> dict[str, object]:
    """Write the blocks of the search index; return what the index says of them.

    A block is lines ``key<TAB>row<TAB>identifier`` sorted by key as UTF-16, the order in which
    JavaScript compares strings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys, rows = [], []
    for row, name in enumerate(image_ids):
        for key, _ in keys_of(str(name)):
            keys.append(key)
            rows.append(row)
    # Identifiers are nearly always ASCII, where byte order and UTF-16 order are the same.
    sort_by = pa.array([key.encode("utf-16-be") for key in keys], pa.large_binary())
    order = pc.sort_indices(sort_by).to_numpy()
    first_keys = []
    for number, start in enumerate(range(0, len(order), BLOCK)):
        part = order[start : start + BLOCK]
        first_keys.append(keys[part[0]])
        lines = [f"{keys[i]}\t{rows[i]}\t{image_ids[rows[i]]}" for i in part]
        with atomic_path(folder / f"{number:05d}.txt") as temporary:
            temporary.write_text("\n".join(lines), encoding="utf-8")
    return {"first_keys": first_keys, "keys": len(keys)}
