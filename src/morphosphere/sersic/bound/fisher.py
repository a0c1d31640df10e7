"""The Fisher information of an image about the structural parameters of its galaxy.

Pixels are independent and normal, with a variance that grows with the model. Then (Kay 1993,
Fundamentals of Statistical Signal Processing, eq. 3.31)::

    F_ij = sum dm_i dm_j / v + 1/2 sum dv_i dv_j / v^2

with the derivatives of the expected image m and of the variance v. The inverse of F is the least
covariance of unbiased estimates (Rao 1945, Cramér 1946). The centre is unknown as well: its two
coordinates are nuisance parameters, whose information is not taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import galsim
import numpy as np

from morphosphere.structure.model import draw
from morphosphere.structure.noise import variance
from morphosphere.structure.parameters import Space

#: Condition of the scaled Fisher matrix beyond which its inverse is not trusted.
_LARGEST_CONDITION = 1e10


@dataclass(frozen=True)
class Depth:
    """How an image was taken.

    Attributes
    ----------
    size : int
        Pixels across.
    pixel_size : float
        Arcseconds.
    sky_noise, gain : float
        As in `morphosphere.structure.noise.variance`.
    used : ndarray of bool, shape (size, size), or None
        Pixels that have a value; None: all.
    """

    size: int
    pixel_size: float
    sky_noise: float
    gain: float
    used: np.ndarray | None = None


@dataclass(frozen=True)
class Bound:
    """The least errors for one galaxy.

    Attributes
    ----------
    covariance : ndarray, shape (P, P)
        Of the latent parameters, the centre unknown; NaN if the matrix cannot be inverted.
    snr : float
    condition : float
        Condition number of the Fisher matrix, scaled to ones on its diagonal.
    """

    covariance: np.ndarray
    snr: float
    condition: float


def bound_of(
    latent: np.ndarray,
    centre: tuple[float, float],
    psf: galsim.GSObject,
    depth: Depth,
    *,
    components: int = 1,
    step: float = 1e-3,
) -> Bound:
    """The Cramér-Rao bound of one galaxy.

    Parameters
    ----------
    latent : ndarray, shape (P,)
        See `morphosphere.structure.parameters.Space`.
    centre : tuple of float
        From that of the stamp, in pixels, right and up.
    psf : galsim.GSObject
        Without the pixel.
    depth : Depth
    components : int
    step : float
        Half-width of the central differences.
    """
    space = Space(components)
    used = slice(None) if depth.used is None else depth.used

    def model(point: np.ndarray) -> np.ndarray:
        columns = space.to_columns(point[:-2], 0.0, depth.pixel_size)
        values = {name: float(value) for name, value in columns.items()}
        if components == 2:
            # just outside 0 and 1 as well: the image is linear in it
            values["bulge_to_total"] = float(point[space.latents.index("bulge_to_total")])
        values |= {"x_offset": float(point[-2]), "y_offset": float(point[-1])}
        drawn = draw(
            values,
            psf,
            pixel_size=depth.pixel_size,
            size=depth.size,
            zero_point=0.0,
            components=components,
        )
        return drawn[used].ravel()

    mean, slopes = derivatives(model, np.append(latent, centre), step)
    noise = variance(mean, depth.sky_noise, depth.gain)
    information = fisher(mean, slopes, noise, depth.gain)
    covariance, condition = inverse(information)
    count = len(latent)
    return Bound(covariance[:count, :count], float(np.sqrt(np.sum(mean**2 / noise))), condition)


def derivatives(
    model: Callable[[np.ndarray], np.ndarray], point: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """A model (n,) at a point (P,), and its derivatives (P, n) by central differences."""
    slopes = [
        (model(point + shift) - model(point - shift)) / (2 * step)
        for shift in step * np.eye(len(point))
    ]
    return model(point), np.stack(slopes)


def fisher(mean: np.ndarray, slopes: np.ndarray, noise: np.ndarray, gain: float) -> np.ndarray:
    """Fisher matrix (P, P) of a model (n,), its derivatives (P, n) and its variance (n,)."""
    of_noise = slopes * (mean > 0) / gain
    return (slopes / noise) @ slopes.T + 0.5 * (of_noise / noise**2) @ of_noise.T


def inverse(information: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverse of a Fisher matrix and the condition number of its scaled form.

    Parameters of very different units are scaled first. The inverse is NaN where the matrix is
    singular or nearly so.
    """
    nothing = np.full_like(information, np.nan)
    size = np.sqrt(np.diagonal(information))
    if not (np.isfinite(information).all() and (size > 0).all()):
        return nothing, float("inf")
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    condition = float(values[-1] / values[0]) if values[0] > 0 else float("inf")
    if condition > _LARGEST_CONDITION:
        return nothing, condition
    return (vectors / values) @ vectors.T / np.outer(size, size), condition
