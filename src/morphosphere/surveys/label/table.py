"""A table of labels beside the images, found by id or by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.collect.table import Table, read_table
from morphosphere.config.survey_label import LabelSettings, LabelTableSettings
from morphosphere.errors import InputError
from morphosphere.surveys import expressions
from morphosphere.surveys.label.match import pairs_within, usable


@dataclass(frozen=True)
class Reject:
    """An image or a row that has no label, or is not matched, and why.

    Attributes
    ----------
    source : str
        ``labelled``, ``target`` or ``table``.
    id, reason, detail : str
    """

    source: str
    id: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Found:
    """What the table says of each image.

    Attributes
    ----------
    columns : dict
        Column name to array (N,); NaN or empty where `given` is false.
    given : ndarray of bool, shape (N,)
        Images that have a row.
    why : ndarray of str, shape (N,)
        Why an image has none.
    rejects : list of Reject
        Rows of the table that are of no image, or that stand twice.
    """

    columns: dict[str, np.ndarray]
    given: np.ndarray
    why: np.ndarray
    rejects: list[Reject]


def find_labels(
    images: ImageSet,
    settings: LabelSettings,
    wanted: dict[str, str],
    position: tuple[np.ndarray, np.ndarray] | None,
) -> Found:
    """The columns that label the images: of their own table, or of the one that is given.

    Parameters
    ----------
    images : ImageSet
    settings : LabelSettings
    wanted : dict
        Expressions by the keys of the settings that hold them.
    position : pair of ndarray, or None
        Right ascension and declination of the images in degrees.

    Raises
    ------
    InputError
        If a column is not there, or no row of the table is of any image.
    """
    names = {name for text in wanted.values() for name in expressions.names_of(text)}
    if settings.table is None:
        for key, text in wanted.items():
            expressions.check_names(text, images.columns, key=key, where=images.path)
        count = len(images)
        columns = {name: images.column(name) for name in sorted(names)}
        return Found(columns, np.ones(count, bool), np.full(count, "", dtype=object), [])
    given = settings.table
    table = read_table(given.path, id_column=given.id)
    everything = [*table.columns, *(n for n in images.columns if n not in table.columns)]
    for key, text in wanted.items():
        expressions.check_names(text, everything, key=key, where=given.path)
    inside = sorted(name for name in names if name in table.columns)
    if given.by == "position":
        rows, why, rejects = _by_position(images, table, settings, given, position)
    else:
        rows, why, rejects = _by_id(images, table, given, inside)
    if not (rows >= 0).any():
        how = "within the radius of" if given.by == "position" else "with the id of"
        raise InputError(
            f"{given.path}: none of its {len(table.ids)} rows is {how} one of the {len(images)} "
            f"images of {images.path} (ids here: {_some(table.ids)}; there: "
            f"{_some(images.column(given.images, slice(0, 3)))}); correct transfer.label.table"
        )
    columns = {name: _taken(table.columns[name], rows) for name in inside}
    columns |= {name: images.column(name) for name in sorted(names - set(inside))}
    return Found(columns, rows >= 0, why, rejects)


def _by_id(
    images: ImageSet, table: Table, given: LabelTableSettings, inside: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, list[Reject]]:
    """Row of each image (-1 for none), why there is none, and rows that are of no use."""
    first: dict[str, int] = {}
    unlike: set[str] = set()
    rejects = []
    for row, name in enumerate(table.ids):
        if not name:
            rejects.append(Reject("table", f"row {row + 1}", "no id"))
        elif name not in first:
            first[name] = row
        elif all(_same(table.columns[c][row], table.columns[c][first[name]]) for c in inside):
            rejects.append(Reject("table", name, "stands twice, with the same label"))
        else:
            unlike.add(name)
            rejects.append(Reject("table", name, "stands twice, with different labels"))
    own, survey = images.column(given.images), images.column("source")
    rows = np.full(len(own), -1, dtype=np.int64)
    why = np.full(len(own), "", dtype=object)
    used = set()
    for at, (name, prefix) in enumerate(zip(own, survey)):
        found = next((n for n in (name, name.removeprefix(f"{prefix}_")) if n in first), None)
        if found is None:
            why[at] = "no row in the table"
        elif found in unlike:
            why[at] = "stands twice in the table, with different labels"
        else:
            rows[at] = first[found]
        used.add(found)
    without = [name for name in first if name not in used]
    return rows, why, rejects + [Reject("table", n, "label without an image") for n in without]


def _by_position(
    images: ImageSet,
    table: Table,
    settings: LabelSettings,
    given: LabelTableSettings,
    position: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[np.ndarray, np.ndarray, list[Reject]]:
    if position is None:
        raise InputError(
            f"{images.path}: no columns {settings.ra!r} and {settings.dec!r}, so that the table "
            "cannot be matched by position; give transfer.label.ra and dec, or match by id"
        )
    there = (_degrees(table, given, "ra"), _degrees(table, given, "dec"))
    pairs = pairs_within(there, position, settings.radius)
    count = len(images)
    rows = np.full(count, -1, dtype=np.int64)
    number = np.bincount(pairs.b, minlength=count)
    nearest = np.unique(pairs.b, return_index=True)[1]
    rows[pairs.b[nearest]] = pairs.a[nearest]
    why = np.full(count, "no row of the table within the radius", dtype=object)
    why[~usable(*position)] = "no position"
    if settings.ambiguous == "drop":
        rows[number > 1] = -1
        why[number > 1] = "several rows of the table within the radius"
    why[rows >= 0] = ""
    seen = np.isin(np.arange(len(table.ids)), pairs.a)
    bad = ~usable(*there)
    rejects = [
        Reject(
            "table", str(table.ids[row]), "no position" if bad[row] else "label without an image"
        )
        for row in np.flatnonzero(~seen)
    ]
    return rows, why, rejects


def _degrees(table: Table, given: LabelTableSettings, key: str) -> np.ndarray:
    """Right ascension or declination of the rows of the table."""
    name = getattr(given, key)
    values = table.columns.get(name)
    if values is None:  # it may be the first column, which is read as one of ids
        values = read_table(given.path, id_column=given.id, columns=[name]).columns[name]
    try:
        return np.where(expressions.missing(values), np.nan, values).astype(np.float64)
    except ValueError:
        raise InputError(
            f"{given.path}: column {name!r} holds text, not degrees; correct "
            f"transfer.label.table.{key}"
        ) from None


def _taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of the rows; NaN or empty text for row -1."""
    none = rows < 0
    if values.dtype.kind == "O":
        return np.where(none, "", values[rows]).astype(object)
    if not none.any():
        return values[rows]
    return np.where(none, np.nan, values[rows].astype(np.float64))


def _same(one: object, other: object) -> bool:
    both_nan = one != one and other != other
    return bool(both_nan or one == other)


def _some(names: Sequence[str]) -> str:
    return ", ".join(str(name) for name in names[:3]) + (", …" if len(names) > 3 else "")
