"""Columns as the page reads them: little-endian arrays in chunks, and facts about each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.files import atomic_path

#: Strings with at most this many different values are categories that can colour the galaxies.
MOST_CATEGORIES = 16
_KINDS = {"i4": "int32", "f4": "float32", "f8": "float64"}
_QUANTILES = (0.0, 0.02, 0.25, 0.5, 0.75, 0.98, 1.0)


def encode(values: np.ndarray) -> tuple[np.ndarray | list[str], dict[str, Any]]:
    """A column in the form in which it is stored, and its facts for the index.

    Numbers become float32 or, if they are integers, int32 (float64 beyond its range); booleans
    and strings of few values become categories (uint8 codes); other strings stay strings.

    Returns
    -------
    stored : ndarray, shape (N,), or list of str
    facts : dict
        ``kind`` and, for numbers, ``minimum``, ``maximum``, ``quantiles`` and
        ``smallest_positive`` of the finite values (absent if there are none).
    """
    values = np.asarray(values)
    if values.dtype.kind == "b":
        return values.astype(np.uint8), {"kind": "category", "categories": ["no", "yes"]}
    if values.dtype.kind in "OUS":
        return _encode_strings(values)
    if values.dtype.kind in "iu":
        info = np.iinfo(np.int32)
        fits = len(values) == 0 or (values.min() >= info.min and values.max() <= info.max)
        stored = values.astype("<i4" if fits else "<f8")
    else:
        with np.errstate(over="ignore"):
            stored = values.astype("<f4")
    return stored, {
        "kind": {"i4": "int32", "f4": "float32", "f8": "float64"}[stored.dtype.str[1:]]
    } | _range(stored)


def _encode_strings(values: np.ndarray) -> tuple[np.ndarray | list[str], dict[str, Any]]:
    text = [" ".join(str("" if v is None else v).split("\n")) for v in values]
    distinct = set()
    for value in text:
        distinct.add(value)
        if len(distinct) > MOST_CATEGORIES:
            return text, {"kind": "string"}
    categories = sorted(distinct)
    code = {name: i for i, name in enumerate(categories)}
    codes = np.fromiter((code[value] for value in text), dtype=np.uint8, count=len(text))
    return codes, {"kind": "category", "categories": categories}


def _range(stored: np.ndarray) -> dict[str, Any]:
    finite = stored[np.isfinite(stored)]
    if not len(finite):
        return {"quantiles": None}
    positive = finite[finite > 0]
    facts: dict[str, Any] = {
        "minimum": float(finite.min()),
        "maximum": float(finite.max()),
        "quantiles": [float(q) for q in np.quantile(finite.astype(np.float64), _QUANTILES)],
    }
    if len(positive):
        facts["smallest_positive"] = float(positive.min())
    return facts


def write_chunks(
    folder: Path, stored: np.ndarray | list[str], order: np.ndarray, *, chunk_rows: int
) -> None:
    """Write a stored column in map order as ``folder/<chunk>.bin`` or, strings, ``.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, len(order), chunk_rows)):
        rows = order[first : first + chunk_rows]
        if isinstance(stored, list):
            content = "\n".join(stored[row] for row in rows).encode()
            suffix = "txt"
        else:
            part = stored[rows]
            content = part.astype(part.dtype.newbyteorder("<")).tobytes()
            suffix = "bin"
        with atomic_path(folder / f"{number:05d}.{suffix}") as temporary:
            temporary.write_bytes(content)
