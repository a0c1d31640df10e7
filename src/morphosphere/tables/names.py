"""Names of columns that FITS can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from morphosphere.errors import ConfigError


def plain_name(name: str) -> str:
    """A name of letters, digits and underscores, as FITS recommends."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def check_distinct(names: Iterable[str], path: Path, remedy: str) -> None:
    """Raise ConfigError, with the remedy, where names differ by case alone."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.lower(), name)) is not name:
            raise ConfigError(
                f"{path}: columns {other!r} and {name!r} of the catalogue differ by case alone, "
                f"which FITS does not tell apart; {remedy}"
            )
