"""How much of a profile's light lies beyond a stamp."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import gammainc, gammaincinv

_ANGLES = 64


def enclosed_share(radius: np.ndarray, index: np.ndarray | float) -> np.ndarray:
    """Share of a Sérsic profile's light within a radius in units of the half-light radius.

    P(2n, b_n x^(1/n)) with b_n such that half is within 1 (Graham & Driver 2005, PASA 22, 118,
    eqs. 2 to 5).
    """
    index = np.asarray(index, np.float64)
    b = gammaincinv(2 * index, 0.5)
    return gammainc(2 * index, b * np.asarray(radius) ** (1 / index))


def share_outside(columns: Mapping[str, np.ndarray], width: np.ndarray) -> np.ndarray:
    """Share of the light of n galaxies beyond a square stamp around them, without a PSF.

    Parameters
    ----------
    columns : mapping of ndarray, each of shape (n,)
        radius [arcsec], axis_ratio, position_angle [deg], and sersic_index, or bulge_radius and
        bulge_to_total.
    width : ndarray, shape (n,)
        Of the stamp, in arcsec.

    Returns
    -------
    ndarray, shape (n,)
        NaN where a column is.
    """
    get = {name: np.asarray(values, np.float64)[:, None] for name, values in columns.items()}
    phase = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    turn = np.deg2rad(get["position_angle"])
    along, across = np.cos(phase), get["axis_ratio"] * np.sin(phase)
    x, y = (
        along * np.cos(turn) - across * np.sin(turn),
        along * np.sin(turn) + across * np.cos(turn),
    )
    # Semi-major axis at which the ellipse leaves the square, in each direction.
    edge = np.asarray(width, np.float64)[:, None] / 2 / np.maximum(np.abs(x), np.abs(y))
    if "sersic_index" in get:
        inside = enclosed_share(edge / get["radius"], get["sersic_index"])
    else:
        share = get["bulge_to_total"]
        inside = (1 - share) * enclosed_share(edge / get["radius"], 1.0)
        inside = inside + share * enclosed_share(edge / get["bulge_radius"], 4.0)
    return 1 - inside.mean(axis=1)
