"""Fisher matrices against what is known in closed form."""

from __future__ import annotations

import galsim
import numpy as np
import pytest
from scipy.optimize import least_squares

from morphosphere.sersic.bound.fisher import Depth, bound_of, derivatives, fisher, inverse
from morphosphere.structure.model import draw
from morphosphere.structure.noise import add_noise
from morphosphere.structure.parameters import Space

LN10 = np.log(10)


def test_fisher_matrix_of_a_gaussian_galaxy() -> None:
    """A Gaussian of n = 0.5 without a point-spread function, in noise of the sky alone.

    The mean of a function f over the square of the model is E f, with x and y normal of half the
    galaxy's variances; each entry is (flux^2 / (4 pi a b)) E(f g) over the sky's variance.
    """
    ratio, sigma, flux = 0.6, 8.0, 100.0  # axes in pixels are sigma and ratio sigma
    e = (1 - ratio) / (1 + ratio)
    sky_noise, size = 0.1, 160
    values = {"magnitude": -2.5 * np.log10(flux), "sersic_index": 0.5, "axis_ratio": ratio}
    values |= {"radius": sigma * np.sqrt(2 * np.log(2)), "position_angle": 0.0}
    space = Space(1)
    latent = space.to_latent({k: np.array([v]) for k, v in values.items()}, 0.0, 1.0)[0]
    psf = galsim.Gaussian(fwhm=1e-3)  # the pixel itself widens by 1/12 of its square, 0.1 %

    def model(point: np.ndarray) -> np.ndarray:
        columns = {k: float(v) for k, v in space.to_columns(point[:-2], 0.0, 1.0).items()}
        place = {"x_offset": point[-2], "y_offset": point[-1]}
        return draw(columns | place, psf, pixel_size=1.0, size=size, zero_point=0.0).ravel()

    mean, slopes = derivatives(model, np.append(latent, [0.0, 0.0]), 1e-3)
    found = fisher(mean, slopes, np.full(mean.shape, sky_noise**2), np.inf)
    unit = flux**2 / (4 * np.pi * sigma**2 * ratio) / sky_noise**2
    major, minor = sigma, ratio * sigma
    turn = (1 / minor**2 - 1 / major**2) ** 2 * major**2 * minor**2 / 4
    expected = {
        ("instrumental_magnitude", "instrumental_magnitude"): (0.4 * LN10) ** 2,
        ("instrumental_magnitude", "log_radius"): 0.4 * LN10**2,
        ("log_radius", "log_radius"): 2 * LN10**2,
        ("e1", "e1"): 0.75 * (2 / (1 - e**2)) ** 2,
        ("e2", "e2"): turn / (4 * e**2),
        ("instrumental_magnitude", "e2"): 0.0,
        ("log_radius", "e2"): 0.0,
    }
    names = [*space.latents, "x", "y"]
    expected[("x", "x")], expected[("y", "y")] = 0.5 / major**2, 0.5 / minor**2
    expected[("x", "y")] = expected[("x", "log_radius")] = 0.0
    for (one, other), value in expected.items():
        entry = found[names.index(one), names.index(other)] / unit
        scale = np.sqrt(
            found[names.index(one), names.index(one)]
            * found[names.index(other), names.index(other)]
        )
        assert entry == pytest.approx(value, rel=0.01, abs=1e-6 * scale / unit), (one, other)


def test_noise_that_grows_with_the_light_tells_of_it_too() -> None:
    # n pixels of mean m and variance s^2 + m / g: of m it is n (1 / v + 1 / (2 g^2 v^2))
    count, level, gain, sky = 50, 3.0, 2.0, 0.5
    noise = sky**2 + level / gain
    found = fisher(np.full(count, level), np.ones((1, count)), np.full(count, noise), gain)
    assert found[0, 0] == pytest.approx(count * (1 / noise + 0.5 / (gain * noise) ** 2))
    dark = fisher(np.full(count, -level), np.ones((1, count)), np.full(count, noise), gain)
    assert dark[0, 0] == pytest.approx(count / noise)


def test_inverse_and_what_has_none() -> None:
    information = np.array([[4.0, 2e-6], [2e-6, 1e-10]])
    covariance, condition = inverse(information)
    assert covariance @ information == pytest.approx(np.eye(2), abs=1e-9)
    assert 1 < condition < 3e2
    for broken in (np.ones((2, 2)), np.diag([1.0, 0.0]), np.full((2, 2), np.nan)):
        covariance, condition = inverse(broken)
        assert np.isnan(covariance).all()
        assert not condition < 1e10


VALUES = {"magnitude": 20.5, "radius": 0.5, "axis_ratio": 0.6, "position_angle": 30.0}
PSF = galsim.Moffat(3.0, fwhm=0.12)
DEPTH = Depth(size=64, pixel_size=0.06, sky_noise=0.0083, gain=2000.0)


def bound_for(depth: Depth = DEPTH, step: float = 1e-3, components: int = 1, **changes: float):
    values = VALUES | {"sersic_index": 1.5} | changes
    space = Space(components)
    columns = {name: np.array([values[name]]) for name in space.columns}
    latent = space.to_latent(columns, 25.94, depth.pixel_size)[0]
    return bound_of(latent, (0.2, -0.1), PSF, depth, components=components, step=step)


def test_steps_of_the_derivatives_do_not_matter() -> None:
    one, other = bound_for(step=1e-3).covariance, bound_for(step=3e-4).covariance
    assert np.diag(one) == pytest.approx(np.diag(other), rel=1e-4)


def test_more_noise_fewer_pixels_and_a_fainter_galaxy_tell_less() -> None:
    best = np.diag(bound_for().covariance)
    masked = np.ones((64, 64), dtype=bool)
    masked[30:34, 30:34] = False
    for depth in (
        Depth(64, 0.06, 0.0083 * 1.5, 2000.0),
        Depth(64, 0.06, 0.0083, 1000.0),
        Depth(40, 0.06, 0.0083, 2000.0),
        Depth(64, 0.06, 0.0083, 2000.0, masked),
    ):
        assert (np.diag(bound_for(depth).covariance) > best).all()
    faint = bound_for(magnitude=22.5)
    assert faint.snr < bound_for().snr
    assert (np.diag(faint.covariance) > best).all()


def test_no_bulge_has_no_bound_on_its_radius() -> None:
    some = bound_for(components=2, bulge_to_total=0.5, bulge_radius=0.15)
    assert np.isfinite(some.covariance).all()
    none = bound_for(components=2, bulge_to_total=0.0, bulge_radius=0.15)
    assert np.isnan(none.covariance).all()
    assert none.condition > 1e10
    assert none.snr > 100


def test_fits_scatter_as_the_bound_says() -> None:
    """Least squares with the true variances reaches the bound where the noise is small."""
    space, bound = Space(1), bound_for()
    values = VALUES | {"sersic_index": 1.5}
    latent = space.to_latent({k: np.array([values[k]]) for k in space.columns}, 25.94, 0.06)[0]
    start = np.append(latent, [0.2, -0.1])

    def model(point: np.ndarray) -> np.ndarray:
        columns = {k: float(v) for k, v in space.to_columns(point[:-2], 0.0, 0.06).items()}
        place = {"x_offset": point[-2], "y_offset": point[-1]}
        return draw(columns | place, PSF, pixel_size=0.06, size=64, zero_point=0.0)

    truth = model(start)
    noise = np.sqrt(DEPTH.sky_noise**2 + np.maximum(truth, 0) / DEPTH.gain)
    random, number = np.random.default_rng(3), 60
    found = []
    for _ in range(number):
        seen = add_noise(truth, DEPTH.sky_noise, DEPTH.gain, random)
        fit = least_squares(
            lambda point, seen=seen: ((model(point) - seen) / noise).ravel(), start, max_nfev=6
        )
        found.append(fit.x[:5])
    ratio = np.std(found, axis=0) / np.sqrt(np.diag(bound.covariance))
    # the standard error of a standard deviation is its own size over sqrt(2 n)
    assert ratio == pytest.approx(np.ones(5), abs=3.5 / np.sqrt(2 * number))
