"""Images of galaxies: ours against GalSim's, and what is where on the picture."""

from __future__ import annotations

import galsim
import numpy as np
import pytest

from morphosphere.errors import InputError
from morphosphere.structure.model import INDEX_GRID, draw, flux_of, galaxy, on_grid
from morphosphere.structure.noise import variance
from morphosphere.structure.profiles import Profile

PIXEL, ZERO_POINT = 0.06, 25.94
#: The deepest exposure of the default settings, in electron/s and electrons per electron/s.
SKY_NOISE, GAIN = 0.0054, 4000.0
PSF = galsim.Moffat(3.0, fwhm=0.1).shear(g1=0.02, g2=-0.01)

#: magnitude, radius, index or bulge share, axis ratio, angle, offsets, width of the stamp.
ONE = [
    (19.5, 0.3, 0.5, 0.7, 20.0, 0.5, -0.5, 128),
    (19.0, 1.9, 1.0, 0.2, 100.0, 0.2, 0.1, 96),
    (20.0, 0.2, 1.5, 1.0, 0.0, -0.3, 0.4, 112),
    (21.0, 1.0, 2.2, 0.5, 45.0, 0.0, 0.0, 127),
]
#: With wide wings, which GalSim draws well enough only on a wide grid.
WIDE = [
    (19.0, 1.0, 4.0, 0.25, 30.0, 0.5, 0.5, 96),
    (20.0, 0.3, 6.0, 0.8, 170.0, -0.5, 0.3, 128),
    (18.0, 0.27, 2.7, 0.72, 60.0, -0.5, 0.3, 112),
]
TWO = [(19.0, 1.2, 0.4, 0.5, 120.0, 0.1, -0.4, 128), (18.0, 0.5, 0.9, 0.9, 10.0, 0.0, 0.0, 96)]


def values_of(case: tuple, components: int = 1) -> dict[str, float]:
    magnitude, radius, third, ratio, angle, x, y, _ = case
    values = {"magnitude": magnitude, "radius": radius, "axis_ratio": ratio}
    values |= {"position_angle": angle, "x_offset": x, "y_offset": y}
    if components == 1:
        return values | {"sersic_index": float(on_grid(third))}
    return values | {"bulge_to_total": third, "bulge_radius": 0.3 * radius}


def ours(values: dict, size: int, components: int = 1, psf: galsim.GSObject = PSF) -> np.ndarray:
    return draw(
        values, psf, pixel_size=PIXEL, size=size, zero_point=ZERO_POINT, components=components
    )


def theirs(
    values: dict,
    size: int,
    components: int = 1,
    psf: galsim.GSObject = PSF,
    **accuracy: float,
) -> np.ndarray:
    parameters = galsim.GSParams(maximum_fft_size=16384, **accuracy)
    seen = galsim.Convolve(galaxy(values, components), psf).withGSParams(parameters)
    image = galsim.ImageD(size, size, scale=PIXEL)
    seen = seen.withFlux(flux_of(values["magnitude"], ZERO_POINT))
    seen.drawImage(image, offset=(values["x_offset"], values["y_offset"]))
    return image.array[::-1]


def check(found: np.ndarray, expected: np.ndarray) -> None:
    """Pixels within 0.05 of their noise, and all together within a chi square of 0.1."""
    scaled = (found - expected) / np.sqrt(variance(expected, SKY_NOISE, GAIN))
    assert np.abs(scaled).max() < 0.05
    assert np.sum(scaled**2) < 0.1


@pytest.mark.parametrize("case", ONE)
def test_as_galsim_of_default_accuracy(case: tuple) -> None:
    values = values_of(case)
    check(ours(values, case[-1]), theirs(values, case[-1]))


@pytest.mark.parametrize("case", WIDE)
def test_as_galsim_of_wide_wings(case: tuple) -> None:
    values = values_of(case)
    check(ours(values, case[-1]), theirs(values, case[-1], folding_threshold=1e-3))


@pytest.mark.parametrize("case", TWO)
def test_two_components_as_galsim(case: tuple) -> None:
    values = values_of(case, 2)
    found = ours(values, case[-1], 2)
    check(found, theirs(values, case[-1], 2, folding_threshold=5e-4))


def picture(psf: galsim.GSObject) -> galsim.GSObject:
    """A point-spread function as files hold them: of finite extent, with fine samples."""
    image = psf.drawImage(nx=129, ny=129, scale=0.015, method="no_pixel")
    return galsim.InterpolatedImage(image, flux=1.0)


@pytest.mark.parametrize(
    "psf",
    [
        galsim.Gaussian(fwhm=0.03),  # narrower than a pixel: waves are folded twice
        picture(galsim.Airy(lam_over_diam=0.1, obscuration=0.3)),
        picture(galsim.Moffat(3, fwhm=0.3).shift(0.05, -0.02)),
    ],
    ids=["narrow", "airy", "not centred"],
)
def test_other_point_spread_functions_as_galsim(psf: galsim.GSObject) -> None:
    values = values_of((20.0, 0.25, 1.2, 0.6, 70.0, 0.4, 0.2, 128))
    expected = theirs(values, 128, psf=psf, folding_threshold=5e-4, maxk_threshold=1e-4)
    check(ours(values, 128, psf=psf), expected)


def test_a_galaxy_far_from_the_middle_as_galsim() -> None:
    values = values_of((20.0, 0.8, 2.0, 0.4, 70.0, 71.0, -30.0, 128))
    check(ours(values, 128), theirs(values, 128, folding_threshold=5e-4))


@pytest.mark.parametrize(
    ("index", "ratio", "size"), [(0.5, 0.2, 128), (6.0, 0.2, 96), (1.0, 1.0, 64)]
)
def test_the_largest_and_brightest_galaxies_on_a_wide_transform(
    index: float, ratio: float, size: int
) -> None:
    values = values_of((18.0, 2.0, 1.0, ratio, 0.0, 0.5, 0.5, size)) | {"sersic_index": index}
    wide = ours(values, 512)[256 - size // 2 : 256 + size // 2, 256 - size // 2 : 256 + size // 2]
    check(ours(values, size), wide)


def test_a_galaxy_out_of_reach_is_an_error() -> None:
    values = values_of((20.0, 0.8, 2.0, 0.4, 70.0, 4000.0, 0.0, 128))
    with pytest.raises(InputError, match="too far away to be drawn"):
        ours(values, 128)


def test_light_in_the_stamp_is_that_of_the_profile() -> None:
    values = values_of((20.0, 2.0, 6.0, 1.0, 0.0, 0.0, 0.0, 64))
    image = ours(values, 64)
    profile = Profile.of(values, PIXEL, 1)
    share = image.sum() / flux_of(20.0, ZERO_POINT)
    # the point-spread function and the pixels take a little across the edge
    assert share == pytest.approx(1 - profile.outside(32), abs=2e-3)
    assert share < 0.6


def test_images_change_smoothly_with_the_index() -> None:
    case = values_of((20.0, 1.0, 2.0, 0.5, 30.0, 0.0, 0.0, 96))
    low, middle, high = (ours(case | {"sersic_index": n}, 96) for n in (2.999, 3.0, 3.001))
    slope, bend = (high - low) / 2, high + low - 2 * middle
    assert np.abs(bend).max() < 1e-2 * np.abs(slope).max()


def test_angle_is_counter_clockwise_on_the_picture() -> None:
    image = ours(values_of((20.0, 1.0, 1.0, 0.2, 45.0, 0.0, 0.0, 64)), 64)
    # row 0 is on top: the upper right and the lower left hold the light
    assert image[:32, 32:].sum() > 5 * image[:32, :32].sum()
    flat = ours(values_of((20.0, 1.0, 1.0, 0.2, 0.0, 0.0, 0.0, 64)), 64)
    assert flat[32, 48] > 10 * flat[48, 32]


def test_offsets_are_to_the_right_and_up() -> None:
    image = ours(values_of((20.0, 0.3, 1.0, 1.0, 0.0, 10.5, 5.5, 64)), 64)
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert (row, column) == (31 - 5, 32 + 10)


def test_radius_is_along_the_major_axis() -> None:
    shape = galaxy({"radius": 1.0, "axis_ratio": 0.25, "position_angle": 0, "sersic_index": 1.0})
    image = shape.drawImage(nx=1200, ny=1200, scale=0.02).array
    axis = (np.arange(1200) - 599.5) * 0.02
    inside = np.hypot(axis, axis[:, None] / 0.25) < 1
    assert image[inside].sum() == pytest.approx(0.5, abs=0.005)


def test_grid_of_indices() -> None:
    assert len(INDEX_GRID) <= 100  # of which GalSim keeps tables
    values = np.array([0.1, 0.5, 3.3, 6.2, 9.0])
    snapped = on_grid(values)
    assert np.isin(snapped, INDEX_GRID).all()
    assert snapped[1:4] == pytest.approx(values[1:4], rel=0.016)
    assert snapped[[0, 4]].tolist() == pytest.approx([0.3, 6.2])
