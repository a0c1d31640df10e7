"""Real images come into the frame of the measurement."""

import numpy as np
import pytest
from astropy.cosmology import Planck18
from PIL import Image


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images"
    path.mkdir()
    return path


def middle(image):
    """Mean position (x, y) of the light in pixels from the edges."""
    rows, columns = np.indices(image.shape) + 0.5
    weight = np.maximum(image, 0)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


def test_pictures_with_side_files(pictures, folder, run):
    write, settings = pictures
    write(folder)
    status, _, images, table = run(folder, **settings)
    assert status == 0
    assert images.shape == (1, 1, 64, 64)
    scale = Planck18.kpc_proper_per_arcmin(0.05).value / 60
    expected = np.hypot(40, 20) * 0.5 * scale
    assert table["separation_projected"][0] == pytest.approx(expected, rel=1e-6)
    assert table["separation_light"][0] == pytest.approx(expected, rel=0.1)
    assert table["image_id"][0] == table["encounter_id"][0] == "real_a"
    assert table["file"][0] == "a.png"
    assert table["redshift"][0] == 0.05
    assert table["pixel_scale"][0] == 120 / 64
    assert table["mass_ratio"][0] == 0.5
    assert table["mass_ratio_low"][0] == pytest.approx(0.2)
    assert table["mass_ratio_high"][0] == 1  # 4e10 against 3e10: either can be the larger
    assert table["masses_within_bounds"][0] == 1
    assert table["covered"][0] == pytest.approx((200 * 0.5 * scale / 120) ** 2, rel=0.02)
    assert table["is_encounter"][0] == 1
    assert np.isnan(table["time_since_pericentre"][0])
    np.testing.assert_allclose(middle(images[0, 0]), 32, atol=0.3)  # centred on the light
    for number, factor in ((1, 1.0), (2, 0.6)):  # and the nuclei are where the columns say
        x, y = (table[f"nucleus_{number}_{axis}"][0] for axis in "xy")
        peak = images[0, 0, int(y), int(x)]
        assert peak == pytest.approx(factor * images.max(), rel=0.2)


def test_the_frame_keeps_surface_brightness_and_scale(pictures, folder, run):
    write, settings = pictures
    write(folder)
    settings["mask_stars"] = False
    for size, width in ((32, 60), (128, 60), (100, 97.7)):
        _, _, images, table = run(folder, "--size", size, "--field-of-view", width, **settings)
        assert images.shape[-1] == size
        scale = Planck18.kpc_proper_per_arcmin(0.05).value / 60
        flux = images.sum() * (width / size) ** 2 / (0.5 * scale) ** 2
        assert flux == pytest.approx(2 * np.pi * 10**2 * (100 + 60), rel=0.05)
        assert images.max() == pytest.approx(100, rel=0.12)
        assert table["field_of_view"][0] == width


def test_centres(pictures, folder, run):
    write, settings = pictures
    write(folder)
    _, _, _, table = run(folder, centre="nuclei", **settings)
    places = [[table[f"nucleus_{n}_{axis}"][0] for axis in "xy"] for n in (1, 2)]
    np.testing.assert_allclose(np.mean(places, axis=0), 32, atol=1e-6)
    _, _, _, table = run(folder, centre="image", **settings)
    scale = Planck18.kpc_proper_per_arcmin(0.05).value / 60 * 0.5 * 64 / 120
    assert table["nucleus_1_x"][0] == pytest.approx(32 + (80.5 - 100) * scale, abs=1e-6)
    assert table["nucleus_1_y"][0] == pytest.approx(32 + (90.5 - 100) * scale, abs=1e-6)


def test_stars_are_taken_out_and_nuclei_and_tails_are_not(pictures, draw, folder, run):
    write, settings = pictures
    pair, blob, _ = draw
    stars = [(30, 30, 200), (170, 60, 150), (100, 75, 120)]  # two apart, one on the galaxies
    tail = blob((200, 200), 130, 175, 14, 12)
    write(folder, "plain", image=pair() + tail)
    write(folder, "stars", image=pair(stars=stars) + tail)
    _, _, images, table = run(folder, "--size", 200, **settings)
    assert table["masked"][1] > table["masked"][0]
    plain, cleaned = images[:, 0]
    assert cleaned.max() == pytest.approx(plain.max(), rel=0.05)
    assert np.abs(cleaned - plain).max() < 0.2 * plain.max()
    _, _, dirty, _ = run(folder, "--size", 200, **{**settings, "mask_stars": False})
    assert np.abs(dirty[1, 0] - dirty[0, 0]).max() > 0.5 * plain.max()
    y = int(table["nucleus_1_y"][0])
    below = plain[y + 20 :, :]  # the tail is far below the first nucleus
    assert below.sum() > 0.5 * dirty[0, 0, y + 20 :, :].sum()


def test_a_nucleus_without_light_is_said_and_guides_nothing(pictures, folder, run):
    write, settings = pictures
    write(folder, px=20, py=180)
    _, said, images, table = run(folder, **settings)
    assert "a: there is no light at one of the stated nuclei" in said
    assert table["nuclei_on_light"][0] == 0
    np.testing.assert_allclose(middle(images[0, 0]), 32, atol=0.3)


def test_a_nucleus_outside_of_the_image(pictures, folder, run):
    write, settings = pictures
    write(folder, sx=900)
    _, said, _, table = run(folder, **settings)
    assert "1 of the stated nuclei lie outside" in said
    assert np.isnan(table["separation_projected"][0])
    assert table["nuclei_in_image"][0] == 1


def test_masses_outside_of_their_bounds_are_said(pictures, folder, run):
    write, settings = pictures
    write(folder, m1=4e9, m2=2e10)
    _, said, _, table = run(folder, **settings)
    assert "a: a mass lies outside of its own bounds" in said
    assert table["masses_within_bounds"][0] == 0
    assert table["mass_ratio"][0] == pytest.approx(0.2)
    assert table["mass_ratio_low"][0] <= 0.2


def test_a_known_stretch_is_undone(pictures, draw, folder, run):
    write, settings = pictures
    pair, _, _ = draw
    linear = pair(sky=0, noise=0) / 100
    write(folder, image=255 * np.arcsinh(3 * linear) / np.arcsinh(3))
    settings |= {"mask_stars": False, "centre": "image"}
    _, _, raw, _ = run(folder, **settings)
    _, _, undone, table = run(folder, lupton_q=float(np.arcsinh(3)), **settings)
    peaks = [
        [
            images[0, 0, int(table[f"nucleus_{n}_y"][0]), int(table[f"nucleus_{n}_x"][0])]
            for n in (1, 2)
        ]
        for images in (raw, undone)
    ]
    assert peaks[1][1] / peaks[1][0] == pytest.approx(0.6, abs=0.05)
    assert peaks[0][1] / peaks[0][0] > 0.7


def test_fits_with_a_table(draw, folder, run):
    pair, _, write_fits = draw
    for name in ("m1", "m2"):
        write_fits(folder / f"{name}.fits", pair(sky=100, noise=0.5), SCALE=250.0)
    text = "id,redshift,x1,y1,x2,y2,mass_ratio,note,pixel_scale\n"
    # in FITS files pixels count from 1 at the bottom: row 90 from the top is number 200 - 90
    text += "m1.fits,0.03,81,110,121,90,0.4,first,9\nm2.fits,0.04,81,110,121,90,,,9\n"
    (folder / "table.csv").write_text(text)
    settings = {
        "pattern": "*.fits",
        "table": str(folder / "table.csv"),
        "pixel_scale": "SCALE",
        "pixel_scale_unit": "pc",
        "redshift": "redshift",
        "nuclei": ["x1", "y1", "x2", "y2"],
    }
    status, _, images, table = run(folder, **settings)
    assert status == 0
    assert images.shape == (2, 1, 64, 64)
    assert table["redshift"].tolist() == [0.03, 0.04]
    np.testing.assert_allclose(table["separation_projected"], np.hypot(40, 20) * 0.25)
    np.testing.assert_array_equal(table["nuclei_on_light"], 1)
    assert table["mass_ratio"][0] == 0.4
    assert np.isnan(table["mass_ratio"][1])
    assert table["note"].tolist() == ["first", ""]
    assert set(table["pixel_scale"]) == {120 / 64}
    assert set(table["table_pixel_scale"]) == {9}


def test_positions_on_the_sky(draw, folder, run):
    pair, _, write_fits = draw
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [100.5, 100.5]
    wcs.wcs.cdelt = [-0.5 / 3600, 0.5 / 3600]
    write_fits(folder / "a.fits", pair(), **dict(wcs.to_header()))
    first, second = wcs.all_pix2world([[80, 199 - 90], [120, 199 - 110]], 0)
    line = ",".join(map(str, [*first, *second]))
    (folder / "t.csv").write_text(f"id,ra1,dec1,ra2,dec2\na,{line}\n")
    _, _, _, table = run(
        folder,
        pattern="*.fits",
        table=str(folder / "t.csv"),
        pixel_scale="CDELT2",
        pixel_scale_unit="deg",
        distance=100,
        nuclei=["ra1", "dec1", "ra2", "dec2"],
        nuclei_unit="deg",
    )
    assert table["nuclei_on_light"][0] == 1
    arcsec = 100e3 * np.pi / 648000
    expected = np.hypot(40, 20) * 0.5 * arcsec
    assert table["separation_projected"][0] == pytest.approx(expected, rel=1e-4)
    assert np.isnan(table["redshift"][0])


def test_magnitudes_in_bands(draw, folder, run):
    pair, _, write_fits = draw
    flux = np.maximum(pair(sky=0, noise=0), 0)
    flux[flux < 0.5] = 0
    with np.errstate(divide="ignore"):
        for band, factor in (("g", 1.0), ("i", 3.0)):
            write_fits(
                folder / f"{band}_a.fits", 22.5 - 2.5 * np.log10(factor * flux), CDELT1=500.0
            )
    settings = {
        "pattern": "{band}_{id}.fits",
        "bands": ["g", "i"],
        "pixels": "magnitudes",
        "pixel_scale": "CDELT1",
        "pixel_scale_unit": "pc",
        "subtract_sky": False,
    }
    _, _, one, _ = run(folder, **settings)
    _, _, both, _ = run(folder, "--channels", "g", "i", **settings)
    assert both.shape == (1, 2, 64, 64)
    np.testing.assert_allclose(both[:, 1], 3 * both[:, 0], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one[:, 0], both.mean(axis=1), rtol=1e-3, atol=1e-3)
    assert np.isfinite(one).all()


def models(*rows):
    lines = []
    for name, (mass1, mass2, time, distance) in rows:
        values = [0.0] * 34
        values[6], values[7], values[26], values[27] = mass1, mass2, time, distance
        lines.append(f"{name}\t" + ",".join(map(str, values)))
    return "\n".join(lines)


def test_encounter_models(pictures, folder, run):
    write, settings = pictures
    write(folder)
    write(folder, "b")
    text = models(
        ("one,0.9,9,10", (1.0, 0.5, -2.0, 0.5)),
        ("two,0.8,8,10", (0.5, 1.0, -1.0, 0.5)),
        ("three,0.1,1,10", (1.0, 0.1, -9.0, 2.0)),
        ("unscored", (1.0, 0.1, -9.0, 2.0)),
    )
    (folder / "a.txt").write_text(text)
    _, _, _, table = run(folder, encounter_models="{id}.txt", best_models=2, **settings)
    assert table["model_count"].tolist() == [2, 0]
    assert table["model_score"][0] == 0.8
    assert table["model_time"][0] == pytest.approx(1.5 * 86.62, rel=1e-3)
    assert table["model_time_low"][0] < table["model_time"][0] < table["model_time_high"][0]
    assert table["model_mass_ratio"][0] == 0.5
    assert table["model_pericentre"][0] == 7.5
    assert np.isnan(table["model_time"][1])


BAD = {
    "no redshift": ({"z": None}, "no value 'z' in a.meta, which `redshift` names"),
    "no number": ({"z": "unknown"}, "z = 'unknown' in a.meta is not a number"),
    "no distance": ({"z": -0.001}, "redshift -0.001 in a.meta gives no distance"),
    "no scale": ({"scale": 0}, "pixel_scale scale in a.meta is zero"),
    "no nucleus": ({"sy": None}, "no value 'sy' in a.meta, which `nuclei` names"),
    "no mass": ({"m1": -5}, "m1 = -5 is not a mass"),
    "bounds": ({"m1low": 9e10}, "m1low is above m1high"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_values_reject_one_image(fault, pictures, folder, run):
    write, settings = pictures
    meta, reason = BAD[fault]
    write(folder, **meta)
    write(folder, "b")
    status, said, images, _ = run(folder, **settings)
    assert status == 0
    assert len(images) == 1
    assert f"a: {reason} (rejected)" in said


def test_bad_files_reject_one_image(pictures, folder, run):
    write, settings = pictures
    for name in "abcdef":
        write(folder, name)
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:500])
    (folder / "b.meta").unlink()
    Image.new("L", (200, 200), 0).save(folder / "c.png")
    (folder / "d.txt").write_text("one,0.5\t1,2,3\n")
    (folder / "e.txt").write_text("")
    status, said, images, _ = run(folder, encounter_models="{id}.txt", **settings)
    assert status == 0
    assert len(images) == 1
    for line in (
        "a: unreadable",
        "b: b.meta is missing beside it",
        "c: there is no light above the sky",
        "d: d.txt: line 1 has 3 numbers, not 34",
        "e: e.txt: no encounter model with a score",
    ):
        assert line in said


def test_nothing_left_is_an_error(pictures, folder, run):
    write, settings = pictures
    write(folder, z=None)
    status, said, _, _ = run(folder, **settings)
    assert status == 1
    assert "none of 1 images can be used" in said
    assert "a.png: no value 'z'" in said
    status, said, _, _ = run(folder, **{**settings, "pattern": "*.fits"})
    assert status == 1
    assert "no image that matches pattern '*.fits'" in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"redshift": None}, "pixel_scale is an angle"),
        ({"pattern": "{band}_{id}.png"}, "bands"),
        ({"bands": ["g"]}, "bands"),
        ({"masses": None}, "mass_bounds needs masses"),
        ({"centre": "nuclei", "nuclei": None}, "name their values in `nuclei`"),
    ],
)
def test_impossible_settings(pictures, folder, run, settings, said):
    write, given = pictures
    write(folder)
    status, text, _, _ = run(folder, **{**given, **settings})
    assert status == 1
    assert said in text


def test_channels_that_do_not_fit(pictures, folder, run):
    write, settings = pictures
    write(folder)
    status, said, _, _ = run(folder, "--channels", "g", "r", **settings)
    assert status == 1
    assert "wrong number of channels: 1, not 2 (g, r)" in said
