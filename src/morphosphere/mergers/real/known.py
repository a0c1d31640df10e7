"""What is known of an image: from a table, from files beside it, from its FITS header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.collect import Table, read_table
from morphosphere.collect.fault import Fault
from morphosphere.collect.items import Item
from morphosphere.config.merger_sources import RealMergersSettings


@dataclass(frozen=True)
class Known:
    """Values about one image, by name, and where they come from for messages."""

    values: Mapping[str, Any]
    where: str

    def number(self, key: float | str, setting: str) -> float:
        """A number that is given, or the value of a name.

        Raises
        ------
        Fault
            If there is none of that name, or it is not a finite number.
        """
        if not isinstance(key, str):
            return float(key)
        if key not in self.values:
            raise Fault(f"no value {key!r} in {self.where}, which `{setting}` names")
        try:
            value = float(self.values[key])
        except (TypeError, ValueError):
            value = np.nan
        if not np.isfinite(value):
            raise Fault(f"{key} = {self.values[key]!r} in {self.where} is not a number")
        return value


def table_of(settings: RealMergersSettings) -> Table | None:
    """The table of the settings, if there is one."""
    return read_table(settings.table, id_column=settings.table_id) if settings.table else None


def known_of(item: Item, table: Table | None, settings: RealMergersSettings) -> Known:
    """All that is known of an image; the table counts most, then the first side file, then others.

    Raises
    ------
    Fault
        If a side file or a row of the table is missing, or cannot be read.
    """
    values: dict[str, Any] = {}
    where = []
    if item.kind == "fits":
        values.update(_header(item.files[0], settings.hdu))
        where.append("the FITS header")
    for suffix in reversed(settings.side_files):  # the first counts most
        path = Path(item.files[0]).with_suffix(suffix)
        values.update(_pairs(path))
        where.append(path.name)
    if table is not None:
        row = int(table.rows_of([item.id])[0])
        if row < 0:
            raise Fault(f"no row for it in {settings.table}")
        values.update({name: column[row] for name, column in table.columns.items()})
        where.append(str(settings.table))
    return Known(values, ", ".join(reversed(where)) or "its files (there is no table)")


def _header(path: str, which: int | str | None) -> dict[str, Any]:
    from astropy.io import fits

    try:
        with open(path, "rb") as handle, fits.open(handle, memmap=False) as hdus:
            if which is None:
                hdu = next((h for h in hdus if h.is_image and len(h.shape) >= 2), hdus[0])
            else:
                hdu = hdus[which]
            values = {key: value for key, value in hdu.header.items() if key}
            values["_header"] = hdu.header.copy()
            return values
    except Exception as error:  # astropy raises many kinds, and every one is the file's fault
        raise Fault(f"unreadable: {' '.join(str(error).split())}") from None


def _pairs(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise Fault(f"{path.name} is missing beside it, which `side_files` asks for") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{path.name}: cannot be read ({error})") from None
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}
