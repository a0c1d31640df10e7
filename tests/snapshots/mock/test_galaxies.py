"""The galaxies: what they are made of, and that their properties go with their forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from morphosphere.config.mock import MockSettings
from morphosphere.snapshots.mock.discs import disc_galaxy
from morphosphere.snapshots.mock.ellipticals import sersic_radius
from morphosphere.snapshots.mock.make import make_galaxies
from morphosphere.snapshots.mock.neighbours import smoothing_lengths
from morphosphere.snapshots.mock.pairs import Halo, _move, halo_of_disc
from morphosphere.snapshots.mock.particles import isotropic, random_rotation
from morphosphere.snapshots.mock.pattern import draw_pattern
from morphosphere.snapshots.mock.plan import draw_of, particle_counts
from morphosphere.snapshots.mock.populations import (
    draw_family,
    draw_log_mass,
    draw_traits,
    halo_mass,
)

SETTINGS = MockSettings()


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.mark.parametrize("index", [1.0, 2.5, 4.0])
def test_half_of_a_sersic_spheroid_is_within_its_projected_radius(rng, index):
    position = isotropic(rng, sersic_radius(rng, 40_000, index=index))
    projected = np.hypot(position[:, 0], position[:, 1])
    assert np.mean(projected < 1.0) == pytest.approx(0.5, abs=0.02)


def test_rotations_are_proper(rng):
    rotation = random_rotation(rng)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_families_have_their_shares(rng):
    drawn = [draw_family(rng, SETTINGS) for _ in range(4000)]
    number = {name: drawn.count(name) * (2 if name == "pair" else 1) for name in set(drawn)}
    total = sum(number.values())
    for name, share in SETTINGS.families.model_dump().items():
        assert number[name] / total == pytest.approx(share, abs=0.03)


def test_masses_stay_in_range_and_irregulars_are_light(rng):
    mass = {
        family: np.array([draw_log_mass(rng, family, (9.3, 11.3)) for _ in range(500)])
        for family in ("spiral", "elliptical", "irregular")
    }
    for values in mass.values():
        assert values.min() >= 9.3
        assert values.max() <= 11.3
    assert np.median(mass["irregular"]) < np.median(mass["spiral"]) < 11
    assert np.median(mass["elliptical"]) > np.median(mass["irregular"])


def test_properties_follow_mass_and_type(rng):
    spirals = [draw_traits(rng, "spiral", m) for m in rng.uniform(9.5, 11, 300)]
    mass = np.array([t.log_mass for t in spirals])
    assert np.corrcoef(mass, np.log10([t.size for t in spirals]))[0, 1] > 0.5
    assert np.corrcoef(mass, [t.log_metallicity for t in spirals])[0, 1] > 0.6
    stage = np.array([t.stage for t in spirals])
    specific = np.log10([t.sfr / t.mass for t in spirals])
    assert np.corrcoef(stage, specific)[0, 1] > 0.6
    assert np.corrcoef(stage, [t.bulge_to_total for t in spirals])[0, 1] < -0.6
    quiet = [draw_traits(rng, "elliptical", 10.5) for _ in range(50)]
    assert np.log10([t.sfr / t.mass for t in quiet]).max() < specific.min()


def test_halo_mass_rises_with_stellar_mass():
    assert 11.5 < np.log10(halo_mass(10.4)) < 12.5
    assert halo_mass(11.2) > 5 * halo_mass(10.4)


def test_every_draw_gives_exactly_the_planned_particles():
    settings = MockSettings(stars_range=(200, 700), galaxies=120)
    seen = set()
    number = 0
    while number < settings.galaxies:
        draw = draw_of(settings, 3, number)
        counts = particle_counts(settings, draw)
        galaxies, _, _ = make_galaxies(settings, 3, number)
        made = [[len(g.gas), len(g.dark_matter), len(g.stars)] for g in galaxies]
        if draw.family == "merger":
            counts = [sum(counts)]
        assert made == [[c[0], c[1], c[4]] for c in counts]
        for galaxy, traits in zip(galaxies, draw.members):
            star = ~np.isnan(galaxy.stars.age)
            assert (galaxy.stars.age[star] > 0).all()
            assert np.isfinite(galaxy.stars.velocity).all()
            assert (galaxy.stars.mass() < galaxy.stars.initial_mass).all() or not star.all()
            if draw.family != "merger":
                assert galaxy.stars.initial_mass.sum() == pytest.approx(traits.mass, rel=0.02)
        seen.add(draw.family)
        number += draw.numbers
    assert seen == {"spiral", "lenticular", "elliptical", "irregular", "pair", "merger"}


def _spiral(rng, **pattern):
    traits = replace(
        draw_traits(rng, "spiral", 10.6), stage=4.0, bulge_to_total=0.15, family="spiral"
    )
    drawn = replace(
        draw_pattern(rng, traits, barred=0.0), bar=0.0, bar_share=0.0, ring=0.0, warp=0.0
    )
    return traits, replace(drawn, **pattern)


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_young_stars_trace_the_number_of_arms(rng, arms):
    traits, pattern = _spiral(
        rng, arms=arms, pitch=np.tan(np.deg2rad(18)), patches=np.zeros((0, 4)), contrast=1.5
    )
    stars = disc_galaxy(rng, 30_000, traits, pattern)
    x, y = stars.position[:, :2].T / pattern.scale
    radius, azimuth = np.hypot(x, y), np.arctan2(y, x)
    for chosen, least in ((stars.age < 0.25, 0.35), (stars.age > 4, 0.05)):
        use = chosen & (radius > 1.2) & (radius < 3.5)
        unwound = azimuth[use] - np.log(radius[use]) / pattern.pitch
        amplitude = {
            m: abs(np.exp(1j * m * unwound).mean()) for m in range(1, 7) if m % arms or m == arms
        }
        assert max(amplitude, key=amplitude.get) == arms
        assert amplitude[arms] > least


def test_a_bar_is_elongated_and_old(rng):
    traits, pattern = _spiral(
        rng, arms=2, patches=np.zeros((0, 4)), bar=1.6, inner=1.6, bar_share=0.4
    )
    stars = disc_galaxy(rng, 30_000, traits, pattern)
    x, y = stars.position[:, :2].T / pattern.scale
    use = (np.hypot(x, y) > 0.7) & (np.hypot(x, y) < 1.4) & (stars.age > 3)
    strength = np.exp(2j * (np.arctan2(y, x) - pattern.start))[use].mean()
    assert strength.real > 0.25
    assert abs(strength.imag) < 0.1


def test_discs_are_thin_and_rotate_with_trailing_arms(rng):
    traits, pattern = _spiral(rng, patches=np.zeros((0, 4)), arms=2)
    stars = disc_galaxy(rng, 10_000, traits, pattern)
    disc = np.abs(stars.position[:, 2]) < traits.size
    x, y, z = stars.position[disc].T
    assert np.std(z) < 0.25 * np.std(x)
    radius = np.hypot(x, y)
    spin = (x * stars.velocity[disc, 1] - y * stars.velocity[disc, 0]) / radius
    outer = (radius > traits.size) & (radius < 3 * traits.size)
    mean = spin[outer].mean()
    assert abs(mean) == pytest.approx(traits.speed, rel=0.2)
    assert np.sign(mean) == -np.sign(pattern.pitch)


def test_spirals_are_bluer_outside_than_inside(rng):
    from morphosphere.stellar_populations import luminosities

    traits, pattern = _spiral(rng)
    stars = disc_galaxy(rng, 20_000, traits, pattern)
    light = luminosities(
        "gr", age=stars.age, metallicity=stars.metallicity, initial_mass=stars.initial_mass
    )
    radius = np.linalg.norm(stars.position, axis=1)
    inside = radius < np.median(radius) / 2
    colour = [-2.5 * np.log10(np.divide(*light[part].sum(axis=0))) for part in (inside, ~inside)]
    assert colour[0] > colour[1] + 0.05
    assert 0.1 < colour[1] < 0.75


def test_smoothing_lengths_are_near_those_of_a_tree_search(rng):
    position = rng.normal(size=(20_000, 3)) * [1, 1, 0.2]
    exact = cKDTree(position).query(position, k=33)[0][:, -1]
    ratio = smoothing_lengths(position) / exact
    assert np.median(ratio) == pytest.approx(1.0, abs=0.25)
    assert np.percentile(np.abs(np.log(ratio)), 90) < np.log(1.8)


@pytest.mark.parametrize("count", [0, 1, 2, 31])
def test_smoothing_lengths_of_few_particles(rng, count):
    lengths = smoothing_lengths(rng.normal(size=(count, 3)))
    assert lengths.shape == (count,)
    assert (lengths > 0).all()
    assert np.isfinite(lengths).all()


def test_smoothing_lengths_of_particles_in_one_place():
    assert np.isfinite(smoothing_lengths(np.zeros((100, 3)))).all()


def test_a_disc_without_a_companion_keeps_its_form(rng):
    traits, pattern = _spiral(rng, patches=np.zeros((0, 4)), arms=0)
    stars = disc_galaxy(rng, 3000, traits, pattern)
    halo = halo_of_disc(traits)
    nothing = Halo(0.0, 1.0, 10.0)
    path = np.full((400, 3), 1e4)
    step = 0.1 * pattern.scale / traits.speed
    position, velocity = _move(stars.position, stars.velocity, [halo, nothing], 0, step, path)
    for before, after in ((stars.position, position), (stars.velocity, velocity)):
        assert np.median(np.linalg.norm(after, axis=1)) == pytest.approx(
            np.median(np.linalg.norm(before, axis=1)), rel=0.2
        )


def test_a_passage_throws_out_tails():
    settings = MockSettings(stars_range=(1500, 1500))
    far = {"merger": [], "spiral": []}
    for number in range(150):
        draw = draw_of(settings, 42, number)
        if draw.family in far and len(far[draw.family]) < 8:
            stars = make_galaxies(settings, 42, number)[0][0].stars
            radius = np.linalg.norm(stars.position, axis=1)
            far[draw.family].append(np.percentile(radius, 98) / np.median(radius))
            size = draw.members[0].size
            far.setdefault(f"{draw.family} extent", []).append(np.percentile(radius, 98) / size)
    assert np.median(far["merger extent"]) > 1.5 * np.median(far["spiral extent"])


def test_halo_pull_is_the_slope_of_its_depth():
    halo = Halo(200.0, 1.5, 40.0)
    for distance in (0.5, 5.0, 39.0, 60.0):
        slope = (halo.depth(distance + 1e-4) - halo.depth(distance - 1e-4)) / 2e-4
        assert halo.pull(np.array([distance, 0, 0]))[0] == pytest.approx(-slope, rel=1e-2)
