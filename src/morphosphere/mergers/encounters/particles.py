"""Star particles as test particles in the moving potentials of the galaxies."""

from __future__ import annotations

import math

import numpy as np

from morphosphere.compiled import compiled, inlined
from morphosphere.mergers.encounters.model import MYR, G, GalaxyModel

#: A lag of the centre is handed on to stars within about this many scale radii of the halo.
_REACH = 1.0
_FORM = 12
#: Stars that are moved together; a multiple of what vector instructions take.
BLOCK = 128


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


@inlined
def _pull(
    x, y, z, halo, h, bulge, b, disc, flat, high, sx, sy, sz, soft, reach, px, py, pz
):  # pragma: no cover
    """Acceleration by one galaxy at a place relative to its centre."""
    d2 = x * x + y * y + z * z
    r = math.sqrt(d2 + soft)
    h += r
    b += r
    inward = (halo * b * b + bulge * h * h) / (r * (h * b) * (h * b))
    up = x * sx + y * sy + z * sz
    lift = math.sqrt(up * up + high * high)
    deep = flat + lift
    s2 = d2 - up * up + deep * deep
    disc /= s2 * math.sqrt(s2)
    inward += disc
    lift = disc * up * flat / lift
    near = reach / (reach + d2)
    near *= near
    return (
        near * px - inward * x - lift * sx,
        near * py - inward * y - lift * sy,
        near * pz - inward * z - lift * sz,
    )


@compiled
def _advance(s, c, f, kick, drift):  # pragma: no cover
    """Drift, then kick one block of stars.

    The loop becomes vector instructions because all of a block is in one array with constant
    offsets, and what is the same for all stars is in local variables.

    Parameters
    ----------
    s : ndarray of float32, shape (6 * BLOCK,)
        All x, y, z, then all velocities.
    c : ndarray of float32, shape (13,)
        Of each galaxy centre and push; how round the discs are.
    f : ndarray of float32, shape (24,)
        Of each galaxy a `potential_row`.
    """
    fading = c[12]
    ax, ay, az, apx, apy, apz = c[0], c[1], c[2], c[3], c[4], c[5]
    bx, by, bz, bpx, bpy, bpz = c[6], c[7], c[8], c[9], c[10], c[11]
    a0, a1, a2, a3, a4, a5, a6 = f[0], f[1], f[2], f[3], f[4], f[5], f[6]
    a7, a8, a9, a10, a11 = f[7], f[8], f[9], f[10], f[11]
    b0, b1, b2, b3, b4, b5, b6 = f[12], f[13], f[14], f[15], f[16], f[17], f[18]
    b7, b8, b9, b10, b11 = f[19], f[20], f[21], f[22], f[23]
    # a disc that fades becomes a Plummer sphere of the same mass and scale
    a6 += a5 * fading
    a5 -= a5 * fading
    b6 += b5 * fading
    b5 -= b5 * fading
    for i in range(BLOCK):
        x = s[i] + drift * s[i + 3 * BLOCK]
        y = s[i + BLOCK] + drift * s[i + 4 * BLOCK]
        z = s[i + 2 * BLOCK] + drift * s[i + 5 * BLOCK]
        p, q, r = _pull(
            x - ax, y - ay, z - az, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, apx, apy, apz
        )
        t, u, v = _pull(
            x - bx, y - by, z - bz, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, bpx, bpy, bpz
        )
        s[i] = x
        s[i + BLOCK] = y
        s[i + 2 * BLOCK] = z
        s[i + 3 * BLOCK] += kick * (p + t)
        s[i + 4 * BLOCK] += kick * (q + u)
        s[i + 5 * BLOCK] += kick * (r + v)


@compiled
def _run(stars, course, forms, step, kept, places, speeds):  # pragma: no cover
    """Leapfrog, kick-drift-kick, from step to step of the course, block by block of stars."""
    none, half = np.float32(0), np.float32(0.5) * step
    for block in range(len(stars)):
        s = stars[block]
        _advance(s, course[0], forms, half, none)
        taken = 0
        for number in range(len(course)):
            if number:
                _advance(s, course[number], forms, step, step)
            if taken < len(kept) and kept[taken] == number:
                places[taken, block] = s[: 3 * BLOCK]
                if len(speeds):
                    # velocities are half a step ahead
                    _advance(s, course[number], forms, -half, none)
                    speeds[taken, block] = s[3 * BLOCK :]
                    _advance(s, course[number], forms, half, none)
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
        Rising steps, each once, whose moments are kept.
    velocities : bool
        Whether velocities are kept.

    Returns
    -------
    places : ndarray of float32, shape (M, N, 3)
    speeds : ndarray of float32, shape (M, N, 3)
        (0, N, 3) if they are not kept.
    """
    count, blocks = len(place), -(-len(place) // BLOCK)
    stars = np.zeros((6, blocks * BLOCK), np.float32)
    stars[:3, :count], stars[3:, :count] = place.T, velocity.T
    stars = np.ascontiguousarray(stars.reshape(6, blocks, BLOCK).swapaxes(0, 1))
    steps = centres.shape[1]
    course = np.zeros((steps, 13), np.float32)
    forms = np.zeros((2, _FORM), np.float32)
    forms[:, [1, 3, 6, 10, 11]] = 1  # a second galaxy that is not there has no mass
    for number, galaxy in enumerate(galaxies):
        course[:, 6 * number : 6 * number + 3] = centres[number]
        course[:, 6 * number + 3 : 6 * number + 6] = pushes[number]
        forms[number] = potential_row(galaxy, softening)
    course[:, 12] = fading
    kept = np.asarray(kept, dtype=np.int64)
    places = np.empty((len(kept), blocks, 3 * BLOCK), np.float32)
    speeds = np.empty((len(kept) if velocities else 0, blocks, 3 * BLOCK), np.float32)
    _run(
        stars.reshape(blocks, -1),
        course,
        forms.ravel(),
        np.float32(step / MYR),
        kept,
        places,
        speeds,
    )
    return _rows(places, count), _rows(speeds, count)


def _rows(blocks: np.ndarray, count: int) -> np.ndarray:
    """Blocks (M, blocks, 3 * BLOCK) as rows of stars (M, count, 3)."""
    split = blocks.reshape(*blocks.shape[:2], 3, BLOCK)
    return np.moveaxis(split, 2, 3).reshape(len(blocks), blocks.shape[1] * BLOCK, 3)[:, :count]
