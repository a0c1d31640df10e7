"""What a fitter is given, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field

import galsim
import numpy as np

from morphosphere.structure.saturation import has_plateau

#: Share of the pixels near the middle that may lack a value.
_MASKED = 0.2
#: Connected pixels of a plateau, which a detector that was full leaves.
_PLATEAU = 9


class FitFault(Exception):
    """Why an image was not fitted, in a few words; the other images are."""


@dataclass(frozen=True)
class Stamp:
    """One image and how it was taken.

    Attributes
    ----------
    image : ndarray of float64, shape (H, H)
        Row 0 at the bottom, the sky taken off; pixels without a value are NaN.
    psf : galsim.GSObject
        Without the pixel, in arcsec.
    pixel_size, zero_point, sky_noise, gain : float
        As in the table of an ImageSet.
    """

    image: np.ndarray
    psf: galsim.GSObject
    pixel_size: float
    zero_point: float
    sky_noise: float
    gain: float

    @property
    def known(self) -> np.ndarray:
        """Pixels that have a value, shape (H, H)."""
        return np.isfinite(self.image)

    def check(self) -> None:
        """Refuse what no profile can be fitted to.

        Raises
        ------
        FitFault
        """
        for name in ("pixel_size", "sky_noise", "gain"):
            if not 0 < getattr(self, name) < np.inf:
                raise FitFault(f"unknown {name}")
        if not np.isfinite(self.zero_point):
            raise FitFault("unknown zero_point")
        known = self.known
        if not known.any() or np.ptp(self.image[known]) == 0:
            raise FitFault("blank")
        width = len(self.image)
        middle = slice(width // 4, width - width // 4)
        if 1 - known[middle, middle].mean() > _MASKED:
            raise FitFault("masked")
        if has_plateau(self.image, self.sky_noise, self.gain, _PLATEAU):
            raise FitFault("saturated")


@dataclass(frozen=True)
class Fit:
    """A profile that was fitted.

    Attributes
    ----------
    latent : ndarray, shape (P,)
        Parameters of `morphosphere.structure.parameters.Space`.
    covariance : ndarray, shape (P, P)
        Of them; NaN where the tool tells none.
    chi2 : float
        Per degree of freedom.
    evaluations : int
        Models that were computed.
    centre : tuple of float
        From that of the stamp, in pixels, right and up.
    remark : str
        What a reader should know of a fit that did not fail.
    """

    latent: np.ndarray
    covariance: np.ndarray
    chi2: float = np.nan
    evaluations: int = 0
    centre: tuple[float, float] = field(default=(np.nan, np.nan))
    remark: str = ""
