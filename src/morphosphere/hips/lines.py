"""Rows of a table as lines of tab-separated values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: What Python calls white space: a field must hold no tab and no end of line.
_SPACE = (
    r"[\s\x{0b}\x{1c}-\x{1f}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}"
    r"\x{3000}]+"
)


def lines_of(columns: list[pa.Array]) -> tuple[memoryview, np.ndarray]:
    """Columns (n,) as n lines.

    Numbers have as many digits as bring them back unchanged, NaN and null are empty, booleans 0 or
    1, and white space within texts is one blank.

    Returns
    -------
    text : memoryview
        UTF-8; all lines with their ends.
    offsets : ndarray of int64, shape (n + 1,)
        Where they begin.
    """
    fields = [_text(column) for column in columns]
    options = {"null_handling": "replace", "null_replacement": ""}
    nothing, tab, end = (pa.scalar(x, pa.large_string()) for x in ("", "\t", "\n"))
    fields[-1] = pc.binary_join_element_wise(fields[-1], nothing, end, **options)
    joined = pc.binary_join_element_wise(*fields, tab, **options)
    _, offsets, text = joined.buffers()
    start = joined.offset
    edges = np.frombuffer(offsets, np.int64)[start : start + len(joined) + 1]
    return memoryview(text) if text is not None else memoryview(b""), edges


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        if pa.types.is_float16(kind):
            column = column.cast(pa.float32())
        return pc.if_else(pc.is_nan(column), None, column).cast(pa.large_string())
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.large_string())
    text = column.cast(pa.large_string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _one_line(text)
    return text


def _one_line(text: pa.Array) -> pa.Array:
    data = text.buffers()[2]
    if data is not None:
        used = np.frombuffer(data, np.uint8)
        if ((used <= 0x20) | (used >= 0x7F)).any():
            text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, _SPACE, " "))
    return text
