"""Which galaxies there are: families, masses and the relations that tie their properties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.config.mock import MockSettings

FAMILIES = ("spiral", "lenticular", "elliptical", "irregular", "pair", "merger")
SOLAR_METALLICITY = 0.0127

#: Knee (log10 solar masses) and slope of the stellar mass function, about those of Baldry et al.
#: (2012, MNRAS 421, 621) for nearby galaxies.
SCHECHTER = (10.75, -1.2)


@dataclass(frozen=True)
class Traits:
    """What a galaxy is drawn from.

    Attributes
    ----------
    family : str
        One of the first four of `FAMILIES`.
    log_mass : float
        log10 of the stellar mass in solar masses.
    stage : float
        Hubble stage T, from -5 (elliptical) to 10 (irregular).
    bulge_to_total : float
        Share of the bulge in the stellar mass.
    size : float
        Half-mass radius of the stars in kpc.
    sfr : float
        Star formation rate in solar masses per year.
    gas_fraction : float
        Gas mass over stellar mass.
    age : float
        Mean age of the old stars in Gyr.
    log_metallicity : float
        log10 of the stars' mean metal mass fraction.
    speed : float
        Flat part of the circular velocity in km/s.
    dispersion : float
        Stellar velocity dispersion of the spheroid in km/s.
    """

    family: str
    log_mass: float
    stage: float
    bulge_to_total: float
    size: float
    sfr: float
    gas_fraction: float
    age: float
    log_metallicity: float
    speed: float
    dispersion: float

    @property
    def mass(self) -> float:
        """Stellar mass in solar masses."""
        return 10.0**self.log_mass


def schechter(log_mass: np.ndarray) -> np.ndarray:
    """Number of galaxies per decade of mass, of arbitrary scale (Schechter 1976, ApJ 203, 297)."""
    knee, slope = SCHECHTER
    x = 10.0 ** (np.asarray(log_mass) - knee)
    return x ** (slope + 1) * np.exp(-x)


def _frequency(family: str, log_mass: np.ndarray) -> np.ndarray:
    """How common a family is at a mass, of arbitrary scale."""

    def above(knee: float, width: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(log_mass - knee) / width))

    return {
        "spiral": above(9.7, 0.15) * (1 - 0.7 * above(11.0, 0.15)),
        "lenticular": above(10.0, 0.2),
        "elliptical": 0.12 + above(10.5, 0.2),
        "irregular": 1 - 0.98 * above(9.9, 0.12),
        "pair": above(9.8, 0.2),
        "merger": above(9.8, 0.2),
    }[family]


def draw_log_mass(rng: np.random.Generator, family: str, mass_range: tuple[float, float]) -> float:
    """log10 of a stellar mass, from the Schechter function times the family's frequency."""
    grid = np.linspace(*mass_range, 400)
    steps = np.cumsum(schechter(grid) * _frequency(family, grid))
    return float(np.interp(rng.random() * steps[-1], steps, grid))


def draw_family(rng: np.random.Generator, settings: MockSettings) -> str:
    """Family of the next galaxy, or of the next pair of galaxies."""
    weights = np.array([getattr(settings.families, name) for name in FAMILIES], dtype=float)
    weights[FAMILIES.index("pair")] /= 2  # a pair is two galaxies
    return FAMILIES[rng.choice(len(FAMILIES), p=weights / weights.sum())]


def draw_traits(rng: np.random.Generator, family: str, log_mass: float) -> Traits:
    """Traits of a galaxy of a family and mass, with the scatter of the observed relations.

    Sizes follow Shen et al. (2003, MNRAS 343, 978), metallicities Gallazzi et al. (2005, MNRAS
    362, 41), specific star formation rates the main sequence and the quiescent galaxies of
    nearby surveys; the circular velocity follows Tully-Fisher, the dispersion Faber-Jackson.
    """
    noise = rng.normal(size=7)
    massive = log_mass - 10.5
    if family == "spiral":
        stage = float(np.clip(4.0 - 2.0 * massive + 1.7 * noise[0], 1.0, 8.0))
        bulge = float(np.clip(0.42 - 0.06 * stage + 0.05 * noise[1], 0.02, 0.5))
    elif family == "lenticular":
        stage = float(np.clip(-1.5 + 0.8 * noise[0], -3.0, 0.0))
        bulge = float(np.clip(0.5 - 0.06 * (stage + 1.5) + 0.08 * noise[1], 0.25, 0.75))
    elif family == "irregular":
        stage = float(np.clip(9.3 + 0.5 * noise[0], 8.5, 10.0))
        bulge = 0.0
    else:
        stage = float(np.clip(-4.5 + 0.4 * noise[0], -5.0, -3.5))
        bulge = 1.0
    if stage > 0:
        size = 4.6 * 10 ** (0.22 * massive + 0.1 * noise[2] + 0.015 * (stage - 4))
    else:
        size = 3.6 * 10 ** (np.where(massive > -0.6, 0.56 * massive, 0.12 * massive - 0.264))
        size *= 10 ** (0.09 * noise[2]) * (1.25 if family == "lenticular" else 1.0)
    log_ssfr = (
        -10.75 + 0.13 * stage - 0.15 * massive + 0.15 * noise[3]
        if stage > 0
        else -12.3 + 0.25 * (stage + 5) / 5 + 0.25 * noise[3]
    )
    gas = 10 ** (0.75 * (log_ssfr + 10.0) - 0.75 - 0.25 * massive + 0.1 * noise[4])
    age = np.clip(
        (10.2 if stage <= 0 else 9.2 - 0.42 * stage) + 0.9 * massive + 0.6 * noise[5], 3, 12
    )
    metallicity = np.log10(SOLAR_METALLICITY) - 0.12 + 0.38 * min(massive, 0.6) + 0.08 * noise[6]
    if stage > 0:
        metallicity -= 0.035 * stage
    return Traits(
        family=family,
        log_mass=log_mass,
        stage=stage,
        bulge_to_total=bulge,
        size=float(size),
        sfr=float(10 ** (log_ssfr + log_mass)),
        gas_fraction=float(min(gas, 3.0)),
        age=float(age),
        log_metallicity=float(metallicity),
        speed=float(195 * 10 ** (0.26 * massive)),
        dispersion=float(170 * 10 ** (0.27 * massive)),
    )


def halo_mass(log_mass: float) -> float:
    """Mass of the dark halo in solar masses of a galaxy of a stellar mass (log10).

    Inverts the relation of Moster et al. (2013, MNRAS 428, 3121) at redshift zero.
    """
    halo = np.linspace(9, 15.5, 400)
    ratio = 10 ** (halo - 11.59)
    stellar = halo + np.log10(2 * 0.0351 / (ratio**-1.376 + ratio**0.608))
    return float(10 ** np.interp(log_mass, stellar, halo))


def halo_radius(mass: float) -> float:
    """Radius in kpc within which a halo is 200 times as dense as the critical density today."""
    return 163.0 * (mass * 0.6774 / 1e12) ** (1 / 3) / 0.6774
