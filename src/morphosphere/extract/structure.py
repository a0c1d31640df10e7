"""The arithmetic of one galaxy: centre, frame, shape and kinematics. Pure functions of arrays.

Positions (N, 3) are in kpc, velocities (N, 3) in km/s, masses (N,) in solar masses; sums are in
double precision. Long loops are compiled, each reading its arrays once, in `extract.sums`; without
threads, since ranks share the work.
"""

from __future__ import annotations

import numpy as np

from morphosphere.extract import sums

#: Bits of the exponent, which are all set in a number that is not finite.
_EXPONENT = {4: np.uint32(0x7F800000), 8: np.uint64(0x7FF0000000000000)}
#: Below this share of ordered angular momentum, its direction is noise and the shape decides.
COHERENCE = 0.2


def nearest_image(offset: np.ndarray, box_size: float) -> np.ndarray:
    """Separations (N, 3) across the periodic edge, each within half a box; in place.

    Coordinates that equal the width of the box need no care of their own: they come out next to 0.
    """
    if box_size > 0:
        offset -= box_size * np.round(offset / box_size)
    return offset


def centred(
    position: np.ndarray, start: np.ndarray, shift: np.ndarray, box_size: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions about ``start + shift`` in single precision, and distances from there, (N,).

    `start` is what the nearest images are taken of; the shift can move a particle beyond half a
    box from the centre, so that they are taken again.
    """
    room, radius = np.empty(position.shape, np.float32), np.empty(len(position), np.float32)
    sums.centred(position, start, shift, box_size, room, radius)
    return room, radius


def shrinking_sphere(
    position: np.ndarray, mass: np.ndarray, *, shrink: float = 0.9, least: int = 50
) -> np.ndarray:
    """Densest point, shape (3,): the centre of mass in a sphere that shrinks onto it.

    Power et al. (2003, MNRAS 338, 14): the radius is multiplied by `shrink` and the centre moved
    to the centre of mass within, until fewer than `least` particles (or 1 % of all) are left.
    """
    inside, weight = position.astype(np.float64), mass.astype(np.float64)
    centre = weighted_mean(inside, weight)
    squared = ((inside - centre) ** 2).sum(axis=1)
    radius = np.sqrt(squared.max())
    least = max(min(least, len(mass)), len(mass) // 100)
    while radius > 0:
        radius *= shrink
        # The centre moves by less than the radius: what lies farther cannot come in again.
        near = squared <= (2 * radius) ** 2
        inside, weight, squared = inside[near], weight[near], squared[near]
        keep = squared <= radius**2
        if keep.sum() < max(least, 1):
            break
        centre = weighted_mean(inside[keep], weight[keep])
        squared = ((inside - centre) ** 2).sum(axis=1)
    return centre


def all_finite(values: np.ndarray) -> bool:
    """Whether all numbers of an array of single or double precision are finite."""
    return sums.finite(*_bits(values))


def known_mean(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Weighted mean of the finite ones of values (N,), and the sum of their weights."""
    values = np.ascontiguousarray(values)
    out, there = sums.known(values, *_bits(values), weight)
    return (out / there if there else np.nan), there


def radius_of_half(radius: np.ndarray, weight: np.ndarray) -> float:
    """Radius that holds half of the weight; NaN without any."""
    # Numbers that are not negative have the order of their bits.
    row = sums.middle(_bits(radius)[0], weight)
    return float(radius[row]) if row >= 0 else np.nan


def total(values: np.ndarray) -> float:
    """Sum of values (N,) in double precision."""
    return sums.total(values)


def shape_axes(
    position: np.ndarray, mass: np.ndarray, radius: float, *, iterations: int = 10
) -> tuple[np.ndarray, float]:
    """Principal axes and ratio of the minor to the major axis of a mass distribution.

    Second moments of the mass within an ellipsoid that takes on the shape it finds, with its
    volume kept (the method E of Zemp et al. 2011, ApJS 197, 30, without radial weights).

    Returns
    -------
    axes : ndarray, shape (3, 3)
        Rows: major, middle, minor axis.
    ratio : float
        Minor over major; NaN for fewer than 10 particles.
    """
    if len(mass) < 10 or not radius > 0:
        return np.eye(3), np.nan
    axes, ratio = sums.shape(position, mass, radius, iterations)
    return axes, ratio if ratio >= 0 else np.nan


def disc_frame(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray, axes: np.ndarray
) -> np.ndarray:
    """Axes of the disc frame, rows of (3, 3), right-handed, the last along the angular momentum.

    Where stars hardly rotate (less than `COHERENCE` of the sum of the amounts of their angular
    momenta is left in the vector sum), the last axis is the minor axis of the shape instead, on
    the side of the angular momentum. The first axis is the major axis of the shape projected on
    the plane of the disc, so that bars and elongated galaxies lie along it; its sign makes its
    largest component positive.

    Parameters
    ----------
    position, velocity, mass : ndarray
        Stars near the centre; those of no mass do not count.
    axes : ndarray, shape (3, 3)
        Of `shape_axes`.
    """
    return sums.frame(position, velocity, mass, axes, COHERENCE)


def rotation_fraction(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray, axis: np.ndarray
) -> float:
    """Share of kinetic energy in ordered rotation about `axis`, kappa_rot.

    Sales et al. (2010, MNRAS 409, 1541): the sum of ``m (j_z / R)^2 / 2`` over the kinetic energy,
    with j_z the specific angular momentum along the axis and R the distance from it. An isotropic
    system without rotation has 1/3, a cold disc 1.
    """
    total, ordered = sums.energies(position, velocity, mass, axis)
    return ordered / total if total > 0 else np.nan


def velocity_dispersion(velocity: np.ndarray, mass: np.ndarray) -> float:
    """Mass-weighted one-dimensional dispersion about the mean velocity; NaN for one particle."""
    if len(mass) < 2:
        return np.nan
    return float(np.sqrt(sums.dispersion(velocity, mass) / 3))


def weighted_mean(vectors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of vectors (N, 3) in double precision, shape (3,)."""
    out, total = sums.weighted(vectors, weight)
    return out / total


def _bits(values: np.ndarray) -> tuple[np.ndarray, np.unsignedinteger]:
    """Numbers as integers of their bits, in one row, and the bits of an exponent."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(f"u{flat.itemsize}"), _EXPONENT[flat.itemsize]
