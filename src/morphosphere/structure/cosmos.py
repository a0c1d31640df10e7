"""Structural parameters of the galaxies of GalSim's COSMOS catalogues, in our conventions.

The table of fits has for each galaxy the array ``sersicfit``: intensity I at the half-light radius
(counts/s in a pixel of 0.03 arcsec), half-light radius R along the major axis in these pixels,
index n, axis ratio q, boxiness (fixed at 0), centre x and y, angle in radians from the x axis. Of
it follow (Mandelbaum et al. 2012, MNRAS 420, 1518; Leauthaud et al. 2007, ApJS 172, 219)::

    radius = 0.03 R, magnitude = 25.94 - 2.5 log10 flux
    flux = 2 pi n e^b b^(-2n) Gamma(2n) R^2 q I

where half of the light is within R, P(2n, b) = 1/2. These agree with the columns ``hlr`` (which is
radius sqrt(q)) and ``flux`` of the catalogues that have them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import gammaincinv, gammaln

from morphosphere.errors import InputError

#: Arcseconds of a pixel of the fits, and magnitude of a count per second in F814W.
PIXEL, ZERO_POINT = 0.03, 25.94
#: What `read_fits` finds, in the order of its columns.
NAMES = ("magnitude", "radius", "sersic_index", "axis_ratio", "position_angle")


def fits_path(catalogue: str | Path) -> Path:
    """The table of fits beside a catalogue."""
    path = Path(catalogue)
    return path.with_name(f"{path.stem}_fits{path.suffix}")


def read_fits(path: str | Path, identifiers: np.ndarray) -> dict[str, np.ndarray]:
    """Structural parameters of galaxies by their identifiers; each column (n,), NaN if not fitted.

    Raises
    ------
    InputError
        If the table cannot be read or has no Sérsic fits.
    """
    from astropy.io import fits

    try:
        with fits.open(path) as file:
            table = file[1].data
            names = [] if table is None else list(table.names)
            if lacking := [name for name in ("IDENT", "sersicfit") if name not in names]:
                raise InputError(
                    f"{path}: no column {', '.join(lacking)}, so that the structural parameters "
                    "of its galaxies are not known; use a catalogue with Sérsic fits"
                )
            rows = {int(name): row for row, name in enumerate(table["IDENT"])}
            values = np.asarray(table["sersicfit"], dtype=np.float64)
            status = np.asarray(table["fit_status"])[:, 4] if "fit_status" in names else None
    except (OSError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: the table of fits cannot be read ({error})") from None
    at = np.array([rows.get(int(name), -1) for name in identifiers], dtype=int)
    fit = np.concatenate([values, np.full((1, values.shape[1]), np.nan)])[at]
    if status is not None:  # 1 to 4 are fits that converged
        fit[~((status[at] > 0) & (status[at] < 5))] = np.nan
    return parameters_of(fit)


def parameters_of(fit: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of `NAMES`, each (n,), of rows of ``sersicfit`` (n, 8); NaN where they cannot be."""
    intensity, radius, index, ratio = fit[:, :4].T
    with np.errstate(invalid="ignore"):
        sound = (intensity > 0) & (radius > 0) & (index > 0) & (ratio > 0) & (ratio <= 1)
    sound &= np.isfinite(fit[:, 7])
    intensity, radius, index, ratio = (
        np.where(sound, v, np.nan) for v in (intensity, radius, index, ratio)
    )
    b = gammaincinv(2 * index, 0.5)
    shape = index * np.exp(b - 2 * index * np.log(b) + gammaln(2 * index))
    flux = 2 * np.pi * shape * radius**2 * ratio * intensity
    angle = np.where(sound, np.rad2deg(fit[:, 7]) % 180, np.nan)
    return dict(
        zip(NAMES, (ZERO_POINT - 2.5 * np.log10(flux), radius * PIXEL, index, ratio, angle))
    )
