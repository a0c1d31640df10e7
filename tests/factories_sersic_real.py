"""Catalogues and stamps of drawn galaxies, as GalSim and observers store real images."""

from __future__ import annotations

from pathlib import Path

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table

from factories_sersic_fits import GAIN, SKY, ZERO_POINT, psf

SCALE = 0.03
#: Half-light radius along the major axis in arcsec, index, axis ratio, angle in degrees, magnitude.
TRUTH = [(0.36, 1.2, 0.6, 40.0, 20.6), (0.3, 2.5, 0.8, 150.0, 21.0)]


def galaxy_picture(
    radius: float,
    index: float,
    ratio: float,
    angle: float,
    magnitude: float,
    *,
    size: int = 120,
    seed: int = 0,
) -> np.ndarray:
    """What GalSim draws, with white noise; y up."""
    flux = 10 ** (-0.4 * (magnitude - ZERO_POINT))
    round_radius = radius * np.sqrt(ratio)
    shape = galsim.Sersic(index, half_light_radius=round_radius, flux=flux)
    shape = shape.shear(q=ratio, beta=angle * galsim.degrees)
    image = galsim.Convolve(shape, psf()).drawImage(nx=size, ny=size, scale=SCALE).array
    noise = np.sqrt((SKY / 2) ** 2 + np.maximum(image, 0) / GAIN)
    return image.astype(float) + noise * np.random.default_rng(seed).standard_normal(image.shape)


def psf_with_pixel() -> np.ndarray:
    """The PSF on the pixels of the stamps."""
    return psf().drawImage(nx=61, ny=61, scale=SCALE).array.astype(float)


def _intensity(radius: float, index: float, ratio: float, magnitude: float) -> float:
    from scipy.special import gamma, gammaincinv

    flux, b = 10 ** (-0.4 * (magnitude - 25.94)), gammaincinv(2 * index, 0.5)
    shape = 2 * np.pi * index * np.exp(b) * b ** (-2 * index) * gamma(2 * index)
    return flux / (shape * ratio * (radius / SCALE) ** 2)


def write_catalogue(folder: Path) -> Path:
    """A RealGalaxyCatalog of two drawn galaxies, with its table of fits."""
    folder.mkdir()
    pictures = [galaxy_picture(*truth, seed=k) for k, truth in enumerate(TRUTH)]
    empty = fits.PrimaryHDU
    fits.HDUList([empty(pictures[0]), fits.ImageHDU(pictures[1])]).writeto(folder / "images.fits")
    fits.HDUList([empty(psf_with_pixel())]).writeto(folder / "psfs.fits")
    noise = np.zeros((21, 21))
    noise[10, 10] = 1.0
    empty(noise).writeto(folder / "noise.fits")
    count = len(TRUTH)
    table = Table(
        {
            "IDENT": [11, 12],
            "RA": [150.0, 150.1],
            "DEC": [2.0, 2.1],
            "MAG": [truth[4] for truth in TRUTH],
            "BAND": ["F814W"] * count,
            "WEIGHT": np.ones(count),
            "GAL_FILENAME": ["images.fits"] * count,
            "PSF_FILENAME": ["psfs.fits"] * count,
            "NOISE_FILENAME": ["noise.fits"] * count,
            "GAL_HDU": np.arange(count),
            "PSF_HDU": np.zeros(count, int),
            "PIXEL_SCALE": np.full(count, SCALE),
            "NOISE_MEAN": np.zeros(count),
            "NOISE_VARIANCE": np.full(count, (SKY / 2) ** 2),
            "stamp_flux": [picture.sum() for picture in pictures],
        }
    )
    table.write(folder / "galaxies.fits")
    rows = [
        [_intensity(r, n, q, m), r / SCALE, n, q, 0.0, 60.0, 60.0, np.deg2rad(angle)]
        for r, n, q, angle, m in TRUTH
    ]
    Table({"IDENT": [11, 12], "sersicfit": np.array(rows)}).write(folder / "galaxies_fits.fits")
    return folder / "galaxies.fits"


def write_stamps(folder: Path) -> Path:
    """A folder with two stamps, their PSF and a table."""
    (folder / "images").mkdir(parents=True)
    for number, truth in enumerate(TRUTH):
        header = fits.Header(
            {
                "CTYPE1": "RA---TAN",
                "CTYPE2": "DEC--TAN",
                "CRVAL1": 150.0,
                "CRVAL2": 2.0,
                "CRPIX1": 60.5,
                "CRPIX2": 60.5,
                "CD1_1": -SCALE / 3600,
                "CD2_2": SCALE / 3600,
                "CD1_2": 0.0,
                "CD2_1": 0.0,
                "MAGZERO": ZERO_POINT,
                "EXPTIME": GAIN,
            }
        )
        picture = galaxy_picture(*truth, seed=number) + 0.05
        fits.PrimaryHDU(picture, header).writeto(folder / "images" / f"g{number}.fits")
    header = fits.Header({"PIXSCALE": SCALE})
    fits.PrimaryHDU(psf_with_pixel(), header).writeto(folder / "psf.fits")
    lines = ["id,MAG,RE,N,Q,PA"]
    lines += [f"g{k},{m},{r},{n},{q},{a}" for k, (r, n, q, a, m) in enumerate(TRUTH)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder
