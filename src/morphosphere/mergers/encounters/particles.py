"""Star particles as test particles in the moving potentials of the galaxies."""

from __future__ import annotations

import math

import numpy as np

from morphosphere.mergers.encounters.compiled import compiled
from morphosphere.mergers.encounters.model import MYR, G, GalaxyModel

#: A lag of the centre is handed on to stars within about this many scale radii of the halo.
_REACH = 1.0
_COLUMNS = 12


def potential_row(galaxy: GalaxyModel, softening: float) -> np.ndarray:
    """What the loops need of a galaxy, shape (12,) of float32."""
    flat, high = galaxy.flattening
    return np.array(
        [
            G * galaxy.halo_mass,
            galaxy.halo_scale,
            G * galaxy.bulge_mass,
            galaxy.bulge_scale,
            G * galaxy.disc_mass,
            flat,
            high,
            *galaxy.spin,
            softening**2,
            (_REACH * galaxy.halo_scale) ** 2,
        ],
        dtype=np.float32,
    )


@compiled
def _pull(x, y, z, row, push, fading):  # pragma: no cover
    """Acceleration by one galaxy at a place relative to its centre."""
    one = np.float32(1)
    d2 = x * x + y * y + z * z
    r2 = d2 + row[10]
    r = math.sqrt(r2)
    h, b = r + row[1], r + row[3]
    inward = (row[0] * b * b + row[2] * h * h) / (r * h * h * b * b)
    sx, sy, sz = row[7], row[8], row[9]
    up = x * sx + y * sy + z * sz
    # a disc that fades becomes a Plummer sphere of the same mass and scale
    flat = row[5] * (one - fading)
    high = row[6] + row[5] * fading
    lift = math.sqrt(up * up + high * high)
    a = flat + lift
    s2 = d2 - up * up + a * a
    disc = row[4] / (s2 * math.sqrt(s2))
    inward += disc
    lift = disc * up * flat / lift
    near = row[11] / (row[11] + d2)
    near *= near
    return (
        near * push[0] - inward * x - lift * sx,
        near * push[1] - inward * y - lift * sy,
        near * push[2] - inward * z - lift * sz,
    )


@compiled
def _accelerate(x, v, centres, pushes, rows, fading, kick, drift):  # pragma: no cover
    """Drift by `drift`, then kick by `kick`; x, v of shape (3, N)."""
    x0, x1, x2, v0, v1, v2 = x[0], x[1], x[2], v[0], v[1], v[2]
    galaxies = len(rows)
    for i in range(x.shape[1]):
        a, b, c = x0[i] + drift * v0[i], x1[i] + drift * v1[i], x2[i] + drift * v2[i]
        x0[i], x1[i], x2[i] = a, b, c
        centre = centres[0]
        p, q, r = _pull(a - centre[0], b - centre[1], c - centre[2], rows[0], pushes[0], fading)
        if galaxies > 1:
            centre = centres[1]
            s, t, u = _pull(a - centre[0], b - centre[1], c - centre[2], rows[1], pushes[1], fading)
            p, q, r = p + s, q + t, r + u
        v0[i] += kick * p
        v1[i] += kick * q
        v2[i] += kick * r


@compiled
def _run(x, v, centres, pushes, rows, fading, step, kept, places, speeds):  # pragma: no cover
    """Leapfrog, kick-drift-kick, from step to step of the centres."""
    none, half = np.float32(0), np.float32(0.5) * step
    steps = centres.shape[0]
    _accelerate(x, v, centres[0], pushes[0], rows, fading[0], half, none)
    taken = 0
    for number in range(steps):
        if number:
            _accelerate(x, v, centres[number], pushes[number], rows, fading[number], step, step)
        if taken < len(kept) and kept[taken] == number:
            places[taken] = x
            if len(speeds):
                # velocities are half a step ahead
                _accelerate(
                    x, v, centres[number], pushes[number], rows, fading[number], -half, none
                )
                speeds[taken] = v
                _accelerate(x, v, centres[number], pushes[number], rows, fading[number], half, none)
            taken += 1


def run_stars(
    place: np.ndarray,
    velocity: np.ndarray,
    galaxies: tuple[GalaxyModel, ...],
    *,
    centres: np.ndarray,
    pushes: np.ndarray,
    fading: np.ndarray,
    step: float,
    softening: float,
    kept: np.ndarray,
    velocities: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Move star particles in the potentials of one or two galaxies.

    Parameters
    ----------
    place, velocity : ndarray, shape (N, 3)
        kpc, km/s.
    galaxies : tuple of GalaxyModel
    centres : ndarray, shape (galaxies, T, 3)
        Place of each galaxy at every step.
    pushes : ndarray, shape (galaxies, T, 3)
        Acceleration, (km/s)^2/kpc, of the stars about each galaxy's centre beyond that of the
        potentials.
    fading : ndarray, shape (T,)
        0: discs have flat potentials; 1: round ones.
    step : float
        Myr.
    softening : float
        kpc.
    kept : ndarray of int, shape (M,)
        Rising steps whose moments are kept.
    velocities : bool
        Whether velocities are kept.

    Returns
    -------
    places : ndarray of float32, shape (M, N, 3)
    speeds : ndarray of float32, shape (M, N, 3)
        (0, N, 3) if they are not kept.
    """
    count = len(place)
    kept = np.asarray(kept, dtype=np.int64)
    places = np.empty((len(kept), 3, count), np.float32)
    speeds = np.empty((len(kept) if velocities else 0, 3, count), np.float32)
    _run(
        np.ascontiguousarray(place.T, dtype=np.float32),
        np.ascontiguousarray(velocity.T, dtype=np.float32),
        np.ascontiguousarray(np.swapaxes(centres, 0, 1), dtype=np.float32),
        np.ascontiguousarray(np.swapaxes(pushes, 0, 1), dtype=np.float32),
        np.stack([potential_row(galaxy, softening) for galaxy in galaxies]),
        fading.astype(np.float32),
        np.float32(step / MYR),
        kept,
        places,
        speeds,
    )
    return np.swapaxes(places, 1, 2), np.swapaxes(speeds, 1, 2)
