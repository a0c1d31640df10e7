"""The table about a survey's images, found by id."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.collect.items import SUFFIXES, stem
from morphosphere.errors import InputError

_IMAGES = tuple(s for ends in SUFFIXES.values() for s in ends)
_RESERVED = ("image_id", "galaxy_id", "source", "file")


@dataclass(frozen=True)
class Table:
    """Columns by name, the id of each row, and what is known of the columns.

    Attributes
    ----------
    ids : ndarray of str, shape (R,)
    columns : dict
        Column name to array (R,): float64, int64 or str.
    about : dict
        Column name to {unit, description, ucd}.
    """

    ids: np.ndarray
    columns: dict[str, np.ndarray]
    about: dict[str, dict[str, str]]

    def rows_of(self, ids: list[str]) -> np.ndarray:
        """Row of each id, the first if there are several, -1 if there is none."""
        first = {name: row for row, name in reversed(list(enumerate(self.ids)))}
        return np.array([first.get(name, -1) for name in ids], dtype=np.int64)


def read_table(
    path: str | Path,
    *,
    id_column: str | None = None,
    columns: list[str] | None = None,
    missing: dict[str, float] | None = None,
) -> Table:
    """Read CSV (or TSV), Parquet, ECSV, FITS or VOTable.

    Parameters
    ----------
    path : path-like
    id_column : str or None
        Column of ids; None for the first. File names and paths count as ids by their stem.
    columns : list of str or None
        Columns that are kept; None for all with one number or string per row.
    missing : dict or None
        By column, the number that stands for "not known"; it becomes NaN.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column that is asked for.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct the survey's `table`")
    try:
        names, raw, about = _read(path, id_column)
    except InputError:
        raise
    except Exception as error:  # readers raise many kinds, and every one is the file's fault
        message = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a table ({message})") from None
    id_column = id_column or names[0]
    for name in [id_column, *(columns or []), *(missing or {})]:
        if name not in names:
            raise InputError(f"{path}: no column {name!r}; it has {', '.join(names)}")
    wanted = columns if columns is not None else [n for n in names if n != id_column]
    kept: dict[str, np.ndarray] = {}
    for name in wanted:
        values = _plain(raw[name])
        if values is None:
            if columns is not None:
                raise InputError(f"{path}: column {name!r} is not one number or string per row")
            continue
        if missing and name in missing and values.dtype.kind in "if":
            values = np.where(values == missing[name], np.nan, values.astype(np.float64))
        kept[_name(name)] = values
    ids = np.array([_id(v) for v in _text(raw[id_column])], dtype=object)
    return Table(ids, kept, {_name(n): a for n, a in about.items() if n in wanted})


def _read(
    path: Path, id_column: str | None
) -> tuple[list[str], dict[str, Any], dict[str, dict[str, str]]]:
    suffix = path.name.lower()
    if suffix.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")):
        return _from_arrow(_csv(path, id_column))
    if suffix.endswith((".parquet", ".pq")):
        import pyarrow.parquet as pq

        return _from_arrow(pq.read_table(path))
    if suffix.endswith((".fits", ".fit", ".fits.gz", ".vot", ".xml", ".votable", ".ecsv")):
        return _from_astropy(path)
    raise InputError(f"{path}: unknown kind of table; use CSV, Parquet, ECSV, FITS or VOTable")


def _csv(path: Path, id_column: str | None) -> Any:
    import pyarrow as pa
    import pyarrow.csv

    delimiter = "\t" if path.name.lower().endswith((".tsv", ".tsv.gz")) else ","
    with pa.input_stream(str(path), compression="detect") as stream:
        start = stream.read(1 << 20).decode("utf-8-sig", "replace")
    header = next(csv.reader(start.splitlines(), delimiter=delimiter), [])
    if not header:
        raise InputError(f"{path}: the table is empty")
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={id_column or header[0]: pa.string()}, strings_can_be_null=True
        ),
    )


def _from_arrow(table: Any) -> tuple[list[str], dict[str, Any], dict[str, dict[str, str]]]:
    import pyarrow as pa

    names, columns, about = [], {}, {}
    for field in table.schema:
        values = table.column(field.name)
        kind = field.type
        if pa.types.is_dictionary(kind):
            values = values.cast(kind.value_type)
            kind = kind.value_type
        if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
            values = values.cast(pa.string())
            kind = pa.string()
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            columns[field.name] = np.array(
                ["" if v is None else v for v in values.to_pylist()], dtype=object
            )
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_null(kind):
            columns[field.name] = None
        else:
            columns[field.name] = values.to_numpy()
        names.append(field.name)
        about[field.name] = {
            k.decode(): v.decode()
            for k, v in (field.metadata or {}).items()
            if k != b"PARQUET:field_id"
        }
    return names, columns, about


def _from_astropy(path: Path) -> tuple[list[str], dict[str, Any], dict[str, dict[str, str]]]:
    from astropy.table import Table as AstropyTable

    table = AstropyTable.read(path)
    columns, about = {}, {}
    for name in table.colnames:
        column = table[name]
        values = np.asarray(column)
        if values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        mask = getattr(column, "mask", None)
        if mask is not None and np.any(mask):
            if values.dtype.kind in "iufb":
                values = np.where(mask, np.nan, values.astype(np.float64))
            else:
                values = np.where(mask, "", values.astype(object))
        columns[name] = values
        meta = getattr(column, "meta", None) or {}
        about[name] = {
            "unit": _unit(column.unit),
            "description": str(column.description or ""),
            "ucd": str(meta.get("ucd", "")),
        }
    return list(table.colnames), columns, about


def _unit(unit: Any) -> str:
    if unit is None:
        return ""
    try:
        return unit.to_string("vounit")
    except (ValueError, AttributeError):
        return str(unit)


def _plain(values: Any) -> np.ndarray | None:
    """One-dimensional float64, int64 or str (as objects); None for anything else."""
    if values is None or np.ndim(values) != 1:
        return None
    kind = values.dtype.kind
    if kind in "iub":
        return values.astype(np.int64)
    if kind == "f":
        return values.astype(np.float64)
    if kind in "UO":
        bare = [v for v in values if v is not None]
        if bare and all(isinstance(v, (bool, np.bool_)) for v in bare):
            return np.array([np.nan if v is None else float(v) for v in values])
        return np.array(["" if v is None else str(v).strip() for v in values], dtype=object)
    return None


def _text(values: Any) -> list[str]:
    if values is None:
        return []
    if values.dtype.kind == "f":
        return [str(int(v)) if np.isfinite(v) and v == int(v) else str(v) for v in values]
    return [str(v).strip() for v in values]


def _id(value: str) -> str:
    return stem(value) if value.lower().endswith(_IMAGES) else value


def _name(name: str) -> str:
    """A column's name as it can stand in an ImageSet."""
    name = name.strip().replace("/", "_")
    return f"table_{name}" if name in _RESERVED else name
