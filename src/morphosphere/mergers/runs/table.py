"""The table about a run: time and nuclei of every snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.collect import read_table
from morphosphere.config.merger_sources import RunSettings
from morphosphere.errors import InputError
from morphosphere.mergers.runs.files import Moment

_MYR = {"Myr": 1.0, "Gyr": 1e3, "yr": 1e-6}


@dataclass(frozen=True)
class Rows:
    """What the table says of some moments.

    Attributes
    ----------
    path : Path
        Of the table.
    time : ndarray, shape (T,)
        Myr.
    position : ndarray, shape (T, 2, 3), or None
        Of both nuclei, kpc.
    """

    path: Path
    time: np.ndarray
    position: np.ndarray | None


def read_rows(settings: RunSettings, moments: Sequence[Moment]) -> Rows:
    """The rows of the moments, in their order.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column or the row of a moment, or a number in it is not
        one; the message names table, column and snapshot.
    """
    path = _path(settings)
    columns = settings.columns
    places = (
        [] if columns.position_1 is None else [*columns.position_1, *(columns.position_2 or ())]
    )
    names = [columns.time, *places]
    table = read_table(path, id_column=columns.file, columns=names)
    rows = np.array([_row(table.ids, moment, path, columns.file) for moment in moments])
    if settings.snapshots is None:
        _check_left_over(table.ids, rows, path, settings)
    values = []
    for name in names:
        column = table.columns[name]
        if column.dtype.kind not in "if":
            raise InputError(f"{path}: column {name!r} is not of numbers")
        chosen = column[rows].astype(np.float64)
        if len(bad := np.flatnonzero(~np.isfinite(chosen))):
            raise InputError(
                f"{path}: column {name!r} has no number for {moments[bad[0]].path.name}; "
                "fill it in, or leave the snapshot out with `snapshots`"
            )
        values.append(chosen)
    position = np.stack(values[1:], axis=1).reshape(-1, 2, 3) if places else None
    return Rows(path, values[0] * _MYR[columns.time_unit], position)


def _check_left_over(ids: np.ndarray, rows: np.ndarray, path: Path, settings: RunSettings) -> None:
    left = np.setdiff1d(np.arange(len(ids)), rows)
    if len(left):
        raise InputError(
            f"{settings.path}: no snapshot {ids[left[0]]} in it, but {path.name} has a row for it; "
            "copy it, or name those that are there in `snapshots`"
        )


def _path(settings: RunSettings) -> Path:
    for path in (Path(str(settings.table)), Path(settings.path) / str(settings.table)):
        if path.is_file():
            return path
    raise InputError(
        f"{settings.table}: no such file, also not in {settings.path}; correct `table`"
    )


def _row(ids: np.ndarray, moment: Moment, path: Path, column: str) -> int:
    names = {name.removesuffix(".hdf5").removesuffix(".h5") for name in moment.names}
    found = [i for i, each in enumerate(ids) if Path(each).name in names or _same(each, moment)]
    if not found:
        raise InputError(
            f"{path}: no row for {moment.path.name} in column {column!r}; add it, or leave the "
            "snapshot out with `snapshots`"
        )
    if len(found) > 1:
        raise InputError(f"{path}: {len(found)} rows for {moment.path.name}; leave one")
    return found[0]


def _same(each: str, moment: Moment) -> bool:
    return each.isdigit() and int(each) == moment.number
