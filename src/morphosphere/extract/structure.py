"""The arithmetic of one galaxy: centre, frame, shape and kinematics. Pure functions of arrays.

Positions (N, 3) are in kpc, velocities (N, 3) in km/s, masses (N,) in solar masses; sums are in
double precision. Products are `numpy.einsum`, not ``@``: ranks share the work, and the threads that
BLAS starts for long vectors cost them more than they bring.
"""

from __future__ import annotations

import numpy as np

#: Below this share of ordered angular momentum, its direction is noise and the shape decides.
COHERENCE = 0.2


def nearest_image(offset: np.ndarray, box_size: float) -> np.ndarray:
    """Separations (N, 3) across the periodic edge, each within half a box; in place.

    Coordinates that equal the width of the box need no care of their own: they come out next to 0.
    """
    if box_size > 0:
        offset -= box_size * np.round(offset / box_size)
    return offset


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


def radius_of_half(radius: np.ndarray, weight: np.ndarray) -> float:
    """Radius that holds half of the weight; NaN without any."""
    total = weight.sum(dtype=np.float64)
    if len(radius) == 0 or not total > 0:
        return np.nan
    order = np.argsort(radius)
    inside = np.cumsum(weight[order], dtype=np.float64)
    return float(radius[order[np.searchsorted(inside, total / 2)]])


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
    axes, scale, ratio = np.eye(3), np.ones(3), np.nan
    if len(mass) < 10 or not radius > 0:
        return axes, ratio
    # Elongated shapes reach beyond the sphere; what lies farther hardly ever comes in.
    near = np.einsum("ij,ij->i", position, position) < (4 * radius) ** 2
    # Coordinate by coordinate in memory, which is what the products below run along.
    x = np.ascontiguousarray(position[near].T, dtype=np.float64)
    mass = mass[near].astype(np.float64)
    for _ in range(iterations):
        turned = np.einsum("ij,jn->in", axes / scale[:, None], x)
        turned *= turned
        weight = mass * (turned.sum(axis=0) < radius**2)
        if np.count_nonzero(weight) < 10:
            break
        values, vectors = np.linalg.eigh(np.einsum("in,jn->ij", x * weight, x) / weight.sum())
        lengths = np.sqrt(np.maximum(values[::-1], 1e-12 * max(values[-1], 1e-30)))
        axes = vectors.T[::-1]
        scale = lengths / np.prod(lengths) ** (1 / 3)
        last, ratio = ratio, float(lengths[2] / lengths[0])
        if abs(ratio - last) < 1e-3:
            break
    return axes, ratio


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
        Stars near the centre.
    axes : ndarray, shape (3, 3)
        Of `shape_axes`.
    """
    momenta = cross(position, velocity) * mass[:, None]
    spin = momenta.sum(axis=0, dtype=np.float64)
    amount = np.linalg.norm(momenta, axis=1).sum(dtype=np.float64)
    length = np.linalg.norm(spin)
    if amount > 0 and length > COHERENCE * amount:
        up = spin / length
    else:
        up = axes[2] if axes[2] @ spin >= 0 else -axes[2]
    along = axes[0] - (axes[0] @ up) * up
    if np.linalg.norm(along) < 1e-3:
        along = axes[1] - (axes[1] @ up) * up
    along /= np.linalg.norm(along)
    along = along * np.sign(along[np.argmax(np.abs(along))])
    return np.stack([along, np.cross(up, along), up])


def rotation_fraction(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray, axis: np.ndarray
) -> float:
    """Share of kinetic energy in ordered rotation about `axis`, kappa_rot.

    Sales et al. (2010, MNRAS 409, 1541): the sum of ``m (j_z / R)^2 / 2`` over the kinetic energy,
    with j_z the specific angular momentum along the axis and R the distance from it. An isotropic
    system without rotation has 1/3, a cold disc 1.
    """
    total = (mass * np.einsum("ni,ni->n", velocity, velocity)).sum(dtype=np.float64)
    if not total > 0:
        return np.nan
    spin = np.einsum("ni,i->n", cross(position, velocity), axis)
    height = np.einsum("ni,i->n", position, axis)
    squared = np.einsum("ni,ni->n", position, position) - height**2
    ordered = np.divide(spin**2, squared, out=np.zeros_like(spin), where=squared > 0)
    return float((mass * ordered).sum(dtype=np.float64) / total)


def velocity_dispersion(velocity: np.ndarray, mass: np.ndarray) -> float:
    """Mass-weighted one-dimensional dispersion about the mean velocity; NaN for one particle."""
    if len(mass) < 2:
        return np.nan
    offset = velocity - weighted_mean(velocity, mass)
    squares = np.einsum("ij,ij->i", offset, offset)
    return float(np.sqrt(weighted_mean(squares, mass) / 3))


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of values (N, ...) in double precision; lighter than `numpy.average`."""
    weight = weight.astype(np.float64, copy=False)
    return np.einsum("n,n...->...", weight, values) / weight.sum()


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of vectors (N, 3); lighter than `numpy.cross` for the few stars of a dwarf."""
    out = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[:, i] = a[:, j] * b[:, k] - a[:, k] * b[:, j]
    return out
