"""How values of metrics, and the notes on them, are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from morphosphere.summary.html import Markup, listing, text


def number(value: Any) -> str:
    """A value of any kind in a cell; a dash if it is missing."""
    if isinstance(value, dict):  # deeper than a table: what stands for it
        if "median" in value:
            return number(value["median"])
        plain = {k: v for k, v in value.items() if not isinstance(v, (dict, list))}
        return ", ".join(f"{k}: {number(v)}" for k, v in plain.items()) or "–"
    if value is None:
        return "–"
    if isinstance(value, list):  # an interval
        return " to ".join(map(number, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def with_interval(value: Any, interval: Any) -> Markup:
    """A value to four decimals and, beside it, its interval to three."""
    if not isinstance(value, float):
        return Markup(text(number(value)))
    if not interval:
        return Markup(f"{value:.4f}")
    low, high = ("–" if end is None else f"{end:.3f}" for end in interval)
    return Markup(f"{value:.4f} <span class='quiet'>({low} to {high})</span>")


def notes_on(key: str, notes: dict[str, str]) -> Iterator[Markup]:
    """The notes on a metric; what is said of several of its values stands once."""
    if key in notes:
        yield Markup(f"<p class='quiet'>{text(notes[key])}</p>")
    said: dict[str, list[str]] = {}
    for name, note in notes.items():
        if name.startswith(f"{key}."):
            said.setdefault(note, []).append(name.removeprefix(f"{key}."))
    yield from _lines(said)


def notes_together(keys: tuple[str, ...], notes: dict[str, str]) -> Iterator[Markup]:
    """The notes on several metrics that share a table."""
    said: dict[str, list[str]] = {}
    for name, note in notes.items():
        if name.partition(".")[0] in keys:
            said.setdefault(note, []).append(name)
    yield from _lines(said)


def _lines(said: dict[str, list[str]]) -> Iterator[Markup]:
    if said:
        lines = [f"{', '.join(names)}: {note}" for note, names in said.items()]
        yield Markup(f"<div class='quiet'>{listing(lines)}</div>")


def sections_of(
    metrics: dict[str, Any], sections: Iterable[tuple[str, set[str], Iterable[str]]]
) -> tuple[list[str], set[str]]:
    """The lines of a page's sections, and the keys of `metrics` that they tell.

    Parameters
    ----------
    metrics : dict
    sections : iterable of (str, set of str, iterable of str)
        Title, keys and lines of each; one of which no key is there is left out.
    """
    told: set[str] = {"notes"}
    lines: list[str] = []
    for title, keys, body in sections:
        told |= keys
        if any(key in metrics for key in keys):
            lines += [Markup(f"<h2>{text(title)}</h2>"), *body]
            lines += notes_together(tuple(keys), metrics.get("notes", {}))
    return lines, told


def quiet(words: str) -> Markup:
    """A paragraph in small grey letters."""
    return Markup(f"<p class='quiet'>{text(words)}</p>")
