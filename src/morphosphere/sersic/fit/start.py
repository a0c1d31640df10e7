"""Where a fit begins: moments of the image."""

from __future__ import annotations

import numpy as np

from morphosphere.sersic.fit.stamp import FitFault, Stamp
from morphosphere.structure.parameters import Space

#: Indices at which half-light radius over the radius of 20 % of the light is known, without PSF.
_INDEX_OF_RATIO = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
_LARGEST_E = 0.8


def start_of(stamp: Stamp, own: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Latent parameters (P,) and centre (2,), right and up in pixels, by moments of the image.

    The half-light radius is that within ellipses of the measured shape, less that of the PSF in
    quadrature; the index follows from the concentration of the light.

    Parameters
    ----------
    stamp : Stamp
    own : ndarray of bool, shape (H, H)
        Pixels of the galaxy.
    components : int

    Raises
    ------
    FitFault
        If the galaxy's pixels hold no light.
    """
    light = np.where(own & stamp.known, stamp.image, 0.0)
    total = light.sum()
    if not total > 0:
        raise FitFault("blank")
    axis = np.arange(len(light)) - (len(light) - 1) / 2
    weight = np.maximum(light, 0)
    weight_sum = weight.sum()
    x0, y0 = (weight.sum(0) @ axis) / weight_sum, (weight.sum(1) @ axis) / weight_sum
    x, y = axis[None, :] - x0, axis[:, None] - y0
    xx, yy, xy = ((weight * m).sum() / weight_sum for m in (x * x, y * y, x * y))
    blur = (stamp.psf.calculateFWHM() / 2.355 / stamp.pixel_size) ** 2 + 1 / 12
    xx, yy = max(xx - blur, 0.1), max(yy - blur, 0.1)
    # |e| = (1-q)/(1+q) of an ellipse with these second moments
    root = 2 * np.sqrt(max(xx * yy - xy * xy, 1e-4 * (xx + yy) ** 2))
    e = np.array([xx - yy, 2 * xy]) / (xx + yy + root)
    e *= min(1.0, _LARGEST_E / max(float(np.hypot(*e)), 1e-9))
    radii = _radii_of_light(light, x, y, e, (0.2, 0.5))
    # The PSF adds to the radius of the circle of the same area.
    q = (1 - np.hypot(*e)) / (1 + np.hypot(*e))
    half = np.sqrt(max(radii[1] ** 2 - blur * 1.386 / q, 0.3))
    index = _index_of(radii[1] / max(radii[0], 0.3))
    # the wings below the threshold are missing, the more the larger the index
    lost = 1 + 0.05 * index
    magnitude = -2.5 * np.log10(total * lost)
    size = np.log10(half * lost)
    if components == 1:
        latent = [magnitude, size, np.log10(index), *e]
    else:
        share = float(np.clip((index - 1) / 3, 0.1, 0.8))
        latent = [magnitude, size + 0.1, size - 0.4, share, *e]
    assert len(latent) == len(Space(components).latents)
    return np.array(latent), np.array([x0, y0])


def _radii_of_light(
    light: np.ndarray, x: np.ndarray, y: np.ndarray, e: np.ndarray, shares: tuple[float, ...]
) -> np.ndarray:
    """Semi-major axes of the ellipses that hold these shares of the light."""
    size, angle = np.hypot(*e), 0.5 * np.arctan2(e[1], e[0])
    q = (1 - size) / (1 + size)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    distance = np.hypot(along, across / q).ravel()
    order = np.argsort(distance)
    grown = np.cumsum(light.ravel()[order])
    return np.array([distance[order][np.argmax(grown >= s * grown[-1])] for s in shares])


def _index_of(ratio: float) -> float:
    from scipy.special import gammaincinv

    n = np.array(_INDEX_OF_RATIO)
    known = (gammaincinv(2 * n, 0.5) / gammaincinv(2 * n, 0.2)) ** n
    return float(np.clip(np.interp(ratio, known, n), 0.6, 4.0))
