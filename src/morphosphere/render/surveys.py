"""What is known of surveys for mock observations: pixels, seeing, sky and sensitivity.

DES, LSST, HSC, Euclid and HST (COSMOS, F814W) are as LSSTDESC's surveycodex collects them: DES from
Abbott et al. (2018, ApJS 239, 18), LSST's full depth from Ivezic et al. (2019, ApJ 873, 111), HSC
Wide from Aihara et al. (2022, PASJ 74, 247) with the sky of Suprime-Cam, Euclid's VIS from Racca et
al. (2016, SPIE 9904) and Laureijs et al. (2011, arXiv:1110.3193), COSMOS from Koekemoer et al.
(2007, ApJS 172, 196) with a rough sky. For SDSS, the sky noise is that of the softening of asinh
magnitudes, which is the noise under a point source in one arcsecond of seeing (Stoughton et al.
2002, AJ 123, 485, table 21). SDSS's electrons per nanomaggie and its seeing in each band are
approximate: remembered values of the camera's gains and of the median seeing, not checked against
a source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: AB magnitude of one nanomaggie.
NANOMAGGIE = 22.5


@dataclass(frozen=True)
class BandNoise:
    """Seeing and noise of one band of a survey.

    Attributes
    ----------
    seeing : float
        Full width at half maximum of the point spread function in arcseconds.
    electrons : float
        Photoelectrons for a nanomaggie in the whole exposure.
    sky_noise : float
        Standard deviation of the sky in nanomaggies per arcsecond (in a pixel: times its width).
    """

    seeing: float
    electrons: float
    sky_noise: float


@dataclass(frozen=True)
class Survey:
    """A survey.

    Attributes
    ----------
    pixel_scale : float
        Arcseconds per pixel.
    bands : dict
        Band to its noise. Where a survey has one broad band, the bands within it share it.
    """

    pixel_scale: float
    bands: dict[str, BandNoise]


def _from_sky(sky: float, exposure: float, zero_point: float, seeing: float) -> BandNoise:
    """From the sky in mag per square arcsecond, seconds, and magnitude of one electron a second."""
    electrons = exposure * 10 ** (0.4 * (zero_point - NANOMAGGIE))
    sky_flux = 10 ** (0.4 * (NANOMAGGIE - sky))
    return BandNoise(seeing, electrons, float(np.sqrt(sky_flux / electrons)))


def _from_softening(softening: float, gain: float, calibration: float, seeing: float) -> BandNoise:
    """From SDSS's softening, electrons per count, and nanomaggies per count.

    A point source in Gaussian seeing is measured against the sky noise of an area of
    ``4 pi sigma**2``, 2.27 square arcseconds in one arcsecond of seeing.
    """
    area = 4 * np.pi / (8 * np.log(2))
    return BandNoise(seeing, gain / calibration, float(softening * 1e9 / np.sqrt(area)))


_VIS = _from_sky(22.32, 565, 25.91, 0.17)
_F814W = _from_sky(22.0, 2028, 25.94, 0.095)

SURVEYS = {
    "SDSS": Survey(
        0.396,
        {
            "u": _from_softening(1.4e-10, 1.62, 0.0105, 1.53),
            "g": _from_softening(0.9e-10, 3.32, 0.0039, 1.44),
            "r": _from_softening(1.2e-10, 4.71, 0.0050, 1.32),
            "i": _from_softening(1.8e-10, 5.17, 0.0067, 1.26),
            "z": _from_softening(7.4e-10, 4.75, 0.0325, 1.29),
        },
    ),
    "DES": Survey(
        0.2637,
        {
            "g": _from_sky(22.01, 900, 26.72, 1.12),
            "r": _from_sky(21.15, 900, 26.99, 0.96),
            "i": _from_sky(19.89, 900, 26.86, 0.88),
            "z": _from_sky(18.72, 900, 26.58, 0.84),
        },
    ),
    "LSST": Survey(
        0.2,
        {
            "u": _from_sky(22.99, 1680, 26.40, 0.90),
            "g": _from_sky(22.26, 2400, 28.26, 0.86),
            "r": _from_sky(21.20, 5520, 28.10, 0.81),
            "i": _from_sky(20.48, 5520, 27.78, 0.79),
            "z": _from_sky(19.60, 4800, 27.39, 0.77),
            "y": _from_sky(18.61, 4800, 26.56, 0.76),
        },
    ),
    "HSC": Survey(
        0.168,
        {
            "g": _from_sky(21.4, 600, 28.90, 0.79),
            "r": _from_sky(20.6, 600, 28.86, 0.75),
            "i": _from_sky(19.7, 1200, 28.61, 0.61),
            "z": _from_sky(18.3, 1200, 27.68, 0.68),
            "y": _from_sky(17.9, 1200, 27.33, 0.68),
        },
    ),
    "Euclid": Survey(0.1, {"r": _VIS, "i": _VIS, "z": _VIS}),
    "HST": Survey(0.03, {"i": _F814W, "I": _F814W}),
}
