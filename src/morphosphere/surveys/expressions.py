"""Expressions of columns, such as ``1 <= T <= 7`` or ``p_el > 0.8 & r < 17.8``.

They are those of ``pandas.DataFrame.eval``. A column whose name is no identifier stands between
backticks.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from morphosphere.errors import InputError

_QUOTED = re.compile(r"`([^`]*)`")


def names_of(expression: str) -> tuple[str, ...]:
    """Names of the columns in an expression, in their order; functions are left out.

    Raises
    ------
    InputError
        If it cannot be read as an expression.
    """
    return tuple(_parsed(expression)[1])


def check_names(expression: str, columns: Iterable[str], *, key: str, where: object) -> None:
    """Raise InputError if an expression names a column that is not there, with the nearest names.

    Parameters
    ----------
    expression : str
    columns : iterable of str
        Those that there are.
    key : str
        The setting that holds the expression.
    where : path-like or str
        What has the columns.
    """
    known = list(columns)
    for name in names_of(expression):
        if name in known:
            continue
        lower = {each.lower(): each for each in known}
        near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
        said = " or ".join(repr(lower[each]) for each in near)
        hint = f"is it {said}?" if near else f"it has {', '.join(known)}"
        raise InputError(f"{where}: no column {name!r} for {key} ({expression}); {hint}")


def evaluate(expression: str, columns: Mapping[str, np.ndarray], *, key: str) -> np.ndarray:
    """The value of an expression for every row.

    Parameters
    ----------
    expression : str
    columns : mapping
        Column name to array (N,); those that the expression names at least.
    key : str
        The setting that holds the expression, for errors.

    Returns
    -------
    ndarray, shape (N,)
        Of bool or float64. Where an expression of bool has a missing value in a column, it is
        whatever pandas makes of it: ask `missing` first.

    Raises
    ------
    InputError
        If it cannot be worked out, or gives text.
    """
    import pandas as pd

    text, names = _parsed(expression)
    count = len(next(iter(columns.values())))
    try:
        frame = pd.DataFrame({stand: columns[name] for name, stand in names.items()})
        with np.errstate(all="ignore"):
            value: Any = frame.eval(text, engine="python", local_dict={}, global_dict={})
    except Exception as error:  # pandas raises many kinds, and all are the expression's fault
        said = " ".join(str(error).split())
        raise InputError(f"{key}: {expression!r} cannot be worked out ({said})") from None
    array = np.asarray(value)
    array = np.full(count, array) if array.ndim == 0 else array
    if array.shape != (count,) or array.dtype.kind not in "biuf":
        raise InputError(
            f"{key}: {expression!r} gives neither a number nor true or false for each row; compare "
            "text with == or in"
        )
    return array if array.dtype.kind == "b" else array.astype(np.float64)


def condition(expression: str, columns: Mapping[str, np.ndarray], *, key: str) -> np.ndarray:
    """The same, which must be true or false; shape (N,), bool."""
    value = evaluate(expression, columns, key=key)
    if value.dtype.kind != "b":
        raise InputError(
            f"{key}: {expression!r} gives numbers, not true or false; compare them, as in "
            f"'{expression} > 0'"
        )
    return value


def missing(values: np.ndarray) -> np.ndarray:
    """Where a column has no value: NaN, or no text; shape (N,), bool."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "O":
        return np.array([value is None or value == "" for value in values], dtype=bool)
    return np.zeros(len(values), dtype=bool)


def _parsed(expression: str) -> tuple[str, dict[str, str]]:
    """The expression with names that Python knows, and by column name the one that stands for it.

    Columns never meet the words that pandas reserves: each has a name of our own.
    """
    quoted: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        quoted.append(match[1])
        return f"quoted_{len(quoted) - 1}_"

    text = _QUOTED.sub(stand_in, expression.strip())
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as error:
        said = getattr(error, "msg", None) or str(error)
        raise InputError(f"{expression!r} is no expression of columns ({said})") from None
    real = {f"quoted_{k}_": name for k, name in enumerate(quoted)}
    functions = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Lambda, ast.comprehension)):
            raise InputError(
                f"{expression!r} is no expression of columns: use names, numbers, comparisons, "
                "arithmetic and functions such as log10"
            )
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name):
                raise InputError(f"{expression!r}: a function has a plain name, such as log10")
            functions.add(id(node.func))
    stands: dict[str, str] = {}
    pieces, last = [], 0
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions]
    lines = [0]
    for line in text.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    raw = text.encode()
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset)):
        start = lines[node.lineno - 1] + node.col_offset
        name = real.get(node.id, node.id)
        stand = stands.setdefault(name, f"column_{len(stands)}_")
        pieces += [raw[last:start].decode(), stand]
        last = lines[node.end_lineno - 1] + node.end_col_offset
    pieces.append(raw[last:].decode())
    return "".join(pieces), stands
