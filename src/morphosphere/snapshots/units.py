"""From the units of simulation files to ours: physical kpc, km/s, solar masses.

A dataset that says its own unit (``to_cgs`` with the exponents of scale factor and h, as AREPO,
GADGET-4 and EAGLE write) is taken at its word; otherwise the units of the file's header and the
conventions of GADGET hold: lengths are comoving and over h, masses over h, velocities over sqrt(a).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.hdf5 import attribute

#: The units as GADGET and its descendants write them (a solar mass of 1.989e33 g, so that their
#: 1e10 Msun/h stays what it says), in cgs.
KPC = 3.085678e21
KM_PER_S = 1e5
SOLAR_MASS = 1.989e33
GYR = 3.15576e16

_CGS = {
    "length": KPC,
    "velocity": KM_PER_S,
    "mass": SOLAR_MASS,
    "density": SOLAR_MASS / KPC**3,
    "sfr": SOLAR_MASS / (GYR / 1e9),
    "potential": KM_PER_S**2,
}
#: Conventional exponents of (a, h) for each kind of quantity.
_EXPONENTS = {
    "length": (1, -1),
    "velocity": (0.5, 0),
    "mass": (0, -1),
    "density": (-3, 2),
    "potential": (-1, 0),
}
#: Names under which datasets give their unit: factor to cgs, exponents of a and of h.
_ATTRIBUTES = (
    ("to_cgs", "a_scaling", "h_scaling"),
    ("CGSConversionFactor", "aexp-scale-exponent", "h-scale-exponent"),
)


@dataclass(frozen=True)
class UnitSystem:
    """Units of one file.

    Attributes
    ----------
    length, mass, velocity : float
        In cgs, without factors of h.
    scale_factor, hubble : float
        1 and 1 for a simulation without cosmology.
    stated : bool
        Whether the header says the units; otherwise they are GADGET's default (kpc, 1e10 solar
        masses, km/s).
    """

    length: float = KPC
    mass: float = 1e10 * SOLAR_MASS
    velocity: float = KM_PER_S
    scale_factor: float = 1.0
    hubble: float = 1.0
    stated: bool = False

    @property
    def time(self) -> float:
        """Unit of time in Gyr."""
        return self.length / self.velocity / self.hubble / GYR

    def factor(self, kind: str, comoving: bool = True) -> float:
        """Factor from file units to ours by convention.

        Parameters
        ----------
        kind : str
            length, velocity, mass, density, sfr or potential.
        comoving : bool
            False for quantities that the code writes as physical ones (but over h).
        """
        if kind == "sfr":
            return 1.0
        cgs = {
            "length": self.length,
            "velocity": self.velocity,
            "mass": self.mass,
            "density": self.mass / self.length**3,
            "potential": self.velocity**2,
        }[kind]
        a, h = _EXPONENTS[kind]
        scale = self.scale_factor**a if comoving else 1.0
        return cgs / _CGS[kind] * scale * self.hubble**h

    def factor_of(self, kind: str, attributes: Mapping[str, Any], where: str) -> float:
        """Factor from the units of a dataset to ours; by its own attributes if it has them.

        Raises
        ------
        InputError
            If the unit that the dataset states cannot be one.
        """
        for cgs, a, h in _ATTRIBUTES:
            if cgs not in attributes:
                continue
            values = [float(attribute(attributes, n)) for n in (cgs, a, h) if n in attributes]
            if len(values) < 3 or not np.isfinite(values).all() or values[0] < 0:
                raise InputError(
                    f"{where}: unknown unit; attributes {cgs}, {a} and {h} must be three numbers, "
                    f"the first positive, but are {values}"
                )
            if values[0] == 0:
                break
            own = values[0] * self.scale_factor ** values[1] * self.hubble ** values[2]
            return own / _CGS[kind]
        return self.factor(kind)


def unit_system(*groups: Mapping[str, Any], scale_factor: float, hubble: float) -> UnitSystem:
    """Units from the first of several attribute groups (header, parameters) that states them.

    Raises
    ------
    InputError
        If a unit is not a positive number.
    """
    names = ("UnitLength_in_cm", "UnitMass_in_g", "UnitVelocity_in_cm_per_s")
    for attributes in groups:
        if all(name in attributes for name in names):
            values = [float(attribute(attributes, name)) for name in names]
            if not all(np.isfinite(values)) or min(values) <= 0:
                raise InputError(f"unknown units: {', '.join(names)} are {values}")
            return UnitSystem(*values, scale_factor, hubble, stated=True)
    return UnitSystem(scale_factor=scale_factor, hubble=hubble)
