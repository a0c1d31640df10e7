"""The course of an encounter: from the orbit's pericentre and eccentricity to its end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from morphosphere.errors import InputError
from morphosphere.mergers.encounters.orbit import PairForces, integrate


@dataclass(frozen=True)
class Course:
    """The relative motion of two galaxies, at every step of the stars.

    Attributes
    ----------
    time : ndarray, shape (T,)
        Myr since the first pericentre.
    place, velocity : ndarray, shape (T, 3)
        Of the second galaxy relative to the first, in kpc and km/s; the orbit is in the plane
        z = 0 and goes round counter-clockwise.
    lag : ndarray, shape (2, T, 3)
        Acceleration of each galaxy's centre beyond the other galaxy's mean pull on its stars, in
        (km/s)^2/kpc: of friction, and of sharing the pull by mass. The inner halo, which goes
        with the centre, hands it on to the stars near it.
    fading : ndarray, shape (T,)
        How round the potentials of the discs have become, from 0 to 1: from the second pericentre
        until the nuclei merge.
    pericentre : float
        First least separation in kpc.
    second : float
        Time of the second pericentre; NaN if there is none before the nuclei merge.
    coalescence : float
        Time at which the nuclei merge; NaN if they do not.
    shares : tuple of float
        Each galaxy's share of the mass.
    """

    time: np.ndarray
    place: np.ndarray
    velocity: np.ndarray
    lag: np.ndarray
    fading: np.ndarray
    pericentre: float
    second: float
    coalescence: float
    shares: tuple[float, float]

    @property
    def separation(self) -> np.ndarray:
        """Separation of the nuclei in kpc, (T,)."""
        return np.linalg.norm(self.place, axis=1)

    def centres(self) -> np.ndarray:
        """Places of both centres about the centre of mass, (2, T, 3)."""
        return np.stack([-self.shares[1] * self.place, self.shares[0] * self.place])

    def drifts(self) -> np.ndarray:
        """Velocities of both centres, (2, T, 3)."""
        return np.stack([-self.shares[1] * self.velocity, self.shares[0] * self.velocity])

    def phase(self, time: float) -> str:
        """approach, passage, final or remnant."""
        if time < 0:
            return "approach"
        if time >= self.coalescence:
            return "remnant"
        return "final" if time >= self.second else "passage"


def start_of(
    forces: PairForces,
    pericentre: float,
    eccentricity: float,
    *,
    separation: float,
    time: float,
    step: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Place and velocity (2,) at the start, found backwards from the pericentre without friction.

    Parameters
    ----------
    pericentre : float
        kpc.
    eccentricity : float
        The speed at pericentre is sqrt((1 + e) / 2) times the speed of escape there. For points
        this is Kepler's eccentricity; 1 is parabolic for any masses.
    separation, time : float
        The start is where the galaxies are this far apart (kpc), or this long before (Myr), or at
        the apocentre.
    step : float
        Myr.
    """
    speed = math.sqrt(-(1 + eccentricity) * float(forces.energy(pericentre)))
    track, _, _ = integrate(
        forces,
        np.array([pericentre, 0.0]),
        np.array([0.0, speed]),
        step=-step,
        steps=max(2, int(time / step) + 1),
        friction=0.0,
    )
    distance = np.hypot(track[:, 0], track[:, 1])
    # where it is far enough, or at the apocentre
    ends = np.append(distance[:-1] >= separation, True) | np.append(np.diff(distance) < 0, True)
    row = int(np.argmax(ends))
    return track[row, :2], track[row, 2:]


def follow(
    forces: PairForces,
    place: np.ndarray,
    velocity: np.ndarray,
    *,
    step: float,
    friction: float,
    merging_distance: float,
    lead: float,
    max_time: float,
    remnant_time: float,
) -> Course:
    """Follow two galaxies from a place and a velocity of the one relative to the other.

    Parameters
    ----------
    place, velocity : ndarray, shape (2,)
        kpc, km/s.
    step : float
        Myr.
    friction : float
        Coulomb logarithm.
    merging_distance : float
        Nuclei have merged when their energy does not let them part by more, kpc.
    lead : float
        The pericentre comes within twice this time, Myr.
    max_time, remnant_time : float
        The end: after the pericentre, or after the nuclei merge, whichever comes first; Myr.

    Raises
    ------
    InputError
        If there is no pericentre.
    """
    steps = math.ceil((2 * lead + max_time) / step) + 2
    track, rate, merged = integrate(
        forces,
        place,
        velocity,
        step=step,
        steps=steps,
        friction=friction,
        merging_distance=merging_distance,
    )
    separation = np.hypot(track[:, 0], track[:, 1])
    lows = 1 + np.flatnonzero(
        (separation[1:-1] < separation[:-2]) & (separation[1:-1] <= separation[2:])
    )
    lows = lows[(lows < merged) | (merged < 0)]
    if not len(lows) and merged < 0:
        raise InputError(
            f"the galaxies do not meet within {steps * step:.0f} Myr; lower friction or pericentre"
        )
    first = int(lows[0]) if len(lows) else merged
    shift, pericentre = _lowest(separation, first)
    time = (np.arange(steps) - first - shift) * step
    second = math.nan
    if len(lows) > 1:
        second = float(time[lows[1]] + _lowest(separation, int(lows[1]))[0] * step)
    coalescence = float(time[merged]) if merged >= 0 else math.nan
    end = min(max_time, coalescence + remnant_time) if merged >= 0 else max_time
    kept = time <= end + 1e-6
    track, rate, time, separation = track[kept], rate[kept], time[kept], separation[kept]
    return Course(
        time=time,
        place=_in_space(track[:, :2]),
        velocity=_in_space(track[:, 2:]),
        lag=_lag(forces, track, rate, separation),
        fading=_fading(time, second, coalescence),
        pericentre=pericentre,
        second=second,
        coalescence=coalescence,
        shares=forces.shares,
    )


def _lowest(values: np.ndarray, row: int) -> tuple[float, float]:
    """Lowest point of the parabola through a row and its neighbours: shift in rows, value^2's root.

    The square of the separation is a parabola in time wherever the motion is straight.
    """
    if not 0 < row < len(values) - 1:
        return 0.0, float(values[row])
    a, b, c = values[row - 1 : row + 2] ** 2
    bend = a - 2 * b + c
    if bend <= 0:
        return 0.0, float(values[row])
    shift = float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5))
    return shift, math.sqrt(max(b - 0.125 * (a - c) ** 2 / bend, 0.0))


def _in_space(plane: np.ndarray) -> np.ndarray:
    return np.concatenate([plane, np.zeros((len(plane), 1))], axis=1)


def _lag(
    forces: PairForces, track: np.ndarray, rate: np.ndarray, separation: np.ndarray
) -> np.ndarray:
    """Acceleration of the centres beyond the other galaxy's pull on the stars, (2, T, 3)."""
    towards = track[:, :2] / np.maximum(separation, 1e-9)[:, None]
    relative = -forces.pull(separation)[:, None] * towards - rate[:, None] * track[:, 2:]
    on_first, on_second = forces.pull_on_stars(separation)
    return np.stack(
        [
            _in_space(-forces.shares[1] * relative - on_first[:, None] * towards),
            _in_space(forces.shares[0] * relative + on_second[:, None] * towards),
        ]
    )


def _fading(time: np.ndarray, second: float, coalescence: float) -> np.ndarray:
    if math.isnan(coalescence):
        return np.zeros(len(time))
    begin = 0.0 if math.isnan(second) else second
    x = np.clip((time - begin) / max(coalescence - begin, 20.0), 0, 1)
    return x * x * (3 - 2 * x)
