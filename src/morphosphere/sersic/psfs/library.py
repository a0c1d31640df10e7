"""Point-spread functions drawn at random, or brought from a file to the sampling of the images."""

from __future__ import annotations

import math
from pathlib import Path

import galsim
import numpy as np
from scipy.optimize import brentq

from morphosphere.config.sersic_simulate import PsfSettings
from morphosphere.structure.psf import PSFSet, write_psfs
from morphosphere.structure.psf_files import read_fits_psfs, resample

#: Samples across a pixel of the images, and across the narrowest function, at least.
_ACROSS_PIXEL, _ACROSS_FWHM = 4, 4
#: Width of the pictures over the largest full width at half maximum; most samples across.
_WIDTHS, _MOST = 16, 511


def write_library(path: Path, settings: PsfSettings, *, pixel_size: float, seed: int) -> int:
    """Write point-spread functions for images of a pixel size in arcseconds; their number.

    Raises
    ------
    InputError
        If a file of them cannot be used, see `read_fits_psfs`.
    """
    if settings.file is not None:
        oversampling = _ACROSS_PIXEL
        images, scale = read_fits_psfs(
            settings.file,
            scale=settings.scale,
            hdu=settings.hdu,
            includes_pixel=settings.includes_pixel,
        )
        images = resample(images, scale, pixel_size / oversampling, name=settings.file)
    else:
        oversampling = max(_ACROSS_PIXEL, math.ceil(_ACROSS_FWHM * pixel_size / settings.fwhm[0]))
        images = _drawn(settings, pixel_size / oversampling, seed)
    library = PSFSet(images, pixel_size / oversampling, oversampling, name=str(path))
    fwhm = np.array([library.fwhm(row) for row in range(len(library))])
    write_psfs(
        path,
        images,
        scale=pixel_size / oversampling,
        oversampling=oversampling,
        table={"fwhm": fwhm},
    )
    return len(images)


def _drawn(settings: PsfSettings, scale: float, seed: int) -> np.ndarray:
    """Pictures (P, k, k) of random profiles; each depends on the seed and its number alone."""
    size = min(2 * int(_WIDTHS * settings.fwhm[1] / scale / 2) + 1, _MOST)
    images = np.empty((settings.number, size, size))
    for number in range(settings.number):
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, number)))
        psf = _profile(settings, random)
        image = galsim.ImageD(size, size, scale=scale)
        psf.drawImage(image, method="no_pixel")
        images[number] = image.array
    return np.maximum(images, 0)


def _profile(settings: PsfSettings, random: np.random.Generator) -> galsim.GSObject:
    fwhm, beta = random.uniform(*settings.fwhm), random.uniform(*settings.beta)
    e, angle = settings.ellipticity * np.sqrt(random.random()), random.uniform(0, np.pi)
    if settings.kind == "airy":
        unit = galsim.Airy(lam_over_diam=1.0, obscuration=settings.obscuration)
        psf = unit.dilate(fwhm / _fwhm(unit))
    else:
        psf = galsim.Moffat(beta, fwhm=fwhm)
    return psf.shear(g=e, beta=angle * galsim.radians)


def _fwhm(airy: galsim.GSObject) -> float:
    """Full width at half maximum of an Airy profile; GalSim tells it only without obscuration."""
    peak = airy.xValue(0, 0)
    return 2 * float(brentq(lambda radius: airy.xValue(radius, 0) / peak - 0.5, 0.1, 1.0))
