"""Tables of structural parameters from which galaxies are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.config.sersic_simulate import INDEX_LIMITS
from morphosphere.errors import InputError
from morphosphere.structure.parameters import Space

#: Smallest and largest values that can be drawn, in the units of the columns.
_LIMITS = {
    "magnitude": (-30.0, 60.0),
    "radius": (1e-6, np.inf),
    "bulge_radius": (1e-6, np.inf),
    "sersic_index": INDEX_LIMITS,
    "axis_ratio": (0.05, 1.0),
    "bulge_to_total": (0.0, 1.0),
    "position_angle": (-np.inf, np.inf),
}


def read_table(path: str | Path, components: int) -> dict[str, np.ndarray]:
    """Columns of structural parameters of a CSV, FITS or Parquet file, each (n,) of float64.

    ``position_angle`` is there only if the file has it.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, has no rows, or has a value that is no number
        or cannot be drawn.
    """
    columns = _read(Path(path))
    needed = [name for name in Space(components).columns if name != "position_angle"]
    if lacking := [name for name in needed if name not in columns]:
        raise InputError(
            f"{path}: no column {', '.join(lacking)}; it has {', '.join(columns) or 'none'}. "
            f"With components: {components} it needs {', '.join(needed)}"
        )
    names = [name for name in Space(components).columns if name in columns]
    found = {name: _numbers(path, name, columns[name]) for name in names}
    if not len(found["magnitude"]):
        raise InputError(f"{path}: has no rows to draw galaxies from")
    return found


def _read(path: Path) -> dict[str, np.ndarray]:
    import pandas
    from astropy.io.registry import IORegistryError
    from astropy.table import Table

    kind = path.suffix.lower()
    try:
        if kind in (".parquet", ".pq"):
            table = pandas.read_parquet(path)
        elif kind == ".csv":
            table = pandas.read_csv(path)
        elif kind in (".fits", ".fit"):
            table = Table.read(path, hdu=1)
            return {name: np.ma.filled(table[name], np.nan) for name in table.colnames}
        else:
            raise InputError(f"{path}: its name must end in .csv, .fits or .parquet")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (simulate.table)") from None
    except (OSError, ValueError, IndexError, IORegistryError) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from None
    return {str(name): table[name].to_numpy() for name in table.columns}


def _numbers(path: str | Path, name: str, values: np.ndarray) -> np.ndarray:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{path}: column {name} holds something else than numbers") from None
    if numbers.ndim != 1:
        raise InputError(f"{path}: column {name} holds several numbers in a row")
    low, high = _LIMITS[name]
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= low) & (numbers <= high)))
    if len(wrong):
        raise InputError(
            f"{path}: {name} is {numbers[wrong[0]]:g} in row {wrong[0]} (counted from 0) and wrong "
            f"in {len(wrong)} of {len(numbers)} rows; it must be from {low:g} to {high:g}"
        )
    return numbers
