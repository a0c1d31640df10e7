"""The fitters on galaxies whose parameters are known, and on what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest

from factories_sersic_fits import GAIN, GALAXY, PIXEL, SKY, ZERO_POINT, observed, psf, some_galaxies
from morphosphere.config.sersic_fit import FitSettings
from morphosphere.sersic.fit import FitFault, Stamp, fit_galsim
from morphosphere.sersic.fit.leastsquares import free_of, latent_of
from morphosphere.sersic.fit.morph import fit_statmorph
from morphosphere.sersic.fit.segments import segments
from morphosphere.structure.parameters import Space

SETTINGS = FitSettings()
FITTERS = {"galsim": fit_galsim, "statmorph": fit_statmorph}


def stamp_of(image: np.ndarray, **more: float) -> Stamp:
    known = {
        "pixel_size": PIXEL,
        "zero_point": ZERO_POINT,
        "sky_noise": SKY,
        "gain": GAIN,
        **more,
    }
    return Stamp(image[::-1].astype(float), psf(), **known)


def latent_truth(galaxy: dict[str, float], components: int = 1) -> np.ndarray:
    space = Space(components)
    return space.to_latent({n: np.array([galaxy[n]]) for n in space.columns}, ZERO_POINT, PIXEL)[0]


def columns_of(fit) -> dict[str, float]:
    return {k: float(v) for k, v in Space(1).to_columns(fit.latent, ZERO_POINT, PIXEL).items()}


@pytest.fixture(scope="module")
def pulls() -> np.ndarray:
    """Errors of least-squares fits over their own standard deviations, (galaxies, P)."""
    out = []
    for seed, galaxy in enumerate(some_galaxies(16)):
        fit = fit_galsim(stamp_of(observed(galaxy, seed)), SETTINGS)
        std = np.sqrt(np.diagonal(fit.covariance))
        out.append((fit.latent - latent_truth(galaxy)) / std)
        assert fit.chi2 == pytest.approx(1, abs=0.08)
        assert fit.centre == pytest.approx((galaxy["x_offset"], galaxy["y_offset"]), abs=0.15)
    return np.array(out)


def test_least_squares_errs_as_it_says(pulls: np.ndarray):
    assert np.abs(pulls).max() < 4.5
    assert 0.7 < np.sqrt(np.mean(pulls**2)) < 1.3
    assert np.abs(np.median(pulls, axis=0)).max() < 1.0


def test_without_noise_the_truth_comes_back():
    fit = fit_galsim(stamp_of(observed(GALAXY, None)), SETTINGS)
    assert fit.latent == pytest.approx(latent_truth(GALAXY), abs=2e-3)
    assert not fit.remark


def test_few_models_are_computed():
    """Each step takes one model for each parameter, and a dozen steps are enough."""
    assert fit_galsim(stamp_of(observed(GALAXY)), SETTINGS).evaluations < 100


def test_free_parameters_and_back():
    latent = np.array([-5.0, 0.8, 0.2, 0.5, -0.4, 0.3, -0.1])
    assert latent_of(free_of(latent)) == pytest.approx(latent)
    beyond = free_of(latent)
    beyond[3:5] = 50.0, -80.0
    assert np.hypot(*latent_of(beyond)[3:5]) < 0.93


def test_two_components():
    galaxy = {
        **GALAXY,
        "magnitude": 19.0,
        "radius": 0.5,
        "bulge_radius": 0.15,
        "bulge_to_total": 0.4,
    }
    fit = fit_galsim(stamp_of(observed(galaxy, 3, components=2)), SETTINGS, components=2)
    std = np.sqrt(np.diagonal(fit.covariance))
    assert np.abs((fit.latent - latent_truth(galaxy, 2)) / std).max() < 4.5
    assert std[3] < 0.1


def test_statmorph_knows_our_conventions():
    found = columns_of(fit_statmorph(stamp_of(observed(GALAXY)), SETTINGS))
    assert found["magnitude"] == pytest.approx(GALAXY["magnitude"], abs=0.05)
    assert found["radius"] == pytest.approx(GALAXY["radius"], rel=0.04)
    assert found["sersic_index"] == pytest.approx(GALAXY["sersic_index"], rel=0.1)
    assert found["axis_ratio"] == pytest.approx(GALAXY["axis_ratio"], abs=0.03)
    assert found["position_angle"] == pytest.approx(GALAXY["position_angle"], abs=3)


@pytest.mark.parametrize("tool", FITTERS)
def test_pixels_without_a_value_are_left_out(tool: str):
    image = observed(GALAXY)
    image[20:26, 40:50] = np.nan
    found = columns_of(FITTERS[tool](stamp_of(image), SETTINGS))
    assert found["magnitude"] == pytest.approx(GALAXY["magnitude"], abs=0.05)
    assert found["axis_ratio"] == pytest.approx(GALAXY["axis_ratio"], abs=0.05)


@pytest.mark.parametrize("tool", FITTERS)
def test_another_galaxy_is_left_out(tool: str):
    other = {**GALAXY, "radius": 0.15, "x_offset": -20.0, "y_offset": 15.0}
    image = observed(GALAXY) + observed(other, None)
    found = columns_of(FITTERS[tool](stamp_of(image), SETTINGS))
    assert found["magnitude"] == pytest.approx(GALAXY["magnitude"], abs=0.08)
    assert found["radius"] == pytest.approx(GALAXY["radius"], rel=0.08)


def test_the_galaxy_in_the_middle_is_the_one():
    bright = {**GALAXY, "magnitude": 18.5, "radius": 0.2, "x_offset": -14.0, "y_offset": 14.0}
    own, others = segments(stamp_of(observed(GALAXY) + observed(bright, None)))
    assert own[32, 32]
    assert others[32 + 14, 32 - 14]  # rows go up


def test_peaks_of_noise_and_clumps_are_not_other_sources():
    for seed, galaxy in enumerate(some_galaxies(10, seed=5)):
        assert not segments(stamp_of(observed(galaxy, seed)))[1].any()
    clump = {**GALAXY, "magnitude": 23.5, "radius": 0.07, "axis_ratio": 0.9, "x_offset": 5.0}
    assert not segments(stamp_of(observed(GALAXY) + observed(clump, None)))[1].any()
    bright = {**GALAXY, "magnitude": 21.0, "radius": 0.1, "x_offset": 20.0, "y_offset": 12.0}
    assert segments(stamp_of(observed(GALAXY) + observed(bright, None)))[1].any()


def _blank() -> Stamp:
    return stamp_of(np.random.default_rng(1).normal(0, SKY, (64, 64)))


def _constant() -> Stamp:
    return stamp_of(np.zeros((64, 64)))


def _hole() -> Stamp:
    image = observed(GALAXY)
    image[18:46, 18:46] = np.nan
    return stamp_of(image)


def _saturated() -> Stamp:
    image = observed(GALAXY)
    return stamp_of(np.minimum(image, np.sort(image.ravel())[-25]))


FAULTS = {
    "blank": ("blank", _blank),
    "constant": ("blank", _constant),
    "a hole in the middle": ("masked", _hole),
    "a plateau": ("saturated", _saturated),
    "no noise": ("unknown sky_noise", lambda: stamp_of(observed(GALAXY), sky_noise=np.nan)),
    "no gain": ("unknown gain", lambda: stamp_of(observed(GALAXY), gain=0.0)),
    "no scale": ("unknown pixel_size", lambda: stamp_of(observed(GALAXY), pixel_size=np.nan)),
    "no zero": ("unknown zero_point", lambda: stamp_of(observed(GALAXY), zero_point=np.nan)),
}


@pytest.mark.parametrize("tool", FITTERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fit_of_what_cannot_be_fitted(fault: str, tool: str):
    reason, make = FAULTS[fault]
    with pytest.raises(FitFault, match=reason):
        FITTERS[tool](make(), SETTINGS)


def test_too_few_evaluations_are_a_failure():
    with pytest.raises(FitFault, match="no end after 2 evaluations"):
        fit_galsim(stamp_of(observed({**GALAXY, "magnitude": 18.0})), FitSettings(evaluations=2))
