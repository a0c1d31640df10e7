"""Galaxy Zoo: Mergers and a simulated merger in mock filters, through the same settings."""

import numpy as np

ZOO = {
    "pattern": "{id}/*.jpg",
    "side_files": [".meta", ".pair"],
    "pixel_scale": "scale",
    "redshift": "pz",
    "nuclei": ["px", "py", "sx", "sy"],
    "masses": ["primaryMass", "secondaryMass"],
    "mass_bounds": ["primaryMassMin", "primaryMassMax", "secondaryMassMin", "secondaryMassMax"],
    "encounter_models": "{id}.txt",
}


def test_galaxy_zoo(real_data, run):
    status, said, images, table = run(real_data / "galaxy_zoo_mergers", **ZOO)
    assert status == 0
    assert images.shape == (15, 1, 64, 64)
    assert np.isfinite(images).all()
    assert ((table["redshift"] > 0.005) & (table["redshift"] < 0.05)).all()
    assert ((table["separation_projected"] > 5) & (table["separation_projected"] < 50)).all()
    assert ((table["mass_ratio"] > 0) & (table["mass_ratio"] <= 1)).all()
    assert (table["mass_ratio_low"] <= table["mass_ratio"]).all()
    assert (table["mass_ratio_high"] >= table["mass_ratio"]).all()
    # five pairs state masses outside of their own bounds, one a centre where the sky is empty
    assert (table["masses_within_bounds"] == 0).sum() == 5
    dark = table["nuclei_on_light"] == 0
    assert table["image_id"][dark].tolist() == ["real_587739153356095531"]
    assert "587739153356095531: there is no light" in said
    assert (table["model_count"] == 0).sum() == 1  # Arp 65 has no encounter models
    known = table["model_count"] > 0
    assert (table["model_time"][known] < 1000).all()
    for axis in "xy":
        for number in (1, 2):
            place = table[f"nucleus_{number}_{axis}"]
            assert ((place > 0) & (place < 64)).all()
    ratio = table["separation_light"] / table["separation_projected"]
    assert (np.abs(ratio - 1) < 0.1).sum() >= 11  # in the others a bright star is left
    light = np.maximum(images[:, 0], 0)
    rows, columns = np.indices((64, 64)) + 0.5
    for picture in light[~dark]:
        assert abs((picture * rows).sum() / picture.sum() - 32) < 6
        assert abs((picture * columns).sum() / picture.sum() - 32) < 6


def test_a_merger_in_mock_filters(real_data, run):
    status, said, images, table = run(
        real_data / "realsim_merger",
        pattern="photo_{band}_{id}.fits",
        bands=["g", "r", "i"],
        pixels="magnitudes",
        pixel_scale="CDELT1",
        pixel_scale_unit="pc",
        redshift="REDSHIFT",
        nuclei=["XBH1", "YBH1", "XBH2", "YBH2"],
        nuclei_unit="kpc",
        subtract_sky=False,
        mask_stars=False,
    )
    assert status == 0
    assert images.shape == (2, 1, 64, 64)
    assert (images >= 0).all()
    np.testing.assert_allclose(table["redshift"], 0.046)
    np.testing.assert_allclose(table["covered"], (50 / 120) ** 2, atol=0.01)
    # the header puts the second black hole 68 and 62 kpc away, outside of an image of 50 kpc
    assert table["nuclei_in_image"].tolist() == [1, 1]
    assert np.isnan(table["separation_projected"]).all()
    # but the image shows two nuclei, where one sees them
    np.testing.assert_allclose(table["separation_light"], [15.6, 11.6], atol=0.5)
    assert said.count("1 of the stated nuclei lie outside of the image") == 2
