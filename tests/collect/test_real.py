"""Collect real images, and find in them what is known of them."""

import numpy as np
import pytest
from astropy.io import fits


def test_efigi(real_data, run):
    folder = real_data / "efigi"
    out = run(
        folder / "images",
        table=str(folder / "attributes.csv"),
        table_id="PGCname",
        columns=["T", "Inclination"],
        bands=["i", "r", "g"],
        size=64,
    )
    assert out.images.shape == (3017, 3, 64, 64)
    assert out.images.dtype == np.uint8
    assert np.isnan(out.table["T"]).sum() == 33
    assert out.rejects == []
    red = out.images[:, 0].mean(axis=(1, 2)) / out.images[:, 2].mean(axis=(1, 2))
    early, late = out.table["T"] < -2, out.table["T"] > 6
    assert np.median(red[early]) > np.median(red[late]) + 0.2  # ellipticals are red, Sd are blue


def test_stripe82(real_data, run):
    out = run(
        real_data / "stripe82",
        name_columns=r"ra(?P<ra>[-+.\d]+)_dec(?P<dec>[-+.\d]+)\.jpg",
        fit="object",
        object_scale=1.35,
        object_smallest=48,
        subtract_sky=True,
        limit=300,
    )
    assert len(out.ids) == 300
    assert np.isfinite(out.table["ra"]).all()
    assert np.abs(out.table["dec"]).max() < 1.3  # the stripe is 2.5 degrees wide
    assert (out.table["crop_width"] >= 48).all()
    assert np.median(out.images[:, :, 0, :]) < 10


def test_bands_of_a_simulated_merger_in_magnitudes(real_data, run):
    out = run(
        real_data / "realsim_merger",
        pattern="photo_{band}_{id}.fits",
        bands=["i", "r", "g"],
        magnitudes=True,
        size=128,
    )
    assert len(out.ids) == 2
    assert out.attributes["unit"] == "nanomaggy"
    assert np.isfinite(out.images).all()
    assert (out.images >= 0).all()
    centre = out.images[:, :, 32:96, 32:96].sum(axis=(2, 3))
    assert (centre > 0.5 * out.images.sum(axis=(2, 3))).all()


def test_hst_galaxies_are_hdus_of_one_file(real_data, run):
    path = real_data / "cosmos" / "real_galaxy_images_extension.fits"
    out = run(path, hdu="each", fit="pad", size=64)
    assert len(out.ids) + len(out.rejects) == 100
    assert len(out.ids) > 90
    with fits.open(path) as hdus:
        first = hdus[0].data
    assert out.images[0, 0].max() == pytest.approx(first.max())
    assert out.rejects == []


def test_pictures_of_merging_pairs_in_folders(real_data, run):
    out = run(real_data / "galaxy_zoo_mergers", colour="rgb", pattern="*/*.png", size=64)
    assert len(out.ids) + len(out.rejects) == 15
    assert out.images.shape[1:] == (3, 64, 64)
