"""Each flag on images that have the fault, and on many galaxies of the whole prior without one."""

from __future__ import annotations

import numpy as np
import pytest

from factories_sersic_stamps import EXPOSURE, NOISE, galaxy_values, light_of, observed, taken
from morphosphere.config.sersic_predict import FlagSettings
from morphosphere.structure.flags import (
    BITS,
    FLAGS,
    Seen,
    flags_of_image,
    flags_of_prediction,
    flags_of_table,
    names_of,
    outside,
)

SETTINGS = FlagSettings()
COUNT = 240


def _look(image: np.ndarray, **given: float) -> Seen:
    known = {"sky_noise": NOISE, "gain": EXPOSURE, "stamp_size": float(len(image)), **given}
    return flags_of_image(image, settings=SETTINGS, **known)


def _names(image: np.ndarray, **given: float) -> list[str]:
    return names_of(_look(image, **given).flags)


@pytest.fixture
def random() -> np.random.Generator:
    """The same numbers for each test, whichever ran before it in the same process."""
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def galaxies() -> list[tuple[dict[str, float], np.ndarray]]:
    """Galaxies of the whole prior in stamps of 96 to 128 pixels, without noise."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(COUNT):
        values = galaxy_values(random)
        found.append((values, light_of(values, int(2 * random.integers(48, 65)))))
    return found


@pytest.fixture(scope="module")
def bright(galaxies) -> list[tuple[dict[str, float], np.ndarray]]:
    return [one for one in galaxies if one[0]["magnitude"] < 21.5]


def test_flags_are_bits_with_words() -> None:
    assert list(BITS.values()) == [1 << k for k in range(len(FLAGS))]
    assert names_of(BITS["masked"] | BITS["unlike"]) == ["masked", "unlike"]
    assert names_of(0) == []
    assert all(len(words) > 10 for words in FLAGS.values())


def test_clean_galaxies_are_seldom_flagged(galaxies, random) -> None:
    """Of the whole prior, under 3 % of the galaxies, all flags of pixels together."""
    seen = [_look(observed(light, random)) for _, light in galaxies]
    assert np.mean([one.flags != 0 for one in seen]) < 0.03
    assert len(seen) == COUNT
    # Most of the light beyond the stamp is no matter of chance: the truth flags none, but the
    # largest of the largest index.
    columns = {name: np.array([v[name] for v, _ in galaxies]) for name in galaxies[0][0]}
    width = 0.06 * np.array([len(light) for _, light in galaxies])
    beyond = flags_of_prediction(columns, width, SETTINGS) != 0
    assert beyond.mean() < 0.03


def test_blank_images_are_told(random) -> None:
    assert _names(np.zeros((64, 64))) == ["blank", "masked"]
    assert _names(np.full((64, 64), 3.5)) == ["blank"]
    assert _names(np.full((64, 64), np.nan)) == ["blank", "masked"]
    for _ in range(20):
        assert _names(random.normal(0, NOISE, (128, 128))) == ["blank"]


def test_pixels_without_a_value_are_told_where_they_matter(bright, random) -> None:
    _, light = bright[0]
    image = observed(light, random)
    size = len(image)
    few = image.copy()
    few[random.random(image.shape) < 0.005] = np.nan
    few[size // 2 - 2 : size // 2 + 2, size // 2 - 2 : size // 2 + 2] = image[
        size // 2 - 2 : size // 2 + 2, size // 2 - 2 : size // 2 + 2
    ]
    assert _names(few) == []
    many = image.copy()
    many[random.random(image.shape) < 0.1] = np.nan
    assert "masked" in _names(many)
    core = image.copy()
    core[size // 2, size // 2] = np.nan
    assert "masked" in _names(core)
    side = image.copy()
    side[:, : size // 4] = 0.0  # beyond the detector
    assert "masked" in _names(side)


def test_a_masked_neighbour_is_no_neighbour(random) -> None:
    values = galaxy_values(random, magnitude=20.0, radius=0.4, x_offset=0.0, y_offset=0.0)
    other = {**values, "x_offset": 35.0, "y_offset": 20.0}
    image = observed(light_of(values) + light_of(other), random)
    assert "neighbour" in _names(image)
    rows, columns = np.mgrid[:128, :128]
    image[np.hypot(rows - (63.5 - 20), columns - (63.5 + 35)) < 28] = np.nan
    assert "neighbour" not in _names(image)


@pytest.mark.parametrize("pixels", [8, 30])
def test_saturated_cores_are_told(bright, random, pixels: int) -> None:
    for _, light in bright[:40]:
        image = observed(light, random)
        level = np.sort(image.ravel())[-pixels]
        assert "saturated" in _names(np.minimum(image, level))
        assert "saturated" in _names(image, saturation=level)
        uneven = np.minimum(image, level) * random.normal(1, 0.002, image.shape)
        if level * EXPOSURE > 30_000:  # electrons, where a flat field's errors outweigh noise
            assert "saturated" in _names(uneven)


def test_flat_cores_are_not_saturated(random) -> None:
    """A large disc of n = 0.5 has the flattest core there is, in deep images too."""
    for magnitude in (18.0, 20.0, 22.0):
        values = galaxy_values(random, magnitude=magnitude, radius=1.9, sersic_index=0.5)
        image = observed(light_of(values), random)
        assert "saturated" not in _names(image)


@pytest.mark.parametrize("difference", [-3.0, 0.0, 1.0, 2.0])
def test_two_galaxies_in_a_stamp_are_told(galaxies, random, difference: float) -> None:
    """From 0.4 arcsec on, wherever it is, also under the light of the larger one."""
    missed = []
    for values, light in galaxies[:120]:
        away, turn = random.uniform(7, len(light) / 2), random.uniform(0, 2 * np.pi)
        other = galaxy_values(
            random,
            magnitude=values["magnitude"] + difference,
            radius=random.uniform(0.2, 0.7),
            x_offset=away * np.cos(turn),
            y_offset=away * np.sin(turn),
        )
        seen = _look(observed(light + light_of(other, len(light)), random))
        missed.append(not seen.flags & (BITS["neighbour"] | BITS["truncated"]))
    assert np.mean(missed) <= (0.02 if difference < 2 else 0.05)


def test_equal_galaxies_around_the_middle_are_told(random) -> None:
    """The pair is its own mirror image, but its centre is no peak."""
    for _ in range(20):
        values = galaxy_values(random, magnitude=20.5, radius=0.35)
        turn = random.uniform(0, 2 * np.pi)
        pair = [
            light_of({**values, "x_offset": x * np.cos(turn), "y_offset": x * np.sin(turn)})
            for x in (-9, 9)
        ]
        assert "neighbour" in _names(observed(sum(pair), random))


@pytest.mark.parametrize("away", [14, 30, 55])
def test_galaxies_that_are_cut_off_are_told(galaxies, random, away: float) -> None:
    for values, _ in galaxies[:40]:
        turn = random.uniform(0, 2 * np.pi)
        place = {"x_offset": away * np.cos(turn), "y_offset": away * np.sin(turn)}
        flags = _look(observed(light_of({**values, **place}), random)).flags
        assert flags & (BITS["truncated"] | BITS["blank"])


def test_a_large_galaxy_in_a_small_stamp_is_cut_off(random) -> None:
    values = galaxy_values(random, magnitude=19.0, radius=1.8, sersic_index=1.0, axis_ratio=0.8)
    assert "truncated" in _names(observed(light_of(values, 40), random))
    # The same where the stamp was padded to the width of others.
    padded = np.pad(observed(light_of(values, 40), random), 44, mode="edge")
    assert "truncated" in _names(padded, stamp_size=40.0)


def test_a_disc_that_just_fits_and_wings_at_the_edge_are_no_fault(random) -> None:
    for given in (
        {"radius": 1.95, "sersic_index": 0.6, "magnitude": 18.5},
        {"radius": 0.8, "sersic_index": 6.0, "magnitude": 18.0},
    ):
        values = galaxy_values(random, axis_ratio=0.9, **given)
        assert _names(observed(light_of(values, 128), random)) == []


def test_light_beyond_the_stamp_follows_from_the_prediction() -> None:
    columns = {
        "radius": np.array([0.5, 5.0, np.nan]),
        "sersic_index": np.array([1.0, 4.0, 1.0]),
        "axis_ratio": np.array([0.7, 0.7, 0.7]),
        "position_angle": np.array([20.0, 20.0, 20.0]),
    }
    flags = flags_of_prediction(columns, np.full(3, 7.68), SETTINGS)
    assert flags.tolist() == [0, BITS["truncated"], 0]


def test_what_is_not_known_of_an_image_is_told() -> None:
    known = taken(6)
    assert flags_of_table(known).tolist() == [0] * 6
    known["psf_ee_3"][0] = np.nan
    known["zero_point"][1] = np.nan
    known["pixel_size"][2] = 0.0
    known["sky_noise"][3] = -1.0
    known["gain"][4] = np.inf
    wanted = ["no_psf", "no_scale", "no_scale", "no_scale", "no_scale", None]
    assert flags_of_table(known).tolist() == [BITS.get(name, 0) for name in wanted]


def test_values_beyond_ranges_are_told() -> None:
    ranges = np.array([[0.0, 1.0], [10.0, 20.0]])
    values = np.array([[0.5, 15], [-0.01, 15], [-0.03, 15], [0.5, 20.3], [np.nan, 15], [1.02, 9.8]])
    assert outside(values, ranges, 0.02).tolist() == [False, False, True, True, False, False]
