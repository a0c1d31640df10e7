"""The orbit of two nuclei, from their relative positions at the moments of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.optimize import minimize_scalar
from scipy.signal import find_peaks

#: km/s in kpc/Myr.
KPC_PER_MYR = 1.0227121650537077e-3
#: A minimum of the separation is a passage if the nuclei move apart by so many kpc on both sides.
PROMINENCE = 1.0
#: Points between two moments at which the interpolated separation is looked at.
_DENSE = 64

PHASES = ("approach", "passage", "final", "remnant")


@dataclass(frozen=True)
class Orbit:
    """What is known of an orbit; NaN for what is not.

    Attributes
    ----------
    first, second : float
        Times of the first two pericentres, in the times of the run (Myr).
    coalescence : float
        Time from which on the nuclei stay close.
    pericentre : float
        Separation at the first pericentre, kpc.
    frame : ndarray, shape (3, 3)
        Rows: from nucleus 1 to nucleus 2 at the first pericentre, along the motion there, along
        the orbital angular momentum. NaN if there is none.
    approaches : bool
        Whether the nuclei never move apart from one moment to the next.
    """

    first: float
    second: float
    coalescence: float
    pericentre: float
    frame: np.ndarray
    approaches: bool

    def phase(self, time: np.ndarray) -> np.ndarray:
        """Phase at times (T,): one of `PHASES`, or empty where it is not known."""
        time = np.asarray(time, dtype=np.float64)
        out = np.full(time.shape, "", dtype=object)
        if np.isfinite(self.first):
            out[:] = "passage"
            out[time < self.first] = "approach"
            out[time >= self.second] = "final"
        elif self.approaches:
            out[:] = "approach"
        out[time >= self.coalescence] = "remnant"
        return out


def find_orbit(
    time: np.ndarray,
    relative: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    close: float = 1.0,
    first: float | None = None,
) -> Orbit:
    """Pericentres, coalescence and plane of an orbit.

    Every component of the relative position is interpolated by a cubic spline through its values
    (and slopes, where velocities are known); the least distance of that curve is the pericentre.

    Parameters
    ----------
    time : ndarray, shape (T,)
        Myr, increasing.
    relative : ndarray, shape (T, 3)
        Nucleus 2 minus nucleus 1, kpc.
    velocity : ndarray, shape (T, 3), optional
        Of nucleus 2 relative to nucleus 1, km/s.
    close : float
        The nuclei have coalesced when they stay within so many kpc. The time is interpolated
        linearly in the separation between the last moment above and the next.
    first : float, optional
        Time of the first pericentre, if it is known.
    """
    separation = np.linalg.norm(relative, axis=1)
    merged = _coalescence(time, separation, close)
    unknown = np.full((3, 3), np.nan)
    if len(time) < 2:
        return Orbit(np.nan if first is None else first, np.nan, merged, np.nan, unknown, False)
    if velocity is None:
        curve = CubicSpline(time, relative)
    else:
        curve = CubicHermiteSpline(time, relative, velocity * KPC_PER_MYR)
    end = merged if np.isfinite(merged) else time[-1]
    passages, rises = _passages(curve, time, end)
    if first is None:
        first, later = (passages[0], passages[1:]) if passages and not rises else (np.nan, [])
    else:  # the passage that was meant is not the second one
        step = np.median(np.diff(time))
        later = [t for t in passages if t > first + step]
    inside = np.isfinite(first) and time[0] <= first <= time[-1]
    where = first if inside else float(np.clip(first, time[0], time[-1]))
    if not np.isfinite(where):
        where = float(time[0])
    apart = bool(np.any(np.diff(separation) > PROMINENCE))
    return Orbit(
        first=float(first),
        second=float(later[0]) if len(later) else np.nan,
        coalescence=merged,
        pericentre=float(np.linalg.norm(curve(first))) if inside else np.nan,
        frame=_frame(curve(where), curve(where, 1)),
        approaches=not apart,
    )


def _coalescence(time: np.ndarray, separation: np.ndarray, close: float) -> float:
    apart = np.flatnonzero(separation > close)
    if len(apart) == 0:
        return float(time[0])
    last = apart[-1]
    if last == len(time) - 1:
        return np.nan
    share = (separation[last] - close) / (separation[last] - separation[last + 1])
    return float(time[last] + share * (time[last + 1] - time[last]))


def _passages(
    curve: CubicSpline | CubicHermiteSpline, time: np.ndarray, end: float
) -> tuple[list[float], bool]:
    """Times of the pericentres, and whether the nuclei move apart at first."""
    dense = np.interp(np.arange((len(time) - 1) * _DENSE + 1) / _DENSE, np.arange(len(time)), time)
    distance = np.linalg.norm(curve(dense), axis=1)
    lows, _ = find_peaks(-distance, prominence=PROMINENCE)
    found = []
    for low in lows:
        if dense[low] >= end:
            break
        best = minimize_scalar(
            lambda t: float(np.linalg.norm(curve(t))),
            bounds=(dense[low - 1], dense[low + 1]),
            method="bounded",
        )
        found.append(float(best.x))
    stop = lows[0] if len(lows) else len(dense)
    rises = distance[:stop].max(initial=0.0) > distance[0] + PROMINENCE
    starts_low = distance[0] < 0.5 * distance[:stop].max(initial=0.0)
    return found, bool(rises and starts_low)


def _frame(relative: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    momentum = np.cross(relative, velocity)
    length = np.linalg.norm(momentum)
    if not length > 1e-9 * np.linalg.norm(relative) * np.linalg.norm(velocity):
        return np.full((3, 3), np.nan)
    axis = momentum / length
    line = relative / np.linalg.norm(relative)
    return np.stack([line, np.cross(axis, line), axis])
