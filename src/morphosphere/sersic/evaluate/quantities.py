"""The quantities that are measured: how a column of a table is compared with its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Galaxies rounder than this have no position angle that an error of it could be told of.
ROUND = 0.8


@dataclass(frozen=True)
class Quantity:
    """A structural parameter on the scale that its errors are told on.

    Attributes
    ----------
    name : str
        In metrics: ``log_radius`` is log10 of the column ``radius``.
    column : str
        Of the tables, in the units of the sky.
    scale : str
        ``linear``, ``log10`` or ``angle`` (degrees, 0 and 180 the same).
    unit : str
        Of an error.
    """

    name: str
    column: str
    scale: str
    unit: str

    @property
    def bound(self) -> str:
        """Column of the table of bounds with the least standard deviation on this scale."""
        return f"bound_{self.name}"

    @property
    def words(self) -> str:
        """The name for figures."""
        return {
            "log_radius": "log half-light radius",
            "log_index": "log Sérsic index",
            "log_bulge_radius": "log radius of the bulge",
            "bulge_to_total": "bulge-to-total ratio",
        }.get(self.name, self.name.replace("_", " "))

    def value(self, column: np.ndarray) -> np.ndarray:
        """Values of the column on this scale, of any shape; NaN where there is none."""
        column = np.asarray(column, np.float64)
        if self.scale != "log10":
            return column
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(column > 0, np.log10(column), np.nan)

    def difference(self, told: np.ndarray, true: np.ndarray) -> np.ndarray:
        """Told minus true on this scale; of angles the shorter way, in [-90, 90)."""
        found = self.value(told) - self.value(true)
        return (found + 90.0) % 180.0 - 90.0 if self.scale == "angle" else found


_MAGNITUDE = Quantity("magnitude", "magnitude", "linear", "mag")
_RADIUS = Quantity("log_radius", "radius", "log10", "dex")
_AXIS_RATIO = Quantity("axis_ratio", "axis_ratio", "linear", "")
#: Only of galaxies that are not nearly round (see `ROUND`), and no part of means over quantities.
ANGLE = Quantity("position_angle", "position_angle", "angle", "deg")
_QUANTITIES = {
    1: (
        _MAGNITUDE,
        _RADIUS,
        _AXIS_RATIO,
        Quantity("log_index", "sersic_index", "log10", "dex"),
    ),
    2: (
        _MAGNITUDE,
        _RADIUS,
        Quantity("log_bulge_radius", "bulge_radius", "log10", "dex"),
        Quantity("bulge_to_total", "bulge_to_total", "linear", ""),
        _AXIS_RATIO,
    ),
}


def quantities_of(components: int) -> tuple[Quantity, ...]:
    """What is measured of profiles with so many components, but for the position angle."""
    return _QUANTITIES[components]
