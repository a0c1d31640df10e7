"""Structural parameters of real galaxies by a fit to the stamp at its own sampling."""

from __future__ import annotations

import galsim
import numpy as np

from morphosphere.config.sersic_fit import FitSettings
from morphosphere.sersic.fit import FitFault, Stamp, fit_galsim
from morphosphere.sersic.real.taken import Taken, square
from morphosphere.structure.parameters import Space


def fitted(taken: Taken) -> tuple[dict[str, float], str]:
    """Columns of a Sérsic profile that was fitted to a stamp, and why there are none.

    The noise is taken for independent from pixel to pixel. Where it is not, the fit is not the best
    one, but has no bias.
    """
    image = square(taken.image, 1)
    psf = galsim.InterpolatedImage(
        galsim.ImageD(taken.psf, scale=taken.psf_scale), normalization="flux", flux=1.0
    )
    stamp = Stamp(
        image,
        psf.shift(-psf.centroid),
        pixel_size=taken.pixel_size,
        zero_point=taken.zero_point,
        sky_noise=taken.sky_noise,
        gain=taken.gain,
    )
    space = Space(1)
    try:
        fit = fit_galsim(stamp, FitSettings())
    except FitFault as fault:
        return {}, str(fault)
    if "log_index" in fit.remark:
        return {}, "the index is at its bound"
    found = space.to_columns(fit.latent, taken.zero_point, taken.pixel_size)
    return {name: float(np.asarray(value)) for name, value in found.items()}, ""
