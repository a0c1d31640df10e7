"""One galaxy as a rigid potential: halo and bulge of Hernquist (1990), disc of Miyamoto & Nagai."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Constant of gravitation in kpc (km/s)^2 / solMass.
G = 4.300917e-6
#: Myr in a kpc/(km/s).
MYR = 977.7922
#: Scale of the Hernquist sphere with the half-mass radius of an exponential disc of scale 1.
_ROUND_DISC = 1.67835 / (1 + np.sqrt(2))
#: Scales of the Miyamoto-Nagai disc over the scale length of the exponential disc it stands for.
_FLAT, _HIGH = 0.95, 0.8
#: Scale of the bulge over that of the disc.
BULGE_SCALE = 0.2


@dataclass(frozen=True)
class GalaxyModel:
    """Masses in solar masses, lengths in kpc.

    Attributes
    ----------
    halo_mass, halo_scale : float
        Hernquist (1990, ApJ 356, 359).
    disc_mass, disc_scale, thickness : float
        Exponential disc with a height of sech^2(z / (thickness * disc_scale)).
    bulge_mass : float
        Hernquist, of scale `bulge_scale`.
    spin : tuple of float
        Unit vector along the angular momentum of the disc.
    """

    halo_mass: float
    halo_scale: float
    disc_mass: float
    disc_scale: float
    bulge_mass: float
    thickness: float = 0.2
    spin: tuple[float, float, float] = (0.0, 0.0, 1.0)

    @property
    def stellar_mass(self) -> float:
        """Mass of disc and bulge."""
        return self.disc_mass + self.bulge_mass

    @property
    def mass(self) -> float:
        """Total mass."""
        return self.stellar_mass + self.halo_mass

    @property
    def bulge_scale(self) -> float:
        """Scale radius of the bulge."""
        return BULGE_SCALE * self.disc_scale

    @property
    def flattening(self) -> tuple[float, float]:
        """Scales a and b of the Miyamoto & Nagai (1975, PASJ 27, 533) potential of the disc."""
        return _FLAT * self.disc_scale, _HIGH * self.thickness * self.disc_scale

    def spheres(self, *, stars: bool = False) -> np.ndarray:
        """Mass and scale of the Hernquist spheres that stand for the galaxy on its orbit, (n, 2).

        The disc counts as a sphere with the same half-mass radius.
        """
        parts = [
            (self.disc_mass, _ROUND_DISC * self.disc_scale),
            (self.bulge_mass, self.bulge_scale),
        ]
        return np.array(parts if stars else [*parts, (self.halo_mass, self.halo_scale)])


def enclosed(spheres: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Mass of Hernquist spheres within radii, in solar masses."""
    radius = np.asarray(radius, dtype=np.float64)[..., None]
    return (spheres[:, 0] * (radius / (radius + spheres[:, 1])) ** 2).sum(-1)


def density(spheres: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Density of Hernquist spheres in solar masses per kpc^3."""
    radius = np.asarray(radius, dtype=np.float64)[..., None]
    mass, scale = spheres.T
    return (mass * scale / (2 * np.pi * radius * (radius + scale) ** 3)).sum(-1)


def dispersion(tracer: np.ndarray, pull: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """One-dimensional velocity dispersion in km/s of an isotropic tracer (Jeans' equation).

    Parameters
    ----------
    tracer : ndarray, shape (n, 2)
        Mass and scale of the Hernquist spheres of the tracer.
    pull : ndarray, shape (R,)
        Inward acceleration, (km/s)^2/kpc.
    radius : ndarray, shape (R,)
        Rising, from well inside to well outside of the mass; kpc.
    """
    number = density(tracer, radius)
    pressure = number * pull
    steps = 0.5 * (pressure[1:] + pressure[:-1]) * np.diff(radius)
    outside = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    # beyond the last radius the tracer falls as r^-4 around a point
    outside += number[-1] * pull[-1] * radius[-1] / 5
    return np.sqrt(outside / number)
