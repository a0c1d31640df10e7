"""A Catalogue as a binary table of FITS, written row after row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.files import atomic_path
from morphosphere.tables.records import Layout, Packed

_FORMATS = {"f8": "D", "f4": "E", "i8": "K", "i4": "J", "i2": "I", "u1": "B", "?": "L"}
#: Words of the catalogue's metadata in the header: keyword, key, comment.
_WORDS = (
    ("MODELVER", "model_version", "version of the model"),
    ("CLASSES", "classes", "classes that the model tells"),
    ("BAND", "band", "band of the images"),
    ("AUTHOR", "creator", "who made the catalogue"),
)
_ASCII = {"errors": "replace", "encoding": "ascii"}


def write_fits(path: Path, catalogue: Catalogue, layout: Layout, title: str) -> None:
    """Write a FITS file; units are TUNIT, UCDs TUCD and descriptions TCOMM, as TOPCAT reads them.

    Parameters
    ----------
    path : Path
    catalogue : Catalogue
    layout : Layout
        Of the catalogue.
    title : str
        The table's name.
    """
    columns = [
        fits.Column(c.name, _format(c), unit=c.about.get("unit") or None) for c in layout.columns
    ]
    header = fits.BinTableHDU.from_columns(columns, name=_plain(title)).header
    header["NAXIS2"] = layout.rows
    if any(c.about.get("ucd", "").startswith("pos.eq.") for c in layout.columns):
        header["RADESYS"] = ("ICRS", "frame of ra and dec")
    for keyword, key, comment in _WORDS:
        if value := catalogue.metadata.get(key):
            header[keyword] = (_plain(value), comment)
    for number, column in enumerate(layout.columns, 1):
        for keyword, key in (("TUCD", "ucd"), ("TCOMM", "description")):
            if value := column.about.get(key):
                header[f"{keyword}{number}"] = _plain(value)
    with atomic_path(path) as temporary:
        out = fits.StreamingHDU(str(temporary), header)
        with out:
            for record in layout.records(catalogue):
                out.write(record.view(np.uint8))


def _format(column: Packed) -> str:
    return f"{column.width}A" if column.kind == "S" else _FORMATS[column.kind]


def _plain(text: str) -> str:
    return text.encode(**_ASCII).decode()
