"""A Catalogue as a VOTable (1.4, BINARY2), written row after row."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.files import atomic_path
from morphosphere.tables.records import Layout, Packed

_NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"  # of version 1.4, too
_TYPES = {
    "f8": "double", "f4": "float", "i8": "long", "i4": "int", "i2": "short", "u1": "unsignedByte",
    "?": "boolean",
}  # fmt: skip
_FRAME = "icrs"
#: Bytes in a line of base64, a multiple of three.
_LINE = 3 << 14
#: Where the rows stand in the text that is around them.
_HERE = "@rows@"


def write_votable(path: Path, catalogue: Catalogue, layout: Layout, title: str) -> None:
    """Write a VOTable.

    Parameters
    ----------
    path : Path
    catalogue : Catalogue
    layout : Layout
        Of the catalogue.
    title : str
        The table's name.
    """
    before, after = _around(catalogue, layout, title)
    with atomic_path(path) as temporary, open(temporary, "wb") as out:
        out.write(before.encode())
        for line in _base64(_rows(catalogue, layout)):
            out.write(line)
        out.write(after.encode())


def _rows(catalogue: Catalogue, layout: Layout) -> Iterator[bytes]:
    """Rows of BINARY2: a bit for each column that is null, none of which is set, then the values.

    A number that is not known is NaN, a text empty.
    """
    flags = np.dtype((np.void, -(-len(layout.columns) // 8)))
    values = layout.dtype(wide=True)
    row = np.dtype([("flags", flags), ("values", values)])
    for record in layout.records(catalogue, wide=True):
        whole = np.zeros(len(record), row)
        whole["values"] = record
        yield whole.tobytes()


def _base64(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        whole = len(rest) // _LINE * _LINE
        for start in range(0, whole, _LINE):
            yield binascii.b2a_base64(rest[start : start + _LINE])
        rest = rest[whole:]
    yield binascii.b2a_base64(rest)


def _around(catalogue: Catalogue, layout: Layout, title: str) -> tuple[str, str]:
    """The text before and after the rows."""
    root = ElementTree.Element("VOTABLE", {"version": "1.4", "xmlns": _NAMESPACE})
    name = re.sub(r"\W+", "_", title)
    resource = ElementTree.SubElement(root, "RESOURCE", {"name": name})
    ElementTree.SubElement(resource, "DESCRIPTION").text = title
    for key in ("model_version", "classes", "band", "creator"):
        if value := catalogue.metadata.get(key):
            ElementTree.SubElement(resource, "INFO", {"name": key, "value": value})
    attributes = [_attributes(column) for column in layout.columns]
    if any("ref" in each for each in attributes):
        ElementTree.SubElement(resource, "COOSYS", {"ID": _FRAME, "system": "ICRS"})
    table = ElementTree.SubElement(resource, "TABLE", {"name": name, "nrows": str(layout.rows)})
    for column, about in zip(layout.columns, attributes):
        element = ElementTree.SubElement(table, "FIELD", about)
        if text := column.about.get("description"):
            ElementTree.SubElement(element, "DESCRIPTION").text = text
    binary = ElementTree.SubElement(ElementTree.SubElement(table, "DATA"), "BINARY2")
    ElementTree.SubElement(binary, "STREAM", {"encoding": "base64"}).text = _HERE
    ElementTree.indent(root)
    before, _, after = ElementTree.tostring(root, encoding="unicode").partition(_HERE)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{before}\n', f"{after}\n"


def _attributes(column: Packed) -> dict[str, str]:
    found = {"name": column.name, "datatype": _TYPES.get(column.kind, "char")}
    if column.kind == "S":
        found["datatype"] = "char" if column.plain else "unicodeChar"
        found["arraysize"] = str(column.width)
    for key in ("unit", "ucd"):
        if value := column.about.get(key):
            found[key] = value
    if found.get("ucd", "").startswith("pos.eq."):
        found["ref"] = _FRAME
    return found
