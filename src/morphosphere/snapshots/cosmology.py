"""Cosmic time, for the ages of stars."""

from __future__ import annotations

import numpy as np


class CosmicTime:
    """Age of the universe as a function of the scale factor.

    The exact integral is astropy's (`astropy.cosmology.LambdaCDM`, without radiation, as
    simulations of galaxies do it), tabulated once; linear interpolation in ``a**1.5``, in which
    the age is nearly linear, is good to 1e-6 Gyr.

    Parameters
    ----------
    hubble : float
        Hubble constant over 100 km/s/Mpc.
    omega_matter, omega_lambda : float
    """

    def __init__(self, hubble: float, omega_matter: float, omega_lambda: float) -> None:
        from astropy.cosmology import LambdaCDM

        model = LambdaCDM(100 * hubble, omega_matter, omega_lambda, Tcmb0=0)
        x, self._step = np.linspace(0, 1.1**1.5, 8193, retstep=True)
        self._age = np.concatenate([[0.0], model.age(x[1:] ** (-2 / 3) - 1).to_value("Gyr")])
        self._slope = np.append(np.diff(self._age), 0.0)

    def age(self, scale_factor: np.ndarray | float) -> np.ndarray:
        """Age of the universe in Gyr at a scale factor (any shape, 0 to 1.1)."""
        a = np.asarray(scale_factor, dtype=np.float64)
        place = np.clip(a * np.sqrt(a) / self._step, 0, len(self._age) - 1)
        index = place.astype(np.int32)
        return self._age[index] + (place - index) * self._slope[index]
