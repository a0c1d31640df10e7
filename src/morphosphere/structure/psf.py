"""Point-spread functions: files of many of them, and reading one from a FITS file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import galsim
import h5py
import numpy as np

from morphosphere.artefacts.hdf5 import HDF5Output
from morphosphere.errors import InputError
from morphosphere.files import atomic_path
from morphosphere.structure.facts import PSF_COLUMNS, PSF_RADII

FORMAT = "morphosphere.PSFSet"
VERSION = 1
_FINE = 8  # samples across a pixel where energies are summed
#: Functions that are compared with what tables tell of them, and the largest difference of energy.
_COMPARED, _ALIKE = 4, 0.002


class PSFSet:
    """Point-spread functions of one sampling, without the pixel of the detector.

    Attributes
    ----------
    images : ndarray of float32, shape (P, k, k)
        Each sums to 1; y goes up, as in FITS and GalSim.
    scale : float
        Arcseconds per sample.
    oversampling : float
        Samples per pixel of the images that they belong to.
    """

    def __init__(
        self, images: np.ndarray, scale: float, oversampling: float, *, name: str = "psf"
    ) -> None:
        self.images = np.asarray(images, dtype=np.float32)
        self.scale = float(scale)
        self.oversampling = float(oversampling)
        self.name = name
        self.galsim = lru_cache(maxsize=None)(self._galsim)
        self.columns = lru_cache(maxsize=None)(self._columns)

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def read(cls, path: str | Path) -> PSFSet:
        """Read a file that `write_psfs` wrote.

        Raises
        ------
        InputError
            If the file is missing or something else, or its sampling is unknown.
        """
        try:
            with h5py.File(path, "r") as file:
                if file.attrs.get("format") != FORMAT:
                    raise InputError(f"{path}: not a file of point-spread functions")
                for name in ("scale", "oversampling"):
                    if not float(file.attrs.get(name, np.nan)) > 0:
                        raise InputError(f"{path}: its sampling is unknown (attribute {name})")
                return cls(
                    file["images"][:], file.attrs["scale"], file.attrs["oversampling"],
                    name=str(path),
                )  # fmt: skip
        except (OSError, KeyError) as error:
            raise InputError(
                f"{path}: cannot be read as point-spread functions ({error})"
            ) from None

    def _galsim(self, row: int) -> galsim.GSObject:
        if not 0 <= row < len(self):
            raise InputError(f"{self.name}: no point-spread function {row}, it has {len(self)}")
        image = galsim.ImageD(self.images[row].astype(np.float64), scale=self.scale)
        return galsim.InterpolatedImage(image, normalization="flux", flux=1.0)

    def fwhm(self, row: int) -> float:
        """Full width at half maximum in arcseconds."""
        return float(self.galsim(int(row)).calculateFWHM())

    def encircled(self, row: int, pixel_size: float) -> np.ndarray:
        """Energy within `PSF_RADII` pixels, of the function with the pixel, shape (8,)."""
        return _encircled(self.galsim(int(row)), pixel_size)

    def check(self, images: str | Path, columns: Mapping[str, np.ndarray]) -> None:
        """Refuse functions that images were not seen through, by what their table tells of them.

        Parameters
        ----------
        images : path-like
            For the error.
        columns : mapping of ndarray, each of shape (n,)
            ``psf``, ``pixel_size`` and `PSF_COLUMNS`; without the last nothing is compared.

        Raises
        ------
        InputError
        """
        if not {"psf", "pixel_size", *PSF_COLUMNS} <= columns.keys():
            return
        told = np.stack([np.asarray(columns[name], np.float64) for name in PSF_COLUMNS], axis=1)
        psf, pixel = (np.asarray(columns[name], np.float64) for name in ("psf", "pixel_size"))
        known = np.isfinite(told).all(axis=1) & (pixel > 0) & (psf >= 0)
        if known.any() and not (known & (psf < len(self))).any():
            raise InputError(
                f"{self.name}: no point-spread function {psf[known].max():.0f}, which {images} "
                "refers to; give the file that was made with these images"
            )
        known &= psf < len(self)
        for row in np.flatnonzero(known)[np.unique(psf[known], return_index=True)[1]][:_COMPARED]:
            energy = self.encircled(int(psf[row]), float(pixel[row]))
            if np.abs(energy - told[row]).max() > _ALIKE:
                raise InputError(
                    f"{self.name}: its point-spread function {psf[row]:.0f} is not the one that "
                    f"{images} tells of; give the file that was made with these images"
                )

    def _columns(self, row: int, pixel_size: float) -> dict[str, float]:
        """What tables tell of a point-spread function: ``psf_fwhm`` and `PSF_COLUMNS`."""
        energy = self.encircled(row, pixel_size)
        return {"psf_fwhm": self.fwhm(row), **dict(zip(PSF_COLUMNS, map(float, energy)))}


def _encircled(psf: galsim.GSObject, pixel_size: float) -> np.ndarray:
    size = 2 * int((PSF_RADII[-1] + 1) * _FINE) + 1
    image = galsim.ImageD(size, size, scale=pixel_size / _FINE)
    galsim.Convolve(psf, galsim.Pixel(pixel_size)).drawImage(image, method="no_pixel")
    axis = (np.arange(size) - size // 2) / _FINE
    distance = np.hypot(axis[:, None], axis)
    # a sample on the circle counts by the share of it that is inside
    inside = [np.clip((radius - distance) * _FINE + 0.5, 0, 1) for radius in PSF_RADII]
    return np.array([float(np.sum(image.array * part)) for part in inside])


def write_psfs(
    path: str | Path,
    images: np.ndarray,
    *,
    scale: float,
    oversampling: float,
    table: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write point-spread functions to a file.

    Parameters
    ----------
    path : path-like
    images : ndarray, shape (P, k, k)
        Without the pixel, y up; they are brought to a sum of 1.
    scale : float
        Arcseconds per sample.
    oversampling : float
        Samples per pixel of the images that they belong to.
    table : mapping, optional
        Columns of P values, such as ``fwhm`` in arcseconds.
    """
    images = np.asarray(images, dtype=np.float64)
    images = images / images.sum(axis=(1, 2), keepdims=True)
    with atomic_path(path) as temporary, HDF5Output(temporary) as file:
        file.attrs.update(
            {"format": FORMAT, "version": VERSION, "scale": scale, "oversampling": oversampling}
        )
        file.create_dataset("images", data=images.astype(np.float32))
        group = file.create_group("table", track_order=True)
        for name, values in (table or {}).items():
            group.create_dataset(name, data=np.asarray(values))
