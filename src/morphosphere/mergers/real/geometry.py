"""Where things are in an image: kpc per pixel and the positions of the nuclei."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.collect.fault import Fault
from morphosphere.config.merger_sources import RealMergersSettings
from morphosphere.mergers.real.known import Known

_ARCSEC = {"arcsec": 1.0, "deg": 3600.0}
_KPC = {"kpc": 1.0, "pc": 1e-3}


def distances(known: Known, settings: RealMergersSettings) -> tuple[float, float]:
    """Redshift, and kpc per arcsecond; NaN for what is not known or not needed.

    Raises
    ------
    Fault
        If a redshift or distance is missing or not positive.
    """
    redshift = scale = np.nan
    if settings.redshift is not None:
        redshift = known.number(settings.redshift, "redshift")
        if not 0 < redshift < 20:
            raise Fault(f"redshift {redshift:g} in {known.where} gives no distance")
    if settings.distance is not None:
        distance = known.number(settings.distance, "distance")
        if not distance > 0:
            raise Fault(f"distance {distance:g} Mpc in {known.where} is not positive")
        scale = distance * 1e3 * np.pi / 648000
    elif np.isfinite(redshift):
        from astropy.cosmology import Planck18

        scale = float(Planck18.kpc_proper_per_arcmin(redshift).value) / 60
    return redshift, scale


def kpc_per_pixel(known: Known, settings: RealMergersSettings, kpc_per_arcsec: float) -> float:
    """Width of a pixel of the file in kpc.

    Raises
    ------
    Fault
        If the pixel scale is missing or zero.
    """
    width = abs(known.number(settings.pixel_scale, "pixel_scale"))
    if settings.pixel_scale_unit in _KPC:
        width *= _KPC[settings.pixel_scale_unit]
    else:
        width *= _ARCSEC[settings.pixel_scale_unit] * kpc_per_arcsec
    if not width > 0:
        raise Fault(f"pixel_scale {settings.pixel_scale} in {known.where} is zero")
    return width


def nuclei_of(
    known: Known,
    settings: RealMergersSettings,
    *,
    shape: tuple[int, int],
    fits: bool,
    pixel: float,
) -> np.ndarray | None:
    """Positions of both nuclei, shape (2, 2): x from the left and y from the top edge, in pixels.

    The centre of the first pixel is at 0.5.

    Parameters
    ----------
    known : Known
    settings : RealMergersSettings
    shape : tuple of int
        Height and width of the image.
    fits : bool
        Whether the image is of a FITS file, whose first row is at the bottom.
    pixel : float
        Width of a pixel in kpc.
    """
    if settings.nuclei is None:
        return None
    values = np.array([known.number(key, "nuclei") for key in settings.nuclei]).reshape(2, 2)
    height, width = shape
    if settings.nuclei_unit == "pixel":
        if not fits:
            return values + 0.5
        places = values - 0.5
    elif settings.nuclei_unit == "kpc":
        header: Any = known.values
        middle = [(width + 1) / 2, (height + 1) / 2]
        reference = [float(header.get(f"CRPIX{i + 1}", middle[i])) for i in (0, 1)]
        places = np.array(reference) - 0.5 + values / pixel
    else:
        places = _of_sky(values, known)
    return np.stack([places[:, 0], height - places[:, 1]], axis=1)


def _of_sky(values: np.ndarray, known: Known) -> np.ndarray:
    """Pixels from the left and the bottom edge of positions (ra, dec) in degrees."""
    from astropy.wcs import WCS

    if "_header" not in known.values:
        raise Fault("nuclei_unit is deg, but it is no FITS file with a WCS")
    try:
        celestial = WCS(known.values["_header"], naxis=2).celestial
        if not celestial.has_celestial:
            raise Fault("nuclei_unit is deg, but its header has no celestial WCS")
        x, y = celestial.all_world2pix(values[:, 0], values[:, 1], 0)
    except Fault:
        raise
    except Exception as error:  # astropy raises many kinds, and every one is the header's fault
        raise Fault(f"its WCS cannot be used ({' '.join(str(error).split())})") from None
    return np.stack([x, y], axis=1) + 0.5


def within(places: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """Which of the nuclei lie in the image, shape (2,)."""
    if places is None:
        return np.zeros(2, dtype=bool)
    height, width = shape
    x, y = places.T
    return (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
