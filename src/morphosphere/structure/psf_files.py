"""Point-spread functions from FITS files, and bringing them to another sampling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import galsim
import numpy as np

from morphosphere.errors import InputError

#: Header keys of the sampling in arcseconds, as files of point-spread functions have them.
_SCALE_KEYS = ("PIXSCALE", "PIXELSCL", "PSCALE", "PSF_SAMP")
#: Samples across the full width at half maximum below which nothing between them is known.
_COARSEST = 1.2
#: Share by which the sampling in the settings may differ from that in the header.
_SAME = 0.01


def read_fits_psfs(
    path: str | Path, *, scale: float | None = None, hdu: int = 0, includes_pixel: bool = False
) -> tuple[np.ndarray, float]:
    """Point-spread functions of a FITS file, a picture or a cube: (P, k, k) and arcsec per sample.

    Parameters
    ----------
    path : path-like
    scale : float, optional
        Arcseconds per sample; None takes them from the header.
    hdu : int
    includes_pixel : bool
        Whether the samples are pixels that gathered light; the result is without them.

    Raises
    ------
    InputError
        If the file cannot be read or holds no picture, or its sampling is unknown or told in two
        ways.
    """
    from astropy.io import fits

    try:
        with fits.open(path) as file:
            data, header = file[hdu].data, file[hdu].header
    except (OSError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"{path}: HDU {hdu} cannot be read as FITS ({error})") from None
    if not isinstance(data, np.ndarray) or data.dtype.names or data.ndim not in (2, 3):
        raise InputError(f"{path}: HDU {hdu} holds no picture of a point-spread function")
    images = np.asarray(data, dtype=np.float64).reshape(-1, *data.shape[-2:])
    if not np.isfinite(images).all() or (images.sum(axis=(1, 2)) <= 0).any():
        raise InputError(f"{path}: holds pixels that are no numbers, or pictures without light")
    scale = _agreed_scale(path, scale, _scale_of(header))
    images = images / images.sum(axis=(1, 2), keepdims=True)
    return np.stack([without_pixel(image) for image in images]) if includes_pixel else images, scale


def _agreed_scale(path: str | Path, given: float | None, told: float | None) -> float:
    if given is None and told is None:
        raise InputError(
            f"{path}: its sampling is unknown: no {', '.join(_SCALE_KEYS)}, CD2_2 or CDELT2 in the "
            "header; give the arcseconds per sample in the settings (psf.scale)"
        )
    if given is not None and told is not None and abs(given / told - 1) > _SAME:
        raise InputError(
            f"{path}: a sample is {told:g} arcsec by its header, but {given:g} by the settings "
            "(psf.scale); mend the one that is wrong"
        )
    return float(given if given is not None else told)


def _scale_of(header: Mapping[str, object]) -> float | None:
    for key in _SCALE_KEYS:
        if isinstance(value := header.get(key), (int, float)) and value > 0:
            return float(value)
    for key in ("CD2_2", "CDELT2"):
        # without a unit CDELT2 is often the plain count of pixels
        unit = str(header.get("CUNIT2", "deg" if key == "CD2_2" else "")).strip().lower()
        factor = {"deg": 3600.0, "arcmin": 60.0, "arcsec": 1.0}.get(unit)
        if isinstance(value := header.get(key), (int, float)) and value and factor:
            return abs(float(value)) * factor
    return None


def without_pixel(image: np.ndarray) -> np.ndarray:
    """Undo what square pixels as wide as the samples did, for the waves that the samples hold."""
    height, width = image.shape
    wave = np.sinc(np.fft.fftfreq(height))[:, None] * np.sinc(np.fft.rfftfreq(width))
    return np.fft.irfft2(np.fft.rfft2(image) / wave, image.shape)


def resample(images: np.ndarray, scale: float, target: float, *, name: str) -> np.ndarray:
    """Bring point-spread functions (P, k, k) to another sampling, their centroids to the centre.

    Parameters
    ----------
    scale, target : float
        Arcseconds per sample, as they are and as they will be.
    name : str
        Of the file, for the error.

    Returns
    -------
    ndarray of float64, shape (P, m, m)
        m is odd and covers the smaller side.

    Raises
    ------
    InputError
        If a function is narrower than its samples tell, or has no maximum.
    """
    size = 2 * int(min(images.shape[1:]) * scale / target / 2 - 0.5) + 1
    out = np.empty((len(images), size, size))
    for number, image in enumerate(images):
        psf = galsim.InterpolatedImage(
            galsim.ImageD(image, scale=scale), normalization="flux", flux=1.0
        )
        psf = psf.shift(-psf.centroid)
        try:
            fwhm = float(psf.calculateFWHM(scale=scale / 4))
        except galsim.GalSimError as error:
            raise InputError(
                f"{name}: picture {number} is no point-spread function ({error})"
            ) from None
        if fwhm < _COARSEST * scale:
            raise InputError(
                f"{name}: picture {number} has {fwhm / scale:.2f} samples across its full width at "
                f"half maximum; at least {_COARSEST} are needed to resample it"
            )
        drawn = galsim.ImageD(size, size, scale=target)
        psf.drawImage(drawn, method="no_pixel")
        out[number] = drawn.array
    return out
