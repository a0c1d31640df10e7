"""Point-spread functions: their files, what is told of them, and those of FITS files."""

from __future__ import annotations

from pathlib import Path

import galsim
import h5py
import numpy as np
import pytest
from astropy.io import fits
from scipy.special import erf

from morphosphere.errors import InputError
from morphosphere.structure.facts import PSF_COLUMNS, PSF_RADII
from morphosphere.structure.psf import PSFSet, write_psfs
from morphosphere.structure.psf_files import read_fits_psfs, resample

PIXEL = 0.06


def picture(psf: galsim.GSObject, scale: float, size: int = 129, method: str = "no_pixel"):
    return psf.drawImage(nx=size, ny=size, scale=scale, method=method, dtype=float).array


def fwhm_of(images: np.ndarray, scale: float) -> float:
    return PSFSet(images, scale, 1.0).fwhm(0)


def write_fits(path: Path, data: np.ndarray | None, **header: object) -> Path:
    unit = fits.PrimaryHDU(data)
    unit.header.update({name.replace("__", "-"): value for name, value in header.items()})
    unit.writeto(path)
    return path


@pytest.fixture
def psfs(tmp_path: Path) -> Path:
    path = tmp_path / "psf.h5"
    images = [3.0 * picture(galsim.Gaussian(fwhm=width), PIXEL / 4) for width in (0.12, 0.2)]
    write_psfs(path, np.stack(images), scale=PIXEL / 4, oversampling=4, table={"fwhm": [0.12, 0.2]})
    return path


def test_a_file_is_read_as_it_was_written(psfs: Path) -> None:
    found = PSFSet.read(psfs)
    assert len(found) == 2
    assert found.images.dtype == np.float32
    assert found.images.sum(axis=(1, 2)) == pytest.approx(1.0, abs=1e-5)
    assert (found.scale, found.oversampling) == (PIXEL / 4, 4)
    assert [found.fwhm(0), found.fwhm(1)] == pytest.approx([0.12, 0.2], rel=0.005)
    assert found.galsim(1) is found.galsim(1)
    assert found.galsim(0).flux == pytest.approx(1.0)


def test_encircled_energy_of_a_gaussian_with_the_pixel(psfs: Path) -> None:
    sigma = 0.12 / 2.354820
    found = PSFSet.read(psfs).columns(0, PIXEL)
    assert list(found) == ["psf_fwhm", *PSF_COLUMNS]
    axis = np.linspace(-10 * PIXEL, 10 * PIXEL, 2001)
    width = sigma * np.sqrt(2)
    profile = (erf((axis + PIXEL / 2) / width) - erf((axis - PIXEL / 2) / width)) / (2 * PIXEL)
    cell = (axis[1] - axis[0]) ** 2
    for name, radius in zip(PSF_COLUMNS, PSF_RADII):
        inside = np.hypot(axis[:, None], axis) < radius * PIXEL
        expected = float(np.sum(np.outer(profile, profile)[inside]) * cell)
        assert found[name] == pytest.approx(expected, abs=0.004)


def test_files_that_cannot_be_used(psfs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.h5: cannot be read"):
        PSFSet.read(tmp_path / "nowhere.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InputError, match=r"text\.h5: cannot be read"):
        PSFSet.read(tmp_path / "text.h5")
    with pytest.raises(InputError, match="no point-spread function 2, it has 2"):
        PSFSet.read(psfs).galsim(2)
    with h5py.File(psfs, "r+") as file:
        del file.attrs["scale"]
    with pytest.raises(InputError, match=r"its sampling is unknown \(attribute scale\)"):
        PSFSet.read(psfs)
    with h5py.File(psfs, "r+") as file:
        file.attrs["format"] = "another"
    with pytest.raises(InputError, match="not a file of point-spread functions"):
        PSFSet.read(psfs)


@pytest.mark.parametrize(
    "header",
    [
        {"PIXSCALE": 0.03},
        {"CD2_2": 0.03 / 3600},
        {"CDELT2": 0.03, "CUNIT2": "arcsec"},
        {"CDELT2": -0.03 / 3600, "CUNIT2": "deg"},
    ],
)
def test_sampling_is_read_from_the_header(tmp_path: Path, header: dict) -> None:
    path = write_fits(tmp_path / "psf.fits", picture(galsim.Gaussian(fwhm=0.1), 0.03, 33), **header)
    images, scale = read_fits_psfs(path)
    assert scale == pytest.approx(0.03)
    assert images.shape == (1, 33, 33)
    assert images.sum() == pytest.approx(1.0)
    assert read_fits_psfs(path, scale=0.03)[1] == pytest.approx(0.03)
    with pytest.raises(InputError, match=r"0\.03 arcsec by its header, but 0\.05 by the settings"):
        read_fits_psfs(path, scale=0.05)


@pytest.mark.parametrize("header", [{}, {"CDELT2": 1.0}, {"PIXSCALE": "fine"}])
def test_an_unknown_sampling_is_an_error(tmp_path: Path, header: dict) -> None:
    path = write_fits(tmp_path / "psf.fits", picture(galsim.Gaussian(fwhm=0.1), 0.03, 33), **header)
    with pytest.raises(InputError, match=r"psf\.fits: its sampling is unknown.*psf\.scale"):
        read_fits_psfs(path)
    assert read_fits_psfs(path, scale=0.03)[1] == 0.03


def test_fits_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text.fits").write_text("no FITS")
    for name in ("nowhere.fits", "text.fits"):
        with pytest.raises(InputError, match=f"{name}: HDU 0 cannot be read as FITS"):
            read_fits_psfs(tmp_path / name, scale=0.03)
    empty = write_fits(tmp_path / "empty.fits", None)
    with pytest.raises(InputError, match="HDU 0 holds no picture"):
        read_fits_psfs(empty, scale=0.03)
    with pytest.raises(InputError, match="HDU 3 cannot be read"):
        read_fits_psfs(empty, scale=0.03, hdu=3)
    holes = picture(galsim.Gaussian(fwhm=0.1), 0.03, 33)
    holes[3, 3] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        read_fits_psfs(write_fits(tmp_path / "holes.fits", holes), scale=0.03)
    with pytest.raises(InputError, match="without light"):
        read_fits_psfs(write_fits(tmp_path / "dark.fits", np.zeros((9, 9))), scale=0.03)


def test_another_sampling_keeps_the_function() -> None:
    psf = galsim.Moffat(3.0, fwhm=0.12)
    coarse = picture(psf.shift(0.02, -0.03), 0.03, 65)[None]
    fine = resample(coarse / coarse.sum(), 0.03, 0.015, name="psf.fits")[0]
    assert fine.shape == (129, 129)
    # the centroid is brought to the centre
    assert np.unravel_index(fine.argmax(), fine.shape) == (64, 64)
    expected = picture(psf, 0.015)
    assert np.abs(fine / fine.sum() - expected / expected.sum()).max() < 0.02 * expected.max()


def test_an_undersampled_function_is_refused() -> None:
    coarse = picture(galsim.Gaussian(fwhm=0.1), 0.12, 33)[None]
    with pytest.raises(InputError, match=r"psf\.fits: picture 0 has .* samples across its full"):
        resample(coarse, 0.12, 0.015, name="psf.fits")


def test_pixels_of_a_star_are_taken_off(tmp_path: Path) -> None:
    psf = galsim.Gaussian(fwhm=0.12)
    star = picture(psf, 0.05, 41, method="auto")
    path = write_fits(tmp_path / "star.fits", star, PIXSCALE=0.05)
    as_told, _ = read_fits_psfs(path)
    without, _ = read_fits_psfs(path, includes_pixel=True)
    assert fwhm_of(as_told, 0.05) > 0.127
    assert fwhm_of(without, 0.05) == pytest.approx(0.12, rel=0.025)
