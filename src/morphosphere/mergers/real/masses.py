"""Mass ratio of a pair from masses with bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.collect.fault import Fault
from morphosphere.config.merger_sources import RealMergersSettings
from morphosphere.mergers.real.known import Known


@dataclass(frozen=True)
class MassRatio:
    """Mass of the less massive galaxy over that of the other; NaN where it is not known.

    Attributes
    ----------
    ratio, low, high : float
        In (0, 1]. The bounds hold all ratios that the bounds of the masses allow, and `ratio`.
    consistent : float
        1 if both masses lie within their bounds, 0 if not, NaN without bounds.
    """

    ratio: float = np.nan
    low: float = np.nan
    high: float = np.nan
    consistent: float = np.nan


def mass_ratio(known: Known, settings: RealMergersSettings) -> MassRatio:
    """Mass ratio of an image's galaxies.

    Raises
    ------
    Fault
        If a mass or a bound is missing or not positive, or a lower bound is above the upper one.
    """
    if settings.masses is None:
        return MassRatio()
    masses = [_mass(known, key, "masses") for key in settings.masses]
    ratio = min(masses) / max(masses)
    if settings.mass_bounds is None:
        return MassRatio(ratio)
    low1, high1, low2, high2 = (_mass(known, key, "mass_bounds") for key in settings.mass_bounds)
    for low, high, key in ((low1, high1, 0), (low2, high2, 2)):
        if low > high:
            raise Fault(f"{settings.mass_bounds[key]} is above {settings.mass_bounds[key + 1]}")
    least, most = low2 / high1, high2 / low1
    consistent = low1 <= masses[0] <= high1 and low2 <= masses[1] <= high2
    if least <= 1 <= most:  # either galaxy can be the more massive one
        folded = (min(least, 1 / most), 1.0)
    else:
        folded = (least, most) if most < 1 else (1 / most, 1 / least)
    return MassRatio(ratio, min(folded[0], ratio), max(folded[1], ratio), float(consistent))


def _mass(known: Known, key: str, setting: str) -> float:
    value = known.number(key, setting)
    if not value > 0:
        raise Fault(f"{key} = {value:g} is not a mass")
    return value
