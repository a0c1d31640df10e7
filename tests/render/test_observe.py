"""Mock observations: flux, seeing, noise and their independence of the order of work."""

from __future__ import annotations

import numpy as np
import pytest

from factories_galaxies import galaxy
from morphosphere.config.render import SURVEYS as NAMES
from morphosphere.config.render import CameraSettings, ObservationSettings, RenderSettings
from morphosphere.render.galaxy import render_galaxy
from morphosphere.render.observe import psf_image, telescope_of
from morphosphere.render.surveys import SURVEYS
from morphosphere.stellar_populations import luminosities


def _settings(**observation):
    return RenderSettings(
        size=48,
        cameras=CameraSettings(isotropic=2),
        observation=ObservationSettings(**{"pixel_scale": 1.0, **observation}),
    )


def _observe(one, settings, seed=42):
    telescope = telescope_of(settings.observation, settings.channels)
    return render_galaxy(one, settings, seed=seed, source="test", telescope=telescope)


def test_apparent_flux_is_that_of_the_distance():
    one = galaxy(scale=0.3)
    stars = one.components["stars"]
    pictures = _observe(one, _settings(distance=30.0, noise=False))
    light = luminosities(
        list("irg"),
        age=stars["age"],
        metallicity=stars["metallicity"],
        initial_mass=stars["initial_mass"],
    ).sum(axis=0)
    apparent = -2.5 * np.log10(light) + 5 * np.log10(30e6 / 10)
    found = 22.5 - 2.5 * np.log10(pictures.images.sum(axis=(2, 3)))
    # the wings of the point spread function reach out of the picture
    np.testing.assert_allclose(found, np.broadcast_to(apparent, (2, 3)), atol=0.03)
    assert pictures.images.shape == (2, 3, 48, 48)
    kpc = 30e3 * np.pi / 180 / 3600
    assert pictures.table["pixel_scale"][0] == pytest.approx(kpc)
    assert pictures.table["field_of_view"][0] == pytest.approx(48 * kpc)


def test_seeing_is_a_convolution_that_keeps_flux():
    one = galaxy(scale=0.3)
    sharp = _observe(one, _settings(distance=30.0, noise=False, psf="none")).images
    blurred = _observe(one, _settings(distance=30.0, noise=False, seeing=4.0)).images
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=0.03)
    assert blurred.max() < 0.6 * sharp.max()


@pytest.mark.parametrize("kind", ["moffat", "gaussian"])
def test_point_spread_function_has_its_width(kind):
    image = psf_image(kind, 2.0, 3.5, 0.25, 40)
    assert image.shape == (81, 81)
    assert image.sum() == pytest.approx(1)
    profile = image[40] / image[40, 40]
    assert profile[44] == pytest.approx(0.5, abs=0.02)  # half of the width is four pixels


def test_noise_is_that_of_the_sky_and_differs_between_images_and_bands():
    settings = _settings(survey="LSST", redshift=2.0, pixel_scale=0.2, psf="none")
    images = _observe(galaxy(stars=1, gas=0), settings).images.astype(np.float64)
    for c, band in enumerate("irg"):
        expected = SURVEYS["LSST"].bands[band].sky_noise * 0.2
        assert images[:, c].std() == pytest.approx(expected, rel=0.1)
        assert abs(images[:, c].mean()) < 0.1 * expected
    flat = images.reshape(6, -1)
    assert np.abs(np.corrcoef(flat) - np.eye(6)).max() < 0.1


def test_noise_depends_on_seed_and_image_alone():
    settings = _settings(survey="SDSS", redshift=0.05)
    first = _observe(galaxy(1), settings).images
    _observe(galaxy(2), settings)
    np.testing.assert_array_equal(_observe(galaxy(1), settings).images, first)
    assert np.abs(_observe(galaxy(1), settings, seed=7).images - first).max() > 0


def test_photon_noise_grows_with_the_light():
    settings = _settings(survey="SDSS", distance=5.0, psf="none")
    clean = _observe(galaxy(scale=0.1), _settings(distance=5.0, psf="none", noise=False)).images
    noisy = _observe(galaxy(scale=0.1), settings).images
    bright = clean[:, 1] > np.percentile(clean[:, 1], 98)
    band = SURVEYS["SDSS"].bands["r"]
    expected = np.sqrt((clean[:, 1][bright] / band.electrons + band.sky_noise**2).mean())
    assert (noisy - clean)[:, 1][bright].std() == pytest.approx(expected, rel=0.25)


def test_sdss_sky_noise_is_that_of_corrected_frames():
    # corrected r frames have a sky noise of 0.02 to 0.035 nanomaggies per pixel
    assert 0.02 < SURVEYS["SDSS"].bands["r"].sky_noise * 0.396 < 0.035
    # LSST's ten years reach r = 27.5 at five sigma for point sources (Ivezic et al. 2019)
    lsst = SURVEYS["LSST"].bands["r"]
    depth = 22.5 - 2.5 * np.log10(5 * lsst.sky_noise * np.sqrt(2.27) * lsst.seeing)
    assert depth == pytest.approx(27.5, abs=0.3)


def test_the_configuration_and_the_surveys_agree():
    assert {name: "".join(one.bands) for name, one in SURVEYS.items()} == NAMES
