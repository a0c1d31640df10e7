"""Cosmic time, for the ages of stars."""

from __future__ import annotations

import numpy as np

from morphosphere.compiled import compiled_strictly

#: A megaparsec over a kilometre per second, in Gyr (years of 365.25 days).
HUBBLE_TIME = 977.7922216807892
#: Points and weights of Gauss and Legendre on (0, 1).
_POINTS = np.polynomial.legendre.leggauss(4)


class CosmicTime:
    """Age of the universe as a function of the scale factor.

    Without radiation, as simulations of galaxies do it, which is `astropy.cosmology.LambdaCDM`
    with ``Tcmb0=0``; importing that takes longer than to extract a hundred galaxies. The age is
    tabulated once; linear interpolation in ``a**1.5``, in which the age is nearly linear, is good
    to 1e-6 Gyr.

    Parameters
    ----------
    hubble : float
        Hubble constant over 100 km/s/Mpc.
    omega_matter, omega_lambda : float
    """

    def __init__(self, hubble: float, omega_matter: float, omega_lambda: float) -> None:
        x, self._step = np.linspace(0, 1.1**1.5, 8193, retstep=True)
        # With x = a**1.5, dt is 2/3 dx over H0 times the root of this (Peebles 1993, ch. 13).
        places, weights = (_POINTS[0] + 1) / 2, _POINTS[1] / 2
        at = x[:-1, None] + self._step * places
        curvature = 1 - omega_matter - omega_lambda
        squared = omega_matter + curvature * at ** (2 / 3) + omega_lambda * at**2
        cells = (weights / np.sqrt(squared)).sum(axis=1) * self._step
        age = np.concatenate([[0.0], np.cumsum(cells)])
        self._age = age * HUBBLE_TIME / (100 * hubble) * 2 / 3

    def age(self, scale_factor: np.ndarray | float) -> np.ndarray:
        """Age of the universe in Gyr at a scale factor (any shape, 0 to 1.1)."""
        a = np.asarray(scale_factor, dtype=np.float64)
        out = np.empty(a.size)
        _interpolate(a.reshape(-1), self._age, self._step, out)
        return out.reshape(a.shape)

    def since(self, formation: np.ndarray, now: float, room: np.ndarray) -> None:
        """Write the time from scale factors (N,) to `now` in Gyr to `room`; NaN for 0 and less.

        Rounding can make the youngest stars a little younger than now; their age is 0.
        """
        _since(formation, float(self.age(now)), self._age, self._step, room)


@compiled_strictly
def _interpolate(scale_factor, table, step, out):  # pragma: no cover
    last = len(table) - 1
    for i in range(len(scale_factor)):
        a = scale_factor[i]
        place = min(a * np.sqrt(a) / step, np.float64(last))
        index = max(min(int(place), last - 1), 0)
        out[i] = table[index] + (place - index) * (table[index + 1] - table[index])


@compiled_strictly
def _since(formation, now, table, step, out):  # pragma: no cover
    last = len(table) - 1
    for i in range(len(formation)):
        a = np.float64(formation[i]) if formation[i] > 0 else 0.0
        place = min(a * np.sqrt(a) / step, np.float64(last))
        index = min(int(place), last - 1)
        born = table[index] + (place - index) * (table[index + 1] - table[index])
        out[i] = max(now - born, 0.0) if a > 0 else np.nan
