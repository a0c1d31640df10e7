"""What is known of each image beside its pixels: its row of the table, what its name says."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import numpy as np

from morphosphere.collect.items import Found, Item, Reject
from morphosphere.collect.table import read_table
from morphosphere.config.collect import SurveySettings
from morphosphere.errors import InputError

#: Largest integer up to which float64 holds every integer.
_EXACT = 1 << 53


@dataclass(frozen=True)
class Known:
    """Columns of all items, before any is read.

    Attributes
    ----------
    by_row : dict
        Column name to array (R,), of the table.
    row : ndarray or None, shape (N,)
        Row of each item, -1 for none; None without a table.
    by_item : dict
        Column name to array (N,), of the names of the files.
    about : dict
        Column name to {unit, description, ucd}.
    rejects : list of Reject
        Rows of the table that no image goes with.
    """

    by_row: dict[str, np.ndarray]
    row: np.ndarray | None
    by_item: dict[str, np.ndarray]
    about: dict[str, dict[str, str]]
    rejects: list[Reject]

    def has_row(self, index: int) -> bool:
        """Whether an item has a row of the table, or there is no table."""
        return self.row is None or self.row[index] >= 0

    def columns(self, items: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of the items with these numbers; NaN or "" where nothing is known."""
        out = {name: values[items] for name, values in self.by_item.items()}
        if self.row is None:
            return out
        rows = self.row[items]
        for name, values in self.by_row.items():
            part = values[np.maximum(rows, 0)]
            if values.dtype.kind == "f":
                part = np.where(rows >= 0, part, np.nan)
            elif values.dtype.kind == "O":
                part = np.where(rows >= 0, part, "")
            out[name] = part
        return out


def know(settings: SurveySettings, found: Found) -> Known:
    """Read the table and the names of the files.

    Raises
    ------
    InputError
        If the table cannot be used, or a column comes from two places.
    """
    by_item = _from_names(found.items, settings.name_columns) if settings.name_columns else {}
    if settings.table is None:
        return Known({}, None, by_item, {}, [])
    table = read_table(
        settings.table,
        id_column=settings.table_id,
        columns=settings.columns,
        missing=settings.missing,
    )
    from_header = {"ra", "dec"} if settings.wcs else set()
    if clash := sorted(set(table.columns) & (set(by_item) | from_header)):
        raise InputError(
            f"{settings.table}: column {clash[0]!r} also comes from the file; leave it out with "
            "`columns`, `name_columns` or `wcs`"
        )
    row = table.rows_of([item.id for item in found.items])
    complete = bool((row >= 0).all())
    columns = {n: v if complete else _with_gaps(v) for n, v in table.columns.items()}
    return Known(columns, row, by_item, table.about, _rows_left(settings, table.ids, found))


def _rows_left(settings: SurveySettings, ids: np.ndarray, found: Found) -> list[Reject]:
    """Rows without an image and rows whose id stands twice."""
    file = str(settings.table)
    seen: set[str] = set()
    images = {item.id for item in found.items} | {reject.id for reject in found.rejects}
    rejects = []
    for name in ids:
        if name in seen:
            rejects.append(Reject(file, name, "duplicate id: an earlier row of the table has it"))
        elif name not in images and settings.limit is None:
            rejects.append(Reject(file, name, "no image for this row of the table"))
        seen.add(name)
    return rejects


def _with_gaps(values: np.ndarray) -> np.ndarray:
    """A column as it is when rows can be missing: integers become float64, or text if too large."""
    if values.dtype.kind != "i":
        return values
    if len(values) and np.abs(values).max() > _EXACT:
        return values.astype(str).astype(object)
    return values.astype(np.float64)


def _from_names(items: list[Item], expression: str) -> dict[str, np.ndarray]:
    """Columns of the named groups of an expression that is searched for in the file names."""
    search = re.compile(expression)
    matches = [search.search(os.path.basename(item.files[0])) for item in items]
    out: dict[str, np.ndarray] = {}
    for name in search.groupindex:
        texts = [(m[name] or "") if m else "" for m in matches]
        try:
            out[name] = np.array([float(t) if t else np.nan for t in texts])
        except ValueError:
            out[name] = np.array(texts, dtype=object)
    return out
