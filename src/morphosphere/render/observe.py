"""Mock observation: a distance, a point spread function, photon noise and noise of the sky."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphosphere.config.render import ObservationSettings
from morphosphere.render.surveys import NANOMAGGIE, SURVEYS, BandNoise

#: Half the width of the image of the point spread function, in full widths at half maximum.
_REACH = 4.0


@dataclass(frozen=True)
class Telescope:
    """A mock observation, ready to be made.

    Attributes
    ----------
    pixel_scale : float
        Arcseconds per pixel.
    kpc_per_arcsec : float
        At the galaxy.
    distance_modulus : float
        In magnitudes.
    bands : tuple of BandNoise
        One for each channel.
    psf, noise, beta :
        See `ObservationSettings`.
    """

    pixel_scale: float
    kpc_per_arcsec: float
    distance_modulus: float
    bands: tuple[BandNoise, ...]
    psf: str
    beta: float
    noise: bool

    @property
    def pixel(self) -> float:
        """Width of a pixel in kpc."""
        return self.pixel_scale * self.kpc_per_arcsec

    @property
    def margin(self) -> int:
        """Pixels around the image from which the point spread function brings light."""
        if self.psf == "none":
            return 0
        return int(np.ceil(_REACH * max(b.seeing for b in self.bands) / self.pixel_scale))

    def observe(self, images: np.ndarray, random: Sequence[np.random.Generator]) -> np.ndarray:
        """Images as the survey would deliver them, with the sky taken off.

        Parameters
        ----------
        images : ndarray, shape (V, C, S + 2 margin, S + 2 margin)
            ``10**(-0.4 M_AB)`` per kpc^2.
        random : sequence of Generator
            One for each of the V images.

        Returns
        -------
        ndarray of float64, shape (V, C, S, S)
            In nanomaggies per pixel.
        """
        flux = images * self.pixel**2 * 10 ** (0.4 * (NANOMAGGIE - self.distance_modulus))
        flux = np.stack([self._blurred(flux[:, c], band) for c, band in enumerate(self.bands)], 1)
        if self.noise:
            for one, numbers in zip(flux, random):
                for channel, band in zip(one, self.bands):
                    photons = numbers.poisson(np.maximum(channel, 0) * band.electrons)
                    sky = numbers.normal(0, band.sky_noise * self.pixel_scale, channel.shape)
                    channel[:] = photons / band.electrons + sky
        return flux

    def _blurred(self, flux: np.ndarray, band: BandNoise) -> np.ndarray:
        from scipy.signal import fftconvolve

        if self.psf == "none":
            return flux
        profile = psf_image(self.psf, band.seeing, self.beta, self.pixel_scale, self.margin)
        return fftconvolve(flux, profile[None], mode="valid", axes=(1, 2))


def telescope_of(settings: ObservationSettings, channels: Sequence[str]) -> Telescope:
    """The mock observation that the settings ask for; the survey has a band for each channel."""
    import astropy.units as u
    from astropy.cosmology import Planck18

    survey = SURVEYS[settings.survey]
    bands = [survey.bands[name] for name in channels]
    if settings.seeing:
        bands = [BandNoise(settings.seeing, b.electrons, b.sky_noise) for b in bands]
    if settings.distance is not None:
        modulus = 5 * np.log10(settings.distance * 1e5)
        scale = settings.distance * 1e3 * np.radians(1 / 3600)
    else:
        modulus = Planck18.distmod(settings.redshift).value
        scale = Planck18.kpc_proper_per_arcmin(settings.redshift).to_value(u.kpc / u.arcsec)
    return Telescope(
        pixel_scale=settings.pixel_scale or survey.pixel_scale,
        kpc_per_arcsec=float(scale),
        distance_modulus=float(modulus),
        bands=tuple(bands),
        psf=settings.psf,
        beta=settings.moffat_beta,
        noise=settings.noise,
    )


@functools.lru_cache(maxsize=16)
def psf_image(kind: str, seeing: float, beta: float, pixel_scale: float, reach: int) -> np.ndarray:
    """Image of a point spread function by GalSim, its sum one; shape (2 reach + 1,) * 2."""
    import galsim

    profile = (
        galsim.Moffat(beta=beta, fwhm=seeing) if kind == "moffat" else galsim.Gaussian(fwhm=seeing)
    )
    width = 2 * reach + 1
    image = profile.drawImage(nx=width, ny=width, scale=pixel_scale, method="no_pixel").array
    return image.astype(np.float64) / image.sum()
