"""Structural parameters of real galaxies by a fit to the stamp at its own sampling."""

from __future__ import annotations

import galsim
import numpy as np

from morphosphere.config.sersic_fit import FitSettings
from morphosphere.sersic.fit import FitFault, Stamp, fit_galsim
from morphosphere.sersic.real.taken import Taken, square
from morphosphere.structure.parameters import Space

#: Standard deviations of latent parameters above which a fit is no label.
_LARGEST = {
    "instrumental_magnitude": 0.2,
    "log_radius": 0.1,
    "log_index": 0.2,
    "e1": 0.1,
    "e2": 0.1,
}
#: Names of the errors of labels.
ERRORS = tuple(f"{name}_label_std" for name in Space(1).columns)


def fitted(taken: Taken, correlation: float = 1.0) -> tuple[dict[str, float], str]:
    """Columns of a Sérsic profile that was fitted to a stamp, and why there are none.

    The fit takes the noise for independent from pixel to pixel. Where it is not, the fit is not the
    best one, but has no bias, and its errors are larger.

    Parameters
    ----------
    taken : Taken
    correlation : float
        Noise of sums of many pixels over that of independent ones, in amplitude: the errors are
        multiplied by it.

    Returns
    -------
    columns : dict
        Structural parameters, and `ERRORS`; empty without a label.
    reason : str
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
    covariance = fit.covariance * correlation**2
    for name, std in zip(space.latents, np.sqrt(np.diagonal(covariance))):
        if not std <= _LARGEST[name]:
            return {}, f"the error of {name} is {std:.2f}"
    found = space.to_columns(fit.latent, taken.zero_point, taken.pixel_size)
    errors = space.propagate(covariance, fit.latent, taken.pixel_size)
    found |= {f"{name}_label_std": errors[name] for name in space.columns}
    return {name: float(value) for name, value in found.items()}, ""
