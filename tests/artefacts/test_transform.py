import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from morphosphere.artefacts.transform import (
    STRETCHES,
    Transform,
    central_crop,
    percentile,
    resample,
    resampling_matrix,
)
from morphosphere.errors import InputError


def transform(channels=3, size=16, **changes):
    names = tuple(f"band{i}" for i in range(channels))
    return Transform(channels=names, size=size, **{"scale": "image", "stretch": "asinh", **changes})


def blob(count=2, channels=3, size=24, flux=1.0):
    line = np.arange(size) - (size - 1) / 2
    image = np.exp(-(line[:, None] ** 2 + line[None, :] ** 2) / (size / 6) ** 2)
    colours = np.linspace(0.5, 1, channels)[None, :, None, None]
    return (flux * image * colours * np.ones((count, 1, 1, 1))).astype(np.float32)


@given(
    images=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 2), st.just(3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    stretch=st.sampled_from([name for name in STRETCHES if name != "none"]),
    scale=st.sampled_from(["image", "fixed"]),
    crop=st.floats(0.01, 1),
)
@settings(max_examples=150, deadline=None)
def test_any_image_becomes_finite_numbers_from_0_to_1(images, stretch, scale, crop):
    out = transform(size=5, stretch=stretch, scale=scale, crop=crop)(images)
    assert out.shape == (len(images), 3, 5, 5)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1


def test_pixels_as_they_are_keep_their_noise_and_their_light():
    images = np.random.default_rng(1).normal(0, 7, (2, 3, 16, 16)).astype(np.float32)
    images[0, 0, 0, 0] = np.nan
    out = transform(size=16, stretch="none", scale="fixed", value=2.0)(images)
    np.testing.assert_array_equal(out, np.nan_to_num(images) / 2)


@pytest.mark.parametrize("channels", range(1, 13))
@pytest.mark.parametrize("side", [7, 16, 33])
def test_one_to_twelve_channels_of_any_size(channels, side):
    out = transform(channels=channels)(blob(channels=channels, size=side))
    assert out.shape == (2, channels, 16, 16)
    assert out.max() > 0.5


@pytest.mark.parametrize("stretch", STRETCHES)
def test_brightness_of_the_source_does_not_matter_when_scaled_by_image(stretch):
    bright, faint = (transform(stretch=stretch)(blob(flux=f)) for f in (1e6, 1e-6))
    np.testing.assert_allclose(bright, faint, atol=1e-5)


@pytest.mark.parametrize("stretch", STRETCHES)
def test_colours_are_kept(stretch):
    images = blob(flux=0.2)
    out = transform(stretch=stretch, size=24, scale="fixed", value=1.0)(images)
    bright = images > 1e-3
    ratio = np.where(bright, out / images, np.nan)
    np.testing.assert_allclose(ratio[:, 0][bright[:, 0]], ratio[:, 2][bright[:, 0]], rtol=1e-4)


def test_one_becomes_one_and_zero_zero():
    for stretch in STRETCHES:
        out = transform(1, 4, stretch=stretch, scale="fixed", value=5.0)
        ramp = np.linspace(0, 5, 16, dtype=np.float32).reshape(1, 1, 4, 4)
        values = out(ramp).ravel()
        np.testing.assert_allclose(values[[0, -1]], [0, 1], atol=1e-6)
        assert (np.diff(values) > 0).all()


def test_a_source_of_one_pixel_is_not_lost():
    image = np.zeros((1, 3, 64, 64), dtype=np.float32)
    image[:, :, 32, 32] = 1e-4
    assert transform(size=64)(image).max() == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 7.0, -7.0, np.nan])
def test_constant_images(value):
    out = transform()(np.full((1, 3, 9, 9), value, dtype=np.float32))
    assert np.ptp(out) == 0


def test_unknown_pixels_count_as_dark():
    image = blob()
    image[0, :, 12, 12] = np.nan
    image[0, 0, 3, 3] = np.inf
    dark = image.copy()
    dark[~np.isfinite(image)] = 0
    np.testing.assert_array_equal(transform()(image), transform()(dark))


def test_pictures_are_scaled_by_255():
    picture = np.full((1, 3, 8, 8), 51, dtype=np.uint8)
    out = transform(size=8, scale="fixed", stretch="linear")(picture)
    np.testing.assert_allclose(out, 0.2, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 4, 8, 8), (3, 8, 8), (8, 8)])
def test_wrong_channels_are_named(shape):
    with pytest.raises(InputError, match="3 channels \\(band0, band1, band2\\)"):
        transform()(np.zeros(shape, dtype=np.float32))


def test_it_is_read_as_it_was_written(tmp_path):
    written = transform(crop=0.7, softening=0.1)
    written.write(tmp_path / "transform.json")
    assert Transform.read(tmp_path / "transform.json") == written


def test_another_version_is_refused(tmp_path):
    value = dataclasses.asdict(transform())
    value["version"] = 99
    (tmp_path / "transform.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match="version 99"):
        Transform.read(tmp_path / "transform.json")


@pytest.mark.parametrize(
    "change", [{"size": 0}, {"crop": 0.0}, {"stretch": "cubic"}, {"scale": "none"}, {"value": 0.0}]
)
def test_impossible_values_are_refused(tmp_path, change):
    value = {**dataclasses.asdict(transform()), **change}
    (tmp_path / "transform.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match=rf"transform\.json: {next(iter(change))}"):
        Transform.read(tmp_path / "transform.json")


@pytest.mark.parametrize("damage", ["unknown key", "missing key", "a list"])
def test_damaged_files_are_refused(tmp_path, damage):
    value = dataclasses.asdict(transform())
    if damage == "unknown key":
        value["gamma"] = 1
    elif damage == "missing key":
        del value["channels"]
    else:
        value = [1]
    (tmp_path / "transform.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"transform\.json"):
        Transform.read(tmp_path / "transform.json")


@given(old=st.integers(1, 90), new=st.integers(1, 90))
@settings(deadline=None)
def test_resampling_keeps_level_and_place(old, new):
    weights = resampling_matrix(old, new)
    assert weights.shape == (new, old)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-5)  # turns with the image


def test_shrinking_keeps_the_mean_brightness():
    images = np.random.default_rng(0).random((2, 3, 64, 64), dtype=np.float32)
    np.testing.assert_allclose(
        resample(images, 16).mean(axis=(2, 3)), images.mean(axis=(2, 3)), rtol=0.02
    )


@pytest.mark.parametrize(("shape", "fraction", "side"), [((9, 13), 1, 9), ((10, 10), 0.5, 5)])
def test_the_crop_is_central(shape, fraction, side):
    images = np.zeros((1, 1, *shape))
    images[0, 0, (shape[0] - 1) // 2, (shape[1] - 1) // 2] = 1
    cut = central_crop(images, fraction)
    assert cut.shape == (1, 1, side, side)
    assert cut[0, 0, (side - 1) // 2, (side - 1) // 2] == 1


@pytest.mark.parametrize("q", [0, 37.2, 50, 97, 99.5, 99.99, 100])
@pytest.mark.parametrize("size", [1, 2, 9, 64])
def test_percentiles_are_those_of_all_pixels(size, q):
    random = np.random.default_rng(size)
    images = random.standard_normal((5, size, size), np.float32)
    images[1] = 3.0
    images[2] = images[2] > 0.5
    images[3, 0, 0] = 1e30
    expected = np.percentile(images.astype(float), q, axis=(1, 2))
    np.testing.assert_allclose(percentile(images, q), expected, rtol=2e-3, atol=1e-6)
