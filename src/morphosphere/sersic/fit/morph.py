"""The Sérsic fit of statmorph (Rodriguez-Gomez et al. 2019, MNRAS 483, 4140).

It fits a profile sampled at pixel centres and convolved with the PSF to all pixels that are not
another source's, and tells no errors of its parameters. Its other measures are made on the way: the
time of a galaxy is that of all of them.
"""

from __future__ import annotations

import warnings

import galsim
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import gammaincinv, gammaln

from morphosphere.config.sersic_fit import FitSettings
from morphosphere.sersic.fit.segments import segments
from morphosphere.sersic.fit.stamp import Fit, FitFault, Stamp
from morphosphere.structure.noise import variance
from morphosphere.structure.parameters import Space

#: Widths of the picture of the PSF over its full width at half maximum; most pixels across.
_PSF_WIDTHS, _PSF_MOST = 8, 41


def fit_statmorph(stamp: Stamp, settings: FitSettings, *, components: int = 1) -> Fit:
    """Fit a Sérsic profile with statmorph.

    Raises
    ------
    FitFault
        If the image is not fit for it, or statmorph flags its Sérsic fit.
    """
    import statmorph

    if components != 1:
        raise FitFault("statmorph fits one component only")
    stamp.check()
    own, others = segments(stamp)
    image = np.where(stamp.known, stamp.image, 0.0)
    smooth = gaussian_filter(image, 1.0)
    sigma = np.sqrt(variance(smooth, stamp.sky_noise, stamp.gain))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = statmorph.SourceMorphology(
                image,
                own.astype(np.int32),
                1,
                mask=~stamp.known | others,
                weightmap=sigma,
                psf=_picture(stamp.psf, stamp.pixel_size),
                skybox_size=16,
                sersic_model_args={"bounds": {"n": settings.index}},
            )
            return _told(found, stamp)
    except FitFault:
        raise
    except Exception as error:  # whatever it cannot do, the other galaxies are fitted
        said = " ".join(str(error).split())[:80]
        raise FitFault(f"statmorph: {type(error).__name__} {said}".strip()) from None


def _picture(psf: galsim.GSObject, pixel_size: float) -> np.ndarray:
    """The PSF with the pixel, on pixels of the image."""
    width = int(_PSF_WIDTHS * psf.calculateFWHM() / pixel_size) // 2 * 2 + 1
    size = min(max(width, 11), _PSF_MOST)
    drawn = psf.drawImage(nx=size, ny=size, scale=pixel_size).array
    return np.maximum(drawn, 0) / np.maximum(drawn, 0).sum()


def _told(found, stamp: Stamp) -> Fit:
    if found.flag >= 4:
        raise FitFault("statmorph: catastrophic (flag 4)")
    if found.flag_sersic:
        raise FitFault(f"statmorph: flag_sersic {int(found.flag_sersic)}")
    n, radius = float(found.sersic_n), float(found.sersic_rhalf)
    q = 1 - float(found.sersic_ellip)
    b = gammaincinv(2 * n, 0.5)
    shape = n * np.exp(b - 2 * n * np.log(b) + gammaln(2 * n))
    flux = float(found.sersic_amplitude) * 2 * np.pi * radius**2 * q * shape
    if not (flux > 0 and np.isfinite(flux) and radius > 0 and 0 < q <= 1):
        raise FitFault("statmorph: no finite profile")
    angle = np.rad2deg(float(found.sersic_theta)) % 180
    latent = Space(1).to_latent(
        {
            "magnitude": -2.5 * np.log10(flux),
            "radius": radius,
            "sersic_index": n,
            "axis_ratio": q,
            "position_angle": angle,
        },
        0.0,
        1.0,
    )
    middle = (len(stamp.image) - 1) / 2
    return Fit(
        latent=latent,
        covariance=np.full((len(latent), len(latent)), np.nan),
        chi2=float(found.sersic_chi2_dof),
        evaluations=0,
        centre=(float(found.sersic_xc) - middle, float(found.sersic_yc) - middle),
    )
