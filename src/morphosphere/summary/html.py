"""Pages that need nothing but themselves: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from morphosphere.summary.style import STYLE


class Markup(str):
    """Text that is HTML already."""


def text(value: Any) -> str:
    """A value as HTML; `Markup` as it is."""
    return value if isinstance(value, Markup) else escape(str(value))


def page(title: str, body: Iterable[str]) -> str:
    """A whole page."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{escape(title)}</h1>",
            *body,
            "</body>",
            "</html>\n",
        ]
    )


def table(
    head: Sequence[Any], rows: Iterable[Sequence[Any]], *, numbers: Iterable[int] = ()
) -> Markup:
    """A table; the columns in `numbers` are set to the right."""
    right = dict.fromkeys(numbers, ' class="number"')
    cells = [f"<th{right.get(i, '')}>{text(name)}</th>" for i, name in enumerate(head)]
    lines = ['<div class="wide"><table>', f"<thead><tr>{''.join(cells)}</tr></thead>", "<tbody>"]
    for row in rows:
        cells = [f"<td{right.get(i, '')}>{text(value)}</td>" for i, value in enumerate(row)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return Markup("\n".join([*lines, "</tbody></table></div>"]))


def details(summary: Any, body: str, *, name: str = "") -> Markup:
    """A part of the page that opens on a click, or when a link to `name` is followed."""
    mark = f'<a id="{escape(name)}"></a>' if name else ""  # inside: browsers open what holds it
    return Markup(f"<details><summary>{text(summary)}</summary>\n{mark}{body}\n</details>")


def code(value: Any) -> Markup:
    """Text in letters of one width."""
    return Markup(f"<code>{escape(str(value))}</code>")


def listing(lines: Iterable[Any]) -> Markup:
    """A list."""
    return Markup("<ul>" + "".join(f"<li>{text(line)}</li>" for line in lines) + "</ul>")
