"""Rows as bytes of a fixed length, big-endian: what binary tables of FITS and VOTable hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from morphosphere.artefacts.catalogue import Catalogue

#: Rows in memory at a time.
ROWS = 16384
#: Bytes of a boolean in both formats.
_TRUE, _FALSE = b"T", b"F"


@dataclass(frozen=True)
class Packed:
    """A column in bytes.

    Attributes
    ----------
    name : str
    kind : str
        Type code of numpy without byte order ("f8", "i4", ...), "?" for boolean, "S" for text.
    width : int
        Of text: characters, at least 1.
    plain : bool
        Of text: whether it is ASCII.
    about : dict
        unit, description, ucd.
    """

    name: str
    kind: str
    width: int = 1
    plain: bool = True
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Columns and number of rows of a table.

    Attributes
    ----------
    columns : tuple of Packed
    rows : int
    """

    columns: tuple[Packed, ...]
    rows: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> Layout:
        """Look at all scalar columns; text is read once for its width."""
        kinds = {f.name: _kind(f.type) for f in catalogue.schema if _kind(f.type)}
        texts = [name for name, kind in kinds.items() if kind == "S"]
        width, plain = dict.fromkeys(texts, 1), dict.fromkeys(texts, True)
        if texts:
            for batch in catalogue.batches(texts, ROWS):
                for name in texts:
                    joined = "".join(map(_text, batch[name]))
                    plain[name] &= joined.isascii()
                    longest = max(map(_units, batch[name]), default=0)
                    width[name] = max(width[name], longest)
        return cls(
            tuple(
                Packed(name, kind, width.get(name, 1), plain.get(name, True), catalogue.about(name))
                for name, kind in kinds.items()
            ),
            len(catalogue),
        )

    def dtype(self, *, wide: bool = False) -> np.dtype:
        """Type of a packed row; with `wide`, text that is not ASCII has two bytes per character."""
        return np.dtype([(c.name, _packed(c, wide)) for c in self.columns])

    def records(self, catalogue: Catalogue, *, wide: bool = False) -> Iterator[np.ndarray]:
        """Packed rows, at most `ROWS` at a time; other text than ASCII is UTF-16 or question marks.

        Parameters
        ----------
        catalogue : Catalogue
        wide : bool
            Whether text that is not ASCII is UTF-16.
        """
        kind = self.dtype(wide=wide)
        for batch in catalogue.batches([c.name for c in self.columns], ROWS):
            record = np.zeros(len(next(iter(batch.values()))), kind)
            for column in self.columns:
                record[column.name] = _values(batch[column.name], column, wide)
            yield record


def _kind(arrow: pa.DataType) -> str:
    """Type code of a column; empty for what is no scalar."""
    if pa.types.is_boolean(arrow):
        return "?"
    if pa.types.is_string(arrow) or pa.types.is_large_string(arrow):
        return "S"
    if pa.types.is_floating(arrow):
        return "f8" if arrow.bit_width == 64 else "f4"
    if pa.types.is_integer(arrow):
        if pa.types.is_uint8(arrow):
            return "u1"
        signed = pa.types.is_signed_integer(arrow)
        size = arrow.bit_width // 8 * (1 if signed else 2)
        return f"i{min(max(size, 2), 8)}"
    return ""


def _packed(column: Packed, wide: bool) -> str:
    if column.kind == "?":
        return "S1"
    if column.kind == "S":
        return f"S{column.width * (2 if wide and not column.plain else 1)}"
    return column.kind if column.kind == "u1" else f">{column.kind}"


def _values(values: np.ndarray, column: Packed, wide: bool) -> Any:
    if column.kind == "?":
        return np.where(values.astype(bool), _TRUE, _FALSE)
    if column.kind != "S":
        return values
    code = "utf-16-be" if wide and not column.plain else "ascii"
    return [_text(value).encode(code, errors="replace") for value in values]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _units(value: object) -> int:
    """Length of a text in units of UTF-16."""
    text = _text(value)
    return len(text) if text.isascii() else len(text.encode("utf-16-be")) // 2
