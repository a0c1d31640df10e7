"""Expressions of columns: what they give, and how they are refused."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.errors import InputError
from morphosphere.surveys import expressions

COLUMNS = {
    "T": np.array([-5.0, 3, np.nan, 8]),
    "p-el": np.array([0.9, 0.1, 0.9, 0.9]),
    "r": np.array([17.0, 18, 16, 19]),
    "kind": np.array(["E", "S", "", "E"], dtype=object),
    "in": np.array([1, 2, 3, 4]),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("T <= -4", [True, False, False, False]),
        ("1 <= T <= 7", [False, True, False, False]),
        ("`p-el` > 0.8 & r < 17.8", [True, False, True, False]),
        ("kind == 'E' and r > 18", [False, False, False, True]),
        ("kind in ['E', 'X']", [True, False, False, True]),
        ("`in` > 2 or r == 17", [True, False, True, True]),
        ("not (r > 17)", [True, False, True, False]),
        ("True", [True, True, True, True]),
    ],
)
def test_conditions_are_those_of_pandas(text: str, wanted: list[bool]) -> None:
    found = expressions.condition(text, COLUMNS, key="where")
    assert found.dtype == bool
    assert found.tolist() == wanted


def test_numbers_may_come_of_a_column_or_of_arithmetic() -> None:
    assert expressions.evaluate("T", COLUMNS, key="type")[:2].tolist() == [-5, 3]
    value = expressions.evaluate("log10(r) - 1", COLUMNS, key="type")
    np.testing.assert_allclose(value, np.log10(COLUMNS["r"]) - 1)


def test_names_are_of_columns_alone() -> None:
    assert expressions.names_of("log10(r) > 1 & `p-el` < T") == ("r", "p-el", "T")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("T >", "is no expression"),
        ("T = 3", "is no expression"),
        ("r < 17; T", "is no expression"),
        ("T.__class__", "is no expression"),
        ("r[0] > 1", "is no expression"),
        ("__import__('os')", "cannot be worked out"),
        ("nothing(T)", "cannot be worked out"),
        ("kind > 3", "cannot be worked out"),
        ("kind", "neither a number nor true or false"),
        ("T", "gives numbers, not true or false"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        expressions.condition(text, COLUMNS, key="classes.x.where")
    assert "\n" not in str(error.value)


def test_an_unknown_column_is_told_with_the_nearest_names() -> None:
    with pytest.raises(InputError, match=r"table\.csv: no column 't'.* is it 'T'\?"):
        expressions.check_names("t < 3", COLUMNS, key="classes.x.where", where="table.csv")
    with pytest.raises(InputError, match="it has T, p-el, r, kind, in"):
        expressions.check_names("hubble_stage < 3", COLUMNS, key="type", where="x")


def test_missing_values_are_nan_or_empty_text() -> None:
    assert expressions.missing(COLUMNS["T"]).tolist() == [False, False, True, False]
    assert expressions.missing(COLUMNS["kind"]).tolist() == [False, False, True, False]
    assert not expressions.missing(COLUMNS["in"]).any()
