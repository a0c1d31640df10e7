"""The orbit of two galaxies about each other, with dynamical friction, until they merge."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from morphosphere.compiled import compiled
from morphosphere.mergers.encounters.model import (
    MYR,
    G,
    GalaxyModel,
    density,
    dispersion,
    enclosed,
)

#: Steps of the orbit in a step of the stars.
SUBSTEPS = 8
#: Separations (kpc) of the table, evenly spaced in asinh of them.
_FARTHEST, _ROWS, _KNOTS, _SHELLS = 5000.0, 2048, 120, 240
#: Columns of the table.
_PULL, _DRAG_0, _WIDTH_0, _DRAG_1, _WIDTH_1, _STARS_0, _STARS_1, _ENERGY = range(8)
#: After the nuclei merge, their separation dies away within this time, in Myr.
_SETTLING = 10.0
#: Within this part of its scale radius a halo's wake grows no denser.
_CORE = 0.1


@dataclass(frozen=True)
class PairForces:
    """What two galaxies do to each other, as a function of the separation of their centres.

    Attributes
    ----------
    table : ndarray, shape (rows, 8)
        At separations sinh(row * spacing): relative acceleration (km/s)^2/kpc; drag and width
        of the velocities for each galaxy's wake; accelerations of each galaxy's stars by the
        other galaxy; potential energy over reduced mass.
    spacing : float
    shares : tuple of float
        Each galaxy's share of the total mass.
    """

    table: np.ndarray
    spacing: float
    shares: tuple[float, float]

    def energy(self, separation: np.ndarray | float) -> np.ndarray:
        """Potential energy over reduced mass, (km/s)^2."""
        return self._at(separation, _ENERGY)

    def pull(self, separation: np.ndarray | float) -> np.ndarray:
        """Acceleration of the two towards each other, (km/s)^2/kpc."""
        return self._at(separation, _PULL)

    def pull_on_stars(self, separation: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Mean acceleration of each galaxy's stars towards the other galaxy, (km/s)^2/kpc."""
        return self._at(separation, _STARS_0), self._at(separation, _STARS_1)

    def _at(self, separation: np.ndarray | float, column: int) -> np.ndarray:
        rows = self.spacing * np.arange(len(self.table))
        return np.interp(np.arcsinh(separation), rows, self.table[:, column])


def pair_forces(first: GalaxyModel, second: GalaxyModel) -> PairForces:
    """Tabulate the forces between two galaxies.

    What merges are the nuclei: disc, bulge and the halo about them. Each is drawn by the other
    galaxy's halo, disc and bulge, averaged over its own stars; both together are the relative
    acceleration, which the galaxies share by their masses, so that momentum is conserved.
    """
    x = np.linspace(0, math.asinh(_FARTHEST), _ROWS)
    distance = np.sinh(x)
    galaxies = (first, second)
    spheres = [galaxy.spheres() for galaxy in galaxies]
    table = np.zeros((_ROWS, 8))
    grid = np.geomspace(1e-2, 2 * _FARTHEST, 300)
    for own, drag, width, stars in (
        (0, _DRAG_0, _WIDTH_0, _STARS_0),
        (1, _DRAG_1, _WIDTH_1, _STARS_1),
    ):
        body = galaxies[own].spheres(stars=True)
        energy, slope = _overlap(spheres[1 - own], body, distance)
        table[:, stars] = slope / galaxies[own].stellar_mass
        table[:, _PULL] += table[:, stars]
        table[:, _ENERGY] += energy / galaxies[own].stellar_mass
        halo = spheres[own][2:]
        core = np.hypot(distance, _CORE * halo[0, 1])
        moving = enclosed(spheres[1 - own], core)
        table[:, drag] = 4 * np.pi * G**2 * moving * density(halo, core)
        sigma = dispersion(halo, G * enclosed(spheres[own], grid) / grid**2, grid)
        table[:, width] = np.sqrt(2) * np.interp(core, grid, sigma)
    total = first.mass + second.mass
    return PairForces(table, float(x[1]), (first.mass / total, second.mass / total))


def _overlap(
    source: np.ndarray, body: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Energy of `body` in the potential of `source`, and its slope, at separations.

    The body is cut into shells; the mean over a shell of radius s, displaced by d, of a potential
    phi is the integral of r phi(r) from |d - s| to d + s, over 2 d s.
    """
    edges = np.concatenate([[0], np.geomspace(0.01, 1e4, _SHELLS)])
    shells = np.diff(enclosed(body, edges))
    shells[-1] += body[:, 0].sum() - shells.sum()
    radius = np.sqrt(np.maximum(edges[:-1], 0.005) * edges[1:])
    d = np.sinh(np.linspace(0, math.asinh(distance[-1]), _KNOTS))[1:]
    outer, inner = d[:, None] + radius, np.abs(d[:, None] - radius)
    mean = np.zeros_like(outer)
    for mass, scale in source:
        mean -= G * mass * (outer - inner - scale * np.log((outer + scale) / (inner + scale)))
    energy = (mean * (shells / (2 * radius))).sum(1) / d
    # even in the separation, so that the force vanishes at the centre
    x = np.arcsinh(d)
    spline = CubicSpline(np.concatenate([-x[::-1], x]), np.concatenate([energy[::-1], energy]))
    at = np.arcsinh(distance)
    return spline(at), spline(at, 1) / np.sqrt(1 + distance**2)


@compiled
def _row(table, spacing, separation, out):  # pragma: no cover
    """Linear interpolation in the table."""
    place = math.asinh(separation) / spacing
    row = min(int(place), table.shape[0] - 2)
    share = place - row
    for column in range(table.shape[1]):
        out[column] = (1 - share) * table[row, column] + share * table[row + 1, column]


@compiled
def _drag(row, speed, friction):  # pragma: no cover
    """Rate at which friction brakes the relative motion, in (km/s)/kpc.

    Chandrasekhar (1943, ApJ 97, 255) for a Maxwellian halo, for both galaxies.
    """
    rate = 0.0
    for drag, width in ((_DRAG_0, _WIDTH_0), (_DRAG_1, _WIDTH_1)):
        x = speed / row[width]
        if x < 0.01:
            slow = 4 / (3 * math.sqrt(math.pi)) / row[width] ** 3
        else:
            slow = (math.erf(x) - 2 * x / math.sqrt(math.pi) * math.exp(-x * x)) / speed**3
        rate += row[drag] * slow
    return friction * rate


@compiled
def _integrate(
    table, spacing, place, speed, step, substeps, friction, limit, settling, track, rates
):  # pragma: no cover
    """Leapfrog of the relative motion in its plane; the step from which it counts as merged.

    Parameters
    ----------
    place, speed : ndarray, shape (2,)
    step : float
        In kpc/(km/s), negative to go back in time.
    limit : float
        Energy over reduced mass below which the two have merged.
    settling : float
        Rate of the drag that ends the motion after that.
    track : ndarray, shape (T, 4)
        Gets place and velocity before each step.
    rates : ndarray, shape (T,)
        Gets the rate of braking.
    """
    row = np.empty(table.shape[1])
    h = step / substeps
    x, y, u, v = place[0], place[1], speed[0], speed[1]
    merged = -1
    for number in range(len(track)):
        track[number, 0], track[number, 1] = x, y
        track[number, 2], track[number, 3] = u, v
        for _ in range(substeps):
            d = math.sqrt(x * x + y * y)
            _row(table, spacing, d, row)
            w = math.sqrt(u * u + v * v)
            if merged < 0 and 0.5 * w * w + row[_ENERGY] < limit:
                merged = number
            rate = _drag(row, w, friction) if friction > 0 else 0.0
            if merged >= 0:
                rate += settling
            brake = math.exp(-0.5 * h * rate)
            pull = 0.5 * h * row[_PULL] / max(d, 1e-9)
            u, v = u * brake - pull * x, v * brake - pull * y
            x, y = x + h * u, y + h * v
            d = math.sqrt(x * x + y * y)
            _row(table, spacing, d, row)
            pull = 0.5 * h * row[_PULL] / max(d, 1e-9)
            u, v = u - pull * x, v - pull * y
            w = math.sqrt(u * u + v * v)
            rate = _drag(row, w, friction) if friction > 0 else 0.0
            if merged >= 0:
                rate += settling
            brake = math.exp(-0.5 * h * rate)
            u, v = u * brake, v * brake
        rates[number] = rate
    return merged


def integrate(
    forces: PairForces,
    place: np.ndarray,
    velocity: np.ndarray,
    *,
    step: float,
    steps: int,
    friction: float,
    merging_distance: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Follow the relative motion.

    Parameters
    ----------
    place, velocity : ndarray, shape (2,)
        kpc, km/s.
    step : float
        Myr; negative goes back in time.
    friction : float
        Coulomb logarithm.
    merging_distance : float
        In kpc; 0 never merges.

    Returns
    -------
    track : ndarray, shape (steps, 4)
        Place and velocity.
    rate : ndarray, shape (steps,)
        Of braking, in (km/s)/kpc.
    merged : int
        Step at which the nuclei have merged, or -1.
    """
    track, rate = np.empty((steps, 4)), np.empty(steps)
    limit = float(forces.energy(merging_distance)) if merging_distance else -np.inf
    merged = _integrate(
        forces.table,
        forces.spacing,
        np.asarray(place, dtype=np.float64),
        np.asarray(velocity, dtype=np.float64),
        step / MYR,
        SUBSTEPS,
        float(friction),
        limit,
        MYR / _SETTLING,
        track,
        rate,
    )
    return track, rate, int(merged)
