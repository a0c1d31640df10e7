"""The page's arithmetic against Python's: transform, posterior, cosmology, FITS, half floats."""

from __future__ import annotations

import base64
import dataclasses
import io

import numpy as np
import pytest
from astropy.cosmology import Planck18
from astropy.io import fits

from factories_merger_page import LABELS
from morphosphere.artefacts.transform import Transform
from morphosphere.posterior import Label, probabilities
from morphosphere.views import VIEWS, view


def image_of(array: np.ndarray) -> dict:
    """As the page has images; values that JSON lacks are text."""
    channels, height, width = array.shape
    data = [float(v) if np.isfinite(v) else str(v) for v in array.ravel()]
    return {"channels": channels, "height": height, "width": width, "data": data}


NUMBERS = (
    "const text = { nan: NaN, inf: Infinity, '-inf': -Infinity };\n"
    "const image = (i) => ({ ...i, data: Float32Array.from(i.data, (v) => text[v] ?? v) });\n"
)


@pytest.mark.parametrize("stretch", ["linear", "sqrt", "asinh", "log"])
@pytest.mark.parametrize(
    ("shape", "size", "crop", "scale", "percentile"),
    [
        ((1, 32, 32), 32, 1.0, "image", 99.5),
        ((1, 75, 51), 24, 0.77, "image", 97.3),
        ((3, 20, 20), 48, 1.0, "fixed", 99.5),
        ((3, 31, 40), 16, 0.5, "image", 100.0),
    ],
)
def test_the_transform_is_that_of_python(javascript, stretch, shape, size, crop, scale, percentile):
    random = np.random.default_rng(len(stretch) + size)
    array = random.gamma(0.4, 300, shape).astype(np.float32) - 20
    array[0, 3, 4:7] = np.nan, np.inf, -np.inf
    transform = Transform(
        channels=tuple("irg"[: shape[0]]),
        size=size,
        crop=crop,
        scale=scale,
        percentile=percentile,
        value=255.0,
        stretch=stretch,
        softening=0.03,
    )
    expected = transform(array[None])[0]
    found = javascript(
        "transform",
        NUMBERS + "return [...transform.transformed(given.t, image(given.i)).data];",
        {"t": dataclasses.asdict(transform), "i": image_of(array)},
    )
    assert expected.std() > 0.05
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, atol=2e-6)


@pytest.mark.parametrize("array", [np.zeros((1, 8, 8)), np.eye(8)[None] * 0 - 5])
def test_dark_images_stay_dark_in_both(javascript, array):
    transform = Transform(channels=("a",), size=8, scale="image", stretch="asinh")
    found = javascript(
        "transform",
        NUMBERS + "return [...transform.transformed(given.t, image(given.i)).data];",
        {"t": dataclasses.asdict(transform), "i": image_of(array.astype(np.float32))},
    )
    assert found == transform(array[None].astype(np.float32)).ravel().tolist() == [0.0] * 64


def test_another_number_of_channels_is_an_error(javascript):
    said = javascript(
        "transform",
        NUMBERS + "try { transform.transformed(given.t, image(given.i)); } "
        "catch (error) { return error.message; }",
        {
            "t": dataclasses.asdict(Transform(channels=("i", "r", "g"), size=4)),
            "i": image_of(np.ones((1, 4, 4), np.float32)),
        },
    )
    assert said == "The image has 1 channel, the network was trained on 3 (i, r, g)."


def test_the_eight_versions_are_the_views_of_python(javascript):
    array = np.arange(2 * 5 * 5, dtype=np.float32).reshape(2, 5, 5)
    found = javascript(
        "turns", NUMBERS + "return [...turns.allTurned(image(given))];", image_of(array)
    )
    ours = {tuple(part) for part in np.reshape(found, (VIEWS, -1))}
    assert ours == {tuple(np.ascontiguousarray(view(array, k)).ravel()) for k in range(VIEWS)}
    assert found[: array.size] == array.ravel().tolist()


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
def test_quantiles_and_probabilities_are_those_of_python(javascript, label):
    said = np.sort(np.random.default_rng(1).uniform(0, 1, 9)).tolist()
    knots = ((0, *said, 1), tuple(np.linspace(0, 1, 11).tolist()))
    label = dataclasses.replace(label, recalibration=knots)
    views = np.random.default_rng(2).normal(0, 3, (VIEWS, 64)).astype(np.float32)
    wanted = [0.5, 0.16, 0.84, 0.025, 0.975, 0.7]
    p = probabilities([v[None] for v in views], label.temperature)
    found = javascript(
        "posterior",
        "const p = posterior.probabilities(given.views, given.label.temperature);\n"
        "const one = new posterior.Posterior(given.label, p);\n"
        "return { p: [...p], q: given.wanted.map((w) => one.quantile(w)), named: one.quantiles,"
        " below: given.at.map((x) => one.below(x)) };",
        {
            "views": views.tolist(),
            "label": dataclasses.asdict(label),
            "wanted": wanted,
            "at": (at := label.value(np.linspace(0.05, 0.95, 9)).tolist()),
        },
    )
    np.testing.assert_allclose(found["p"], p[0], rtol=1e-9)
    np.testing.assert_allclose(found["q"], label.quantiles(p, wanted)[0], rtol=1e-9)
    assert found["named"]["high95"] == found["q"][4]
    ranks = [label.rank(p, np.array([x]))[0] for x in at]
    np.testing.assert_allclose(found["below"], ranks, rtol=1e-9)


def test_a_posterior_of_one_bin_is_read_as_in_python(javascript):
    label = Label("mass_ratio", 0.1, 1, "log10")
    p = np.zeros((1, 16))
    p[0, 5] = 1
    found = javascript(
        "posterior",
        "return new posterior.Posterior(given.label, Float64Array.from(given.p)).quantiles;",
        {"label": dataclasses.asdict(label), "p": p[0].tolist()},
    )
    names = ["median", "low68", "high68", "low95", "high95"]
    expected = label.quantiles(p, [0.5, 0.16, 0.84, 0.025, 0.975])[0]
    np.testing.assert_allclose([found[n] for n in names], expected, rtol=1e-9)


def test_kpc_per_arcsecond_are_those_of_planck_2018(javascript):
    redshifts = [0.002, 0.03, 0.2, 0.5, 1.0, 2.5, 6.0]
    found = javascript("scale", "return given.map((z) => scale.kpcPerArcsec(z));", redshifts)
    expected = Planck18.kpc_proper_per_arcmin(redshifts).value / 60
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_half_floats_are_read_as_they_were_written(javascript):
    values = np.array([0, -0.0, 1, -2.5, 6e-8, 1e-4, 65504, 0.1], dtype="<f2")
    bits = values.view("<u2").tolist()
    found = javascript("library", "return [...library.fromHalf(given)];", bits)
    assert found == values.astype(float).tolist()


READ = (
    "const bytes = Uint8Array.from(Buffer.from(given, 'base64'));\n"
    "try { const r = fits.readFits(bytes.buffer);"
    " return { ...r, planes: r.planes.map((p) => Array.from(p, String)) }; }"
    " catch (error) { return { said: error.message }; }"
)


def written(*parts: fits.hdu.base._BaseHDU) -> bytes:
    out = io.BytesIO()
    fits.HDUList(list(parts)).writeto(out)
    return out.getvalue()


def read(javascript, data: bytes) -> dict:
    return javascript("fits", READ, base64.b64encode(data).decode())


@pytest.mark.parametrize("kind", ["u1", ">i2", ">u2", ">i4", ">i8", ">f4", ">f8"])
def test_fits_images_of_all_kinds_are_read(javascript, kind):
    array = (np.arange(7 * 5).reshape(7, 5) % 251).astype(kind)
    found = read(javascript, written(fits.PrimaryHDU(array)))
    assert (found["width"], found["height"]) == (5, 7)
    assert np.array_equal(np.array(found["planes"][0], float).reshape(7, 5), array[::-1])


def test_fits_with_scale_blank_nan_cube_and_extension(javascript):
    scaled = fits.PrimaryHDU(np.array([[1, 2], [3, -99]], dtype=">i2"))
    scaled.header.update({"BSCALE": 2.0, "BZERO": 10.0, "BLANK": -99})
    data = bytearray(written(fits.PrimaryHDU(np.array([[1, 2], [3, -99]], dtype=">i2"))))
    cards = "BSCALE  =                  2.0".ljust(80) + "BZERO   =               1.0D+1".ljust(80)
    cards += "BLANK   =                  -99".ljust(80) + "END".ljust(80)
    end = data.index(b"END" + b" " * 77)
    data[end : end + 320] = cards.encode()
    assert read(javascript, bytes(data))["planes"] == [["16", "NaN", "12", "14"]]

    cube = np.arange(3 * 4 * 4, dtype=">f4").reshape(3, 4, 4)
    cube[1, 0, 0] = np.nan
    later = fits.ImageHDU(cube)
    later.header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -1e-4, "CD2_2": 1e-4})
    later.header["REDSHIFT"] = 0.05
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(9))])
    found = read(javascript, written(fits.PrimaryHDU(), table, later))
    assert len(found["planes"]) == 3
    assert found["planes"][1][12] == "NaN"
    assert found["arcsec"] == pytest.approx(0.36)
    assert found["redshift"] == 0.05


def test_bad_fits_files_are_named(javascript):
    good = written(fits.PrimaryHDU(np.ones((40, 40), ">f4")))
    assert "cut short" in read(javascript, good[:2880] + good[2880:4000])["said"]
    assert "no end" in read(javascript, b"SIMPLE  =".ljust(2880))["said"]
    assert "holds no image" in read(javascript, written(fits.PrimaryHDU()))["said"]
    packed = written(fits.PrimaryHDU(), fits.CompImageHDU(np.ones((40, 40), ">i2")))
    assert "unpack it first" in read(javascript, packed)["said"]
    deep = written(fits.PrimaryHDU(np.ones((20, 4, 4), ">f4")))
    assert "cube of 20 planes" in read(javascript, deep)["said"]


CUT = (
    NUMBERS + "const i = image(given.i); const box = given.box;\n"
    "try { const r = cut.cut(i, [i.data], box, given.size);"
    " return { faults: r.faults, side: r.image.width, data: [...r.image.data] }; }"
    " catch (error) { return { said: error.message }; }"
)


def test_the_cut_takes_off_the_sky_and_fills_up_with_it(javascript):
    array = np.full((1, 40, 40), 7.0, np.float32)
    array[0, 15:25, 18:22] += np.arange(40).reshape(10, 4)
    given = {"i": image_of(array), "box": {"x": 20, "y": 30, "side": 32}, "size": 32}
    found = javascript("cut", CUT, given)
    expected = np.zeros((32, 32))
    expected[:26] = array[0, 14:, 4:36] - 7
    assert np.array_equal(np.reshape(found["data"], (32, 32)), expected)
    given["box"] = {"x": 20, "y": 40, "side": 32}
    found = javascript("cut", CUT, given)
    assert found["faults"] == [
        "50 % of the square lies outside the image and is taken for empty sky."
    ]


def noisy(size: int = 40) -> np.ndarray:
    random = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    light = 200 * np.exp(-np.hypot(x - size / 2, y - size / 2) / 4)
    return (random.normal(0, 1, (1, size, size)) + light).astype(np.float32)


def blank(share: float) -> np.ndarray:
    array = noisy()
    array[0, : round(share * 40)] = np.nan
    return array


@pytest.mark.parametrize(
    ("array", "side", "said"),
    [
        (
            np.full((1, 40, 40), 3, np.float32),
            40,
            "Every pixel of the square has the same value (3)",
        ),
        (np.full((1, 40, 40), np.nan, np.float32), 40, "No pixel of the square has a value"),
        (blank(0.75), 40, "75 % of the pixels of the square have no value (NaN)"),
        (blank(0.1), 40, "10 % of the pixels of the square have no value (NaN) and are taken"),
        (-noisy(), 40, "The sky is brighter than what lies on it"),
        (np.minimum(noisy(), 60), 40, "of the square is saturated: the brightest parts are lost"),
        (np.minimum(noisy(), 4), 40, "of the square is saturated: nothing can be told"),
        (noisy(), 9, "only 9 pixels wide here: at least 16 are needed"),
        (noisy(), 1000, "lies outside the image, or the image is far smaller"),
        (noisy(), 1e9, "far wider than the image: check the scale"),
        (noisy(), 20, "only 20 pixels wide; the network was trained on 64"),
    ],
)
def test_bad_pixels_are_said_in_words(javascript, array, side, said):
    given = {"i": image_of(array), "box": {"x": 20, "y": 20, "side": side}, "size": 64}
    found = javascript("cut", CUT, given)
    assert said in found.get("said", " ".join(found.get("faults", [])))


def test_the_centre_of_light_is_found(javascript):
    array = np.roll(noisy(60), (7, -9), axis=(1, 2))
    found = javascript(
        "cut",
        NUMBERS + "const i = image(given); const box = { x: 30, y: 30, side: 44 };\n"
        "return cut.centreOfLight(i, i.data, box);",
        image_of(array),
    )
    assert found["x"] == pytest.approx(21.5, abs=1.5)
    assert found["y"] == pytest.approx(37.5, abs=1.5)
    assert found["side"] == 44


def test_a_stretched_picture_becomes_light_again(javascript):
    light = np.random.default_rng(3).uniform(0, 1, (3, 50))
    mean = light.mean(axis=0)
    picture = light * np.arcsinh(8 * mean) / 8 / mean * 255
    found = javascript(
        "files",
        "return files.unstretched(given.map((p) => Float32Array.from(p))).map((p) => [...p]);",
        picture.tolist(),
    )
    ratio = np.array(found) / light
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)


def test_stars_around_are_found_and_hidden_but_not_the_second_galaxy(javascript):
    y, x = np.mgrid[:120, :120] + 0.5
    light = np.random.default_rng(1).normal(0, 0.5, (120, 120))
    for cx, cy, width, peak in ((60, 60, 6, 100), (92, 66, 5, 60)):
        light += peak * np.exp(-np.hypot(x - cx, y - cy) / width)
    alone = light.copy()
    stars = [(20, 30), (100, 110), (60, 12)]
    for cx, cy in stars:
        light += 80 * np.exp(-0.5 * np.hypot(x - cx, y - cy) ** 2 / 1.5**2)
    given = {"i": image_of(light[None].astype(np.float32)), "box": {"x": 60, "y": 60, "side": 120}}
    found = javascript(
        "stars, cut",
        NUMBERS + "const i = image(given.i); const circles = stars.apart(i);\n"
        "return { circles, data: [...cut.cut(i, [i.data], given.box, 32, circles).image.data] };",
        given,
    )
    assert len(found["circles"]) == len(stars)
    for cx, cy in stars:
        assert min(np.hypot(c["x"] - cx, c["y"] - cy) for c in found["circles"]) < 1.5
    assert np.abs(np.reshape(found["data"], (120, 120)) - alone).max() < 4


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([100, 300, 500], [100, 300, 500]),
        ([100, 110, 500], [55, 155, 500]),
        ([0, 10, 20], [50, 150, 250]),
        ([590, 595, 600], [350, 450, 550]),
    ],
)
def test_moments_are_moved_apart_as_little_as_can_be(javascript, wanted, expected):
    assert javascript("film", "return film.spread(given, 100, 600);", wanted) == expected
