"""The class of every galaxy of a survey, from votes or from conditions on columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphosphere.config.survey_label import LabelSettings
from morphosphere.errors import InputError
from morphosphere.surveys import expressions

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Labels:
    """What is known of N galaxies.

    Attributes
    ----------
    label : ndarray of float64, shape (N,)
        Number of the class, NaN where it is not known.
    confident : ndarray of float32, shape (N,)
        1 where the label passes the cut, 0 where not, NaN without a label.
    type : ndarray of float64, shape (N,), or None
        The ordinal type, NaN where it is not known.
    reason, detail : ndarray of str, shape (N,)
        Why there is no label; empty where there is one.
    """

    label: np.ndarray
    confident: np.ndarray
    type: np.ndarray | None
    reason: np.ndarray
    detail: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Where there is a label, bool (N,)."""
        return ~np.isnan(self.label)


def needed(settings: LabelSettings) -> dict[str, str]:
    """Expressions that the settings hold, by their keys."""
    found = {}
    for name, rule in settings.classes.items():
        if rule.where is not None:
            found[f"classes.{name}.where"] = rule.where
        if rule.votes is not None:
            found[f"classes.{name}.votes"] = f"`{rule.votes}`"
    if isinstance(settings.confident, str):
        found["confident"] = settings.confident
    if settings.type is not None:
        found["type"] = settings.type
    return found


def label_rows(
    columns: Columns, settings: LabelSettings, *, given: np.ndarray, why: np.ndarray
) -> Labels:
    """Label every row.

    Parameters
    ----------
    columns : mapping
        Column name to array (N,), all that the expressions of the settings name.
    settings : LabelSettings
    given : ndarray of bool, shape (N,)
        Rows that have values at all.
    why : ndarray of str, shape (N,)
        The reason where they have none.

    Raises
    ------
    InputError
        If an expression cannot be worked out, or most votes are no shares.
    """
    count = len(given)
    work = _Work(
        np.full(count, np.nan),
        np.where(given, "", why).astype(object),
        np.full(count, "", dtype=object),
    )
    share = _by_votes(columns, settings, work) if settings.by_votes else None
    if share is None:
        _by_conditions(columns, settings, work)
    work.label[work.reason != ""] = np.nan
    known = ~np.isnan(work.label)
    confident = np.where(known, 1.0, np.nan).astype(np.float32)
    if isinstance(settings.confident, str):
        passes = expressions.condition(settings.confident, columns, key="confident")
        passes = passes & ~_any_missing(settings.confident, columns)
        confident[known] = passes[known]
    elif settings.confident is not None and share is not None:
        confident[known] = share[known] >= settings.confident - 1e-6
    return Labels(work.label, confident, _types(columns, settings, given), work.reason, work.detail)


@dataclass(frozen=True)
class _Work:
    """Labels in the making, shape (N,) each."""

    label: np.ndarray
    reason: np.ndarray
    detail: np.ndarray

    def reject(self, rows: np.ndarray, reason: str, details: np.ndarray | None = None) -> None:
        """Give a reason to those of the rows (bool, (N,)) that have none yet."""
        rows = rows & (self.reason == "")
        self.reason[rows] = reason
        if details is not None:
            self.detail[rows] = details[rows]


def _by_conditions(columns: Columns, settings: LabelSettings, work: _Work) -> None:
    holds = []
    for name, rule in settings.classes.items():
        assert rule.where is not None
        _reject_missing(rule.where, columns, work)
        holds.append(expressions.condition(rule.where, columns, key=f"classes.{name}.where"))
    members = np.array(holds)
    number = members.sum(axis=0)
    work.reject(number == 0, "in no class", _values(settings, columns))
    names = np.array(list(settings.classes))
    both = np.array([" and ".join(names[m]) for m in members.T], dtype=object)
    work.reject(number > 1, "in several classes", both)
    work.label[:] = np.where(number == 1, members.argmax(axis=0), np.nan)


def _by_votes(columns: Columns, settings: LabelSettings, work: _Work) -> np.ndarray:
    """Label by the largest share of the votes; return that share, (N,)."""
    shares = []
    for name, rule in settings.classes.items():
        assert rule.votes is not None
        values = columns[rule.votes]
        if values.dtype.kind not in "iuf":
            raise InputError(
                f"classes.{name}.votes: {rule.votes!r} holds text, not shares of votes"
            )
        values = values.astype(np.float64)
        work.reject(np.isnan(values), f"no value of {rule.votes}")
        outside = ~((values >= 0) & (values <= 1)) & ~np.isnan(values)
        if outside.sum() > 0.5 * (~np.isnan(values)).sum():
            raise InputError(
                f"classes.{name}.votes: most values of {rule.votes!r} are outside [0, 1], up to "
                f"{np.nanmax(values):g}; give shares of the votes, not counts or per cent"
            )
        said = np.array([f"{value:g}" for value in values], dtype=object)
        work.reject(outside, f"{rule.votes} is outside [0, 1]", said)
        shares.append(values)
    table = np.nan_to_num(np.array(shares))
    best = table.max(axis=0)
    work.reject(best <= 0, "no votes for any class")
    names = np.array(list(settings.classes))
    ties = table == best
    even = np.array([" and ".join(names[t]) for t in ties.T], dtype=object)
    work.reject(ties.sum(axis=0) > 1, "as many votes for one class as for another", even)
    winner = table.argmax(axis=0)
    for k, (name, rule) in enumerate(settings.classes.items()):
        if rule.where is None:
            continue
        mine = winner == k
        _reject_missing(rule.where, columns, work, mine)
        holds = expressions.condition(rule.where, columns, key=f"classes.{name}.where")
        work.reject(mine & ~holds, f"{name} by votes, but its `where` does not hold")
    work.label[:] = winner
    return best


def _types(columns: Columns, settings: LabelSettings, given: np.ndarray) -> np.ndarray | None:
    if settings.type is None:
        return None
    value = expressions.evaluate(settings.type, columns, key="type").astype(np.float64)
    value = np.where(given & ~_any_missing(settings.type, columns), value, np.nan)
    return np.where(np.isfinite(value), value, np.nan)


def _reject_missing(
    expression: str, columns: Columns, work: _Work, rows: np.ndarray | None = None
) -> None:
    """A comparison with a missing value says nothing: such rows have no label."""
    for name in expressions.names_of(expression):
        gone = expressions.missing(columns[name])
        work.reject(gone if rows is None else gone & rows, f"no value of {name}")


def _any_missing(expression: str, columns: Columns) -> np.ndarray:
    gone = [expressions.missing(columns[name]) for name in expressions.names_of(expression)]
    return np.any(gone, axis=0) if gone else np.zeros(len(next(iter(columns.values()))), bool)


def _values(settings: LabelSettings, columns: Columns) -> np.ndarray:
    """The values that the conditions of all classes look at, as text, (N,)."""
    names: list[str] = []
    for rule in settings.classes.values():
        names += [n for n in expressions.names_of(rule.where or "True") if n not in names]
    rows = zip(*(columns[name] for name in names))
    words = [", ".join(f"{n} = {_short(v)}" for n, v in zip(names, row)) for row in rows]
    return (
        np.array(words, dtype=object) if names else np.full(len(next(iter(columns.values()))), "")
    )


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
