"""The table of properties as Parquet, with units and descriptions in the metadata of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from morphosphere.artefacts.columns import column
from morphosphere.files import atomic_path, write_text

REJECT_COLUMNS = ("galaxy_id", "reason")


def write_properties(path: Path, rows: Sequence[dict[str, Any]], about: dict[str, str]) -> None:
    """Write one row per galaxy.

    Parameters
    ----------
    path : Path
    rows : sequence of dict
        Properties by column name; all rows have the same.
    about : dict
        Facts about the whole table, stored in its metadata.
    """
    fields, arrays = [], []
    for name in rows[0]:
        array = _array([row[name] for row in rows])
        known = column(name)
        facts = {"unit": known.unit, "description": known.description, "ucd": known.ucd}
        fields.append(pa.field(name, array.type, metadata={k: v for k, v in facts.items() if v}))
        arrays.append(array)
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(arrays, schema=pa.schema(fields, metadata=about)), temporary)


def _array(values: list[Any]) -> pa.Array:
    """Strings or numbers as `pyarrow.array` makes them, which would import pandas for it."""
    count = len(values)
    if isinstance(values[0], str):
        texts = [value.encode() for value in values]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        buffers = [pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
        return pa.Array.from_buffers(pa.string(), count, [None, *buffers])
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iuf":
        return pa.array(values)
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(numbers)])


def write_rejects(path: Path, rejects: Sequence[tuple[str, str]]) -> None:
    """Write galaxies that were selected but not kept, with the reason, as CSV."""
    quoted = [f'{name},"{reason.replace(chr(34), chr(39))}"' for name, reason in rejects]
    write_text(path, "\n".join([",".join(REJECT_COLUMNS), *quoted]) + "\n")
