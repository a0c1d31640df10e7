"""Physical units to those of an IllustrisTNG snapshot, and the fields of its particles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.snapshots.mock.neighbours import smoothing_lengths
from morphosphere.snapshots.mock.particles import DarkMatter, Gas, Stars, take
from morphosphere.stellar_populations import absolute_magnitudes

#: Bands of GFM_StellarPhotometrics, in the order of the columns.
BANDS = ("U", "B", "V", "K", "g", "r", "i", "z")
#: Planck Collaboration (2016, A&A 594, A13), as in IllustrisTNG.
HUBBLE, OMEGA_MATTER, OMEGA_LAMBDA, OMEGA_BARYON = 0.6774, 0.3089, 0.6911, 0.0486

_BLOCK = 1 << 17  # stars whose light is worked out together

Fields = dict[str, np.ndarray]


@dataclass(frozen=True)
class Units:
    """Units of a snapshot at a redshift: comoving kpc/h, 1e10 solar masses/h, km sqrt(a)/s."""

    redshift: float

    @property
    def scale_factor(self) -> float:
        """Scale factor ``a`` of the snapshot."""
        return 1 / (1 + self.redshift)

    @property
    def age(self) -> float:
        """Age of the universe in Gyr."""
        x = np.sqrt(OMEGA_LAMBDA / OMEGA_MATTER) * self.scale_factor**1.5
        return float(2 / 3 / np.sqrt(OMEGA_LAMBDA) * np.arcsinh(x) * 9.77792 / HUBBLE)

    def birth_scale_factor(self, age: np.ndarray) -> np.ndarray:
        """Scale factor when stars of an age (Gyr) were born; -1 where the age is NaN (wind).

        Flat universe with matter and a cosmological constant. Stars older than the universe are
        born when it was 2 % of its age.
        """
        born = np.maximum(self.age - np.nan_to_num(age), 0.02 * self.age)
        x = np.sinh(1.5 * np.sqrt(OMEGA_LAMBDA) * born * HUBBLE / 9.77792)
        factor = (np.sqrt(OMEGA_MATTER / OMEGA_LAMBDA) * x) ** (2 / 3)
        return np.where(np.isnan(age), -1.0, factor)

    def length(self, kpc: np.ndarray) -> np.ndarray:
        """Comoving kpc/h."""
        return kpc * (HUBBLE / self.scale_factor)

    def mass(self, solar: np.ndarray) -> np.ndarray:
        """1e10 solar masses/h."""
        return solar * (HUBBLE / 1e10)

    def velocity(self, km_s: np.ndarray) -> np.ndarray:
        """km sqrt(a)/s."""
        return km_s / np.sqrt(self.scale_factor)

    def density(self, solar_kpc3: np.ndarray) -> np.ndarray:
        """(1e10 solar masses/h) / (comoving kpc/h)^3."""
        return solar_kpc3 * (self.scale_factor**3 / (HUBBLE**2 * 1e10))


def _moving(particles: Stars | Gas | DarkMatter, units: Units) -> Fields:
    return {
        "Coordinates": units.length(particles.position),
        "Velocities": units.velocity(particles.velocity).astype(np.float32),
    }


def gas_fields(gas: Gas, units: Units) -> Fields:
    """PartType0. The internal energy is of an ideal gas with 76 % hydrogen by mass."""
    ionised = np.clip((np.log10(np.maximum(gas.temperature, 1)) - 4.0) / 0.3, 0.05, 1.0)
    electrons = 1.16 * ionised
    weight = 4 / (1 + 3 * 0.76 + 4 * 0.76 * electrons)
    energy = 1.5 * 8.2545e-3 * gas.temperature / weight  # k/m_p in (km/s)^2 per K
    volume = gas.mass / np.maximum(gas.density, 1e-30)
    return {
        **_moving(gas, units),
        "Masses": units.mass(gas.mass).astype(np.float32),
        "Density": units.density(gas.density).astype(np.float32),
        "InternalEnergy": energy.astype(np.float32),
        "ElectronAbundance": electrons.astype(np.float32),
        "StarFormationRate": gas.sfr.astype(np.float32),
        "GFM_Metallicity": gas.metallicity.astype(np.float32),
        # a sphere of 64 cells of this volume
        "SubfindHsml": units.length(np.cbrt(64 * 3 / (4 * np.pi) * volume)).astype(np.float32),
    }


def dark_matter_fields(dark_matter: DarkMatter, units: Units) -> Fields:
    """PartType1; the mass is in the header's MassTable."""
    return _moving(dark_matter, units)


def star_fields(stars: Stars, units: Units) -> Fields:
    """PartType4. Wind particles have no light and a formation time below zero."""
    light = np.concatenate(
        [
            _magnitudes(take(stars, slice(start, start + _BLOCK)), 0.98 * units.age)
            for start in range(0, max(len(stars), 1), _BLOCK)
        ]
    )
    length = units.length(smoothing_lengths(stars.position)).astype(np.float32)
    return {
        **_moving(stars, units),
        "Masses": units.mass(stars.mass()).astype(np.float32),
        "GFM_InitialMass": units.mass(stars.initial_mass).astype(np.float32),
        "GFM_Metallicity": stars.metallicity.astype(np.float32),
        "GFM_StellarFormationTime": units.birth_scale_factor(stars.age).astype(np.float32),
        "GFM_StellarPhotometrics": light,
        "StellarHsml": length,
    }


def _magnitudes(stars: Stars, oldest: float) -> np.ndarray:
    light = absolute_magnitudes(
        BANDS,
        age=np.minimum(np.nan_to_num(stars.age), oldest),
        metallicity=stars.metallicity,
        initial_mass=stars.initial_mass,
        system="native",
    )
    light[np.isnan(stars.age)] = 0.0
    return light.astype(np.float32)
