"""The encounters of Toomre & Toomre (1972, ApJ 178, 623), with halos: M51, Antennae, Mice."""

from __future__ import annotations

import math
from dataclasses import dataclass

from morphosphere.mergers.encounters.draw import Encounter
from morphosphere.mergers.encounters.model import GalaxyModel


@dataclass(frozen=True)
class Classic:
    """An encounter, and how and when we see it.

    Attributes
    ----------
    name : str
    encounter : Encounter
    times : tuple of float
        Moments to draw, in Myr since the first pericentre; the one in the middle is like the
        sky's.
    view : tuple of float
        Inclination of the line of sight to the orbit's axis, its longitude from the pericentre,
        and the roll of the camera, in degrees.
    width : float
        Field of view in kpc.
    """

    name: str
    encounter: Encounter
    times: tuple[float, ...]
    view: tuple[float, float, float]
    width: float


def tilted(
    inclination: float, argument: float, *, second: bool = False
) -> tuple[float, float, float]:
    """Spin of a disc with Toomre & Toomre's angles.

    Parameters
    ----------
    inclination : float
        Of the orbit to the disc, in degrees; 0 is prograde, 180 retrograde.
    argument : float
        Angle in the orbit from its ascending node on the disc to the pericentre, in degrees.
    second : bool
        Of the second galaxy, whose pericentre is on the other side.
    """
    tilt, turn = math.radians(inclination), math.radians(argument) + math.pi * second
    return (
        math.sin(tilt) * math.sin(turn),
        math.sin(tilt) * math.cos(turn),
        math.cos(tilt),
    )


def _galaxy(
    share: float, spin: tuple[float, float, float], *, scale: float = 3.5, bulge: float = 0.2
) -> GalaxyModel:
    """A galaxy with this share of 6e11 solar masses."""
    mass = 6e11 * share
    stars = 0.075 * mass
    return GalaxyModel(
        halo_mass=mass - stars,
        halo_scale=18.6 * share ** (1 / 3),
        disc_mass=stars * (1 - bulge),
        disc_scale=scale * share ** (1 / 3),
        bulge_mass=stars * bulge,
        thickness=0.12,
        spin=spin,
    )


M51 = Classic(
    "M51",
    Encounter(
        _galaxy(1, tilted(-70, -15)),
        _galaxy(1 / 3, tilted(70, 40, second=True), bulge=0.5),
        pericentre=14,
        eccentricity=0.9,
    ),
    times=(0, 80, 160, 240, 320),
    view=(90, 90, 0),
    width=80,
)
ANTENNAE = Classic(
    "Antennae",
    Encounter(
        _galaxy(1, tilted(60, -30)),
        _galaxy(1, tilted(60, -30, second=True)),
        pericentre=9,
        eccentricity=0.9,
    ),
    times=(0, 120, 240, 360, 500),
    view=(90, 0, 0),
    width=170,
)
MICE = Classic(
    "Mice",
    Encounter(
        _galaxy(1, tilted(15, -90)),
        _galaxy(1, tilted(60, -90, second=True)),
        pericentre=10,
        eccentricity=0.95,
    ),
    times=(0, 80, 160, 240, 320),
    view=(90, 0, 0),
    width=130,
)
CLASSICS = (M51, ANTENNAE, MICE)
