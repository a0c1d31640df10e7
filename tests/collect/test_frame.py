import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from morphosphere.artefacts.transform import central_crop, resample
from morphosphere.collect.fault import Fault
from morphosphere.collect.frame import fit
from morphosphere.collect.objects import border_level, central_object
from morphosphere.config.collect import SurveySettings


def survey(**changes):
    return SurveySettings(path="x", **{"size": 16, "min_side": 1, **changes})


def disc(side=100, x=50.0, y=50.0, scale=8.0, flux=100.0, noise=1.0, ratio=1.0, seed=0):
    """An exponential disc on noise, in pixels from the left and top edge."""
    column, row = np.arange(side) + 0.5 - x, (np.arange(side) + 0.5 - y) / ratio
    image = flux * np.exp(-np.hypot(column[None, :], row[:, None]) / scale)
    return (image + np.random.default_rng(seed).normal(0, noise, image.shape)).astype("f4")


@pytest.mark.parametrize("side", [40, 16, 11, 57])
@pytest.mark.parametrize("crop", [1.0, 0.63])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_resampled_as_numbers_are(galaxies, side, crop, channels):
    picture = np.asarray(Image.fromarray(galaxies[2]).resize((side, side))).transpose(2, 0, 1)
    picture = picture[:channels]
    as_picture, _ = fit(picture, survey(crop=crop))
    as_numbers, _ = fit(picture.astype("f4"), survey(crop=crop))
    assert as_picture.dtype == np.uint8
    assert np.abs(as_picture - as_numbers).max() <= 1.01
    cut = resample(central_crop(picture.astype("f4"), crop), 16)
    edge = 2 if crop < 1 else 0  # pixels beyond the cut count at its edge: they are known
    inner = (slice(None), slice(edge, 16 - edge), slice(edge, 16 - edge))
    if side == 16 or crop == 1 or side > 16 / crop:
        np.testing.assert_allclose(as_numbers[inner], cut[inner], rtol=1e-4, atol=1e-3)


@given(
    image=hnp.arrays(
        np.float32,
        st.tuples(st.just(1), st.integers(1, 20), st.integers(1, 20)),
        elements=st.floats(-(2.0**100), 2.0**100, width=32)
        | st.sampled_from([np.nan, np.inf, -np.inf]),
    ),
    how=st.sampled_from(["resample", "pad", "object"]),
    sky=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_any_numbers_become_an_image_or_a_fault(image, how, sky):
    try:
        out, facts = fit(image, survey(fit=how, subtract_sky=sky))
    except Fault:
        return
    assert out.shape == (1, 16, 16)
    assert 0 <= facts["bad_pixels"] < 1


@pytest.mark.parametrize(("height", "width"), [(30, 50), (50, 30), (31, 51)])
def test_images_that_are_not_square_are_cut_around_the_centre(height, width):
    image = np.random.default_rng(0).random((1, height, width)).astype("f4")
    image[0, height // 2, width // 2] = 50
    out, _ = fit(image, survey())
    row, column = np.unravel_index(out[0].argmax(), (16, 16))
    assert abs(row - 7.5) <= 0.5
    assert abs(column - 7.5) <= 0.5


@pytest.mark.parametrize("side", [16, 17, 40])
def test_crop_keeps_pixels_as_they_are(side):
    image = np.random.default_rng(0).random((2, side, side)).astype("f4")
    out, _ = fit(image, survey(fit="crop"))
    low = (side - 16) // 2
    np.testing.assert_array_equal(out, image[:, low : low + 16, low : low + 16])


def test_crop_refuses_images_that_are_too_small(tmp_path, run):
    for side in (15, 16):
        fits.PrimaryHDU(disc(side, 8, 8)).writeto(tmp_path / f"{side}.fits")
    out = run(tmp_path, fit="crop")
    assert out.ids == ["16"]
    assert out.reasons == {"15": "too small: 15 x 15 pixels for a crop of 16"}


@pytest.mark.parametrize(("height", "width"), [(9, 9), (10, 30), (30, 10), (16, 16), (40, 40)])
def test_pad_puts_small_images_on_their_sky(height, width):
    image = 5 + 0.01 * np.random.default_rng(0).random((1, height, width)).astype("f4")
    image[0, height // 2, width // 2] = 50
    out, _ = fit(image, survey(fit="pad"))
    assert out.shape == (1, 16, 16)
    assert (out == 50).sum() == 1
    np.testing.assert_allclose(out[out != 50], 5, atol=0.02)


def test_sky_is_the_level_of_the_border_without_stars():
    image = disc(noise=2) + 30
    image[3, 3:20] += 1000
    level, scatter = border_level(image)
    assert level == pytest.approx(30, abs=0.3)
    assert scatter == pytest.approx(2, rel=0.1)
    image[:5] = np.nan
    level, _ = border_level(np.nan_to_num(image), np.isfinite(image))
    assert level == pytest.approx(30, abs=0.3)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_sky_is_subtracted_in_each_channel(dtype):
    image = np.stack([disc() + 30, disc() + 60])
    out, _ = fit(np.clip(np.rint(image), 0, 255).astype(dtype), survey(subtract_sky=True))
    corner = out[:, :3, :3]
    assert np.abs(corner).mean() < 1
    assert out.max() > 40


def test_magnitudes_become_fluxes():
    image = np.full((1, 16, 16), 22.5, dtype="f4")
    image[0, 0, :4] = [20.0, np.inf, np.nan, -np.inf]
    out, facts = fit(image, survey(magnitudes=True))
    np.testing.assert_allclose(out[0, 0, :5], [10, 0, np.nan, np.nan, 1], rtol=1e-5)
    assert facts["bad_pixels"] == 2 / 256


@pytest.mark.parametrize("side", [60, 100, 333])
def test_the_object_is_found_at_any_size_of_image(side):
    found = central_object(disc(side, 0.53 * side, 0.48 * side, scale=0.05 * side))
    assert found.x == pytest.approx(0.53 * side, abs=0.01 * side + 0.5)
    assert found.y == pytest.approx(0.48 * side, abs=0.01 * side + 0.5)
    # 90 % of an exponential disc is within 3.9 scale lengths; less, as it is cut at the sky
    assert 2.5 < found.radius / (0.05 * side) < 4.2


@given(scale=st.floats(3, 9), level=st.floats(-100, 100), ratio=st.floats(0.3, 1))
@settings(max_examples=30, deadline=None)
def test_size_follows_the_object_and_not_the_sky(scale, level, ratio):
    base = central_object(disc(120, 60, 60, scale=6, flux=1000, ratio=ratio))
    found = central_object(disc(120, 60, 60, scale=scale, flux=1000, ratio=ratio) + level)
    assert found.radius / base.radius == pytest.approx(scale / 6, rel=0.2)


def test_neighbours_that_touch_do_not_count():
    alone = central_object(disc(scale=4, flux=200))
    crowd = disc(scale=4, flux=200) + disc(x=78, y=60, scale=4, flux=300, noise=0)
    assert central_object(crowd).radius == pytest.approx(alone.radius, rel=0.35)
    assert central_object(crowd).x == pytest.approx(50, abs=2)


def test_nothing_at_the_centre():
    noise = np.random.default_rng(0).normal(size=(64, 64))
    assert central_object(np.zeros((64, 64))) is None
    flat = np.zeros((64, 64), dtype="f4")
    flat[2:5, 2:5] = 10
    assert central_object(flat) is None
    assert central_object(noise) is None or central_object(noise).radius < 10


@pytest.mark.parametrize("shape", [(5, 5), (1, 1), (2, 9), (9, 40)])
def test_tiny_and_long_images_are_looked_at_without_harm(shape):
    image = np.random.default_rng(1).random(shape).astype("f4")
    found = central_object(image)
    assert found is None or np.isfinite(found.radius)


def test_objects_fill_their_images_equally(tmp_path, run):
    for name, scale in (("large", 9.0), ("small", 4.5)):
        image = disc(200, 104, 97, scale=scale, flux=1000)
        fits.PrimaryHDU(image[::-1]).writeto(tmp_path / f"{name}.fits")
    out = run(tmp_path, fit="object", object_scale=1.5, size=32)
    large, small = (image / image.max() for image in out.images[:, 0])
    assert np.abs(large - small).mean() < 0.03
    widths = out.table["crop_width"]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.1)
    np.testing.assert_allclose(widths, 3 * out.table["object_radius"])
    for image in (large, small):
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert abs(row - 15.5) <= 1
        assert abs(column - 15.5) <= 1


def test_the_square_stays_within_the_image_and_above_the_least(tmp_path, run):
    fits.PrimaryHDU(disc(60, 30, 30, scale=12, flux=1000)).writeto(tmp_path / "a.fits")
    fits.PrimaryHDU(disc(60, 30, 30, scale=1, flux=1000)).writeto(tmp_path / "b.fits")
    out = run(tmp_path, fit="object", object_scale=3, object_smallest=24)
    assert out.table["crop_width"].tolist() == [60, 24]


@pytest.mark.parametrize("required", [True, False])
def test_images_without_an_object(tmp_path, run, required, capsys):
    fits.PrimaryHDU(disc()).writeto(tmp_path / "a.fits")
    empty = np.zeros((64, 64))
    empty[3, 3] = 1
    fits.PrimaryHDU(empty).writeto(tmp_path / "b.fits")
    out = run(tmp_path, fit="object", object_required=required, crop=0.5)
    if required:
        assert out.reasons == {"b": "no object at the centre"}
    else:
        assert out.ids == ["a", "b"]
        assert out.table["crop_width"][1] == 32
        assert np.isnan(out.table["object_radius"][1])
        assert "1 images without an object at the centre" in capsys.readouterr().err
