"""What a network is told beside an image: how deep it is, how large it was, and its PSF.

All of it is in the image's own units, so that a network knows nothing of zero points, exposure
times and telescopes, and reads any survey whose numbers are within what it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

#: Radii in pixels within which the encircled energy of the PSF is told.
PSF_RADII = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0)
PSF_COLUMNS = tuple(f"psf_ee_{k}" for k in range(1, len(PSF_RADII) + 1))
#: Columns of an ImageSet's table that the facts follow from.
COLUMNS_NEEDED = ("sky_noise", "gain", "stamp_size", *PSF_COLUMNS)
#: Names of the facts, in order.
FACTS = ("log_noise_electrons", "stamp_share", *PSF_COLUMNS)


def facts_of(columns: Mapping[str, np.ndarray], size: int) -> np.ndarray:
    """Facts of n images.

    Parameters
    ----------
    columns : mapping of ndarray, each of shape (n,)
        Those of `COLUMNS_NEEDED`: `sky_noise` (standard deviation of a pixel without sources) and
        `gain` (electrons per unit) in the image's unit, `stamp_size` in pixels, encircled energies
        of the PSF.
    size : int
        Width of the images that the network reads, in pixels.

    Returns
    -------
    ndarray of float32, shape (n, F)
        log10 of the noise in electrons, width of the stamp over `size` (1 at most), encircled
        energies. NaN where noise or gain are not positive.
    """
    noise = np.asarray(columns["sky_noise"], np.float64) * np.asarray(columns["gain"], np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        logarithm = np.where(noise > 0, np.log10(noise), np.nan)
    stamp = np.minimum(np.asarray(columns["stamp_size"], np.float64) / size, 1.0)
    return np.stack([logarithm, stamp, *(columns[name] for name in PSF_COLUMNS)], axis=-1).astype(
        np.float32
    )
