"""One galaxy to pictures: channels, fields of view, and galaxies that are hardly there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from factories_galaxies import BANDS, galaxy
from morphosphere.config.render import MAPS, CameraSettings, RenderSettings
from morphosphere.errors import InputError
from morphosphere.render import project
from morphosphere.render.galaxy import render_galaxy
from morphosphere.render.smoothing import from_density, from_neighbours
from morphosphere.stellar_populations import luminosities, luminosity_of, to_ab


def _render(one, *, bands=(), seed=42, cameras=None, **settings):
    cameras = cameras or {"isotropic": 2}
    values = {"size": 32, "cameras": CameraSettings(**{"isotropic": 0, **cameras}), **settings}
    return render_galaxy(
        one, RenderSettings(**values), seed=seed, source="test", snapshot_bands=bands
    )


def _with_stars(one, **fields):
    stars = {**one.components["stars"], **fields}
    return dataclasses.replace(one, components={**one.components, "stars": stars})


def _wide(one):
    """Settings under which all of a galaxy is inside."""
    reach = np.abs(one.components["stars"]["position"]).max()
    return {"field_of_view": float(6 * reach), "field_of_view_unit": "kpc"}


def test_light_and_mass_are_conserved():
    one = galaxy()
    stars = one.components["stars"]
    pictures = _render(one, channels=["stellar_mass", "g", "K"], **_wide(one))
    area = np.array(pictures.table["pixel_scale"])[:, None] ** 2
    light = luminosities(
        ["g", "K"],
        age=stars["age"],
        metallicity=stars["metallicity"],
        initial_mass=stars["initial_mass"],
    ).sum(axis=0)
    total = pictures.images.sum(axis=(2, 3)) * area
    np.testing.assert_allclose(total[:, 0], stars["mass"].sum(), rtol=1e-3)
    np.testing.assert_allclose(total[:, 1:], np.broadcast_to(light, (2, 2)), rtol=1e-3)
    assert (pictures.images >= 0).all()


def test_snapshot_magnitudes_come_first_and_other_bands_are_computed():
    one = galaxy(magnitudes=True)
    stars = one.components["stars"]
    pictures = _render(one, channels=["i", "V", "u"], bands=BANDS, **_wide(one))
    area = pictures.table["pixel_scale"][0] ** 2
    total = pictures.images[0].sum(axis=(1, 2)) * area
    for channel, band in enumerate("iV"):
        given = stars["magnitudes"][:, BANDS.index(band)]
        assert total[channel] == pytest.approx(luminosity_of(to_ab(given, band)).sum(), rel=1e-3)
    computed = luminosities(
        ["u"],
        age=stars["age"],
        metallicity=stars["metallicity"],
        initial_mass=stars["initial_mass"],
    )
    assert total[2] == pytest.approx(computed.sum(), rel=1e-3)


def test_gas_and_star_formation():
    one = galaxy()
    gas = one.components["gas"]
    pictures = _render(one, channels=["gas", "sfr"], **_wide(one))
    area = pictures.table["pixel_scale"][0] ** 2
    total = pictures.images[0].sum(axis=(1, 2)) * area
    np.testing.assert_allclose(total, [gas["mass"].sum(), gas["sfr"].sum()], rtol=2e-3)


def test_means_are_means_of_the_particles():
    one = galaxy(stars=3000)
    count = len(one.components["stars"]["mass"])
    one = _with_stars(one, age=np.full(count, 7.0), metallicity=np.linspace(0.01, 0.02, count))
    images = _render(one, channels=["age", "metallicity", "stellar_mass"]).images
    shown = images[:, 2] > 0.01 * images[:, 2].max()
    np.testing.assert_allclose(images[:, 0][shown], 7.0, rtol=1e-4)
    assert ((images[:, 1][shown] > 0.0099) & (images[:, 1][shown] < 0.0201)).all()


def test_cameras_together_or_one_by_one(monkeypatch):
    one = galaxy(stars=300)
    together = _render(one, channels=["i", "velocity"], cameras={"isotropic": 5}).images
    monkeypatch.setattr(project, "_PARTICLES", 650)
    few = _render(one, channels=["i", "velocity"], cameras={"isotropic": 5}).images
    np.testing.assert_allclose(few, together, rtol=1e-5)


def test_an_edge_on_disc_shows_rotation_and_a_face_on_one_does_not():
    one = galaxy(stars=6000)
    views = _render(
        one, channels=["velocity", "velocity_dispersion"], cameras={"face_on": 1, "edge_on": 1}
    )
    (face, edge), middle = views.images[:, 0], slice(14, 18)
    left, right = np.nanmean(edge[middle, 4:10]), np.nanmean(edge[middle, 22:28])
    # angular momentum upwards: what is on the right moves away
    assert left < -60 < 60 < right
    assert abs(np.nanmean(face[10:22, 10:22])) < 15
    assert np.nanmedian(views.images[0, 1, 12:20, 12:20]) == pytest.approx(40, abs=12)


def test_right_and_up_on_the_picture():
    place = np.array([[1.0, 2.0, 0.0]])
    lone = {"position": place, "velocity": 0 * place, "mass": np.ones(1)}
    one = dataclasses.replace(galaxy(), components={"stars": lone}, frame=np.eye(3))
    image = _render(
        one,
        channels=["stellar_mass"],
        cameras={"face_on": 1},
        field_of_view=8,
        field_of_view_unit="kpc",
    ).images[0, 0]
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert (row + 0.5, column + 0.5) == (pytest.approx(8, abs=0.6), pytest.approx(20, abs=0.6))


def test_field_of_view_in_each_unit():
    one = galaxy(stars=2000)
    radius = one.properties["half_mass_radius"]
    for unit, expected in (("kpc", 12.0), ("half_mass_radius", 12 * radius)):
        table = _render(one, field_of_view=12, field_of_view_unit=unit).table
        assert table["field_of_view"] == [pytest.approx(expected)] * 2
        assert table["pixel_scale"] == [pytest.approx(expected / 32)] * 2
    # half of the light is where young stars are; measured if the snapshot does not say it
    table = _render(one, field_of_view=12, field_of_view_unit="half_light_radius").table
    stars = one.components["stars"]
    light = luminosities(
        ["r"],
        age=stars["age"],
        metallicity=stars["metallicity"],
        initial_mass=stars["initial_mass"],
    )[:, 0]
    within = np.linalg.norm(stars["position"], axis=1) <= table["half_light_radius"][0]
    assert light[within].sum() == pytest.approx(0.5 * light.sum(), rel=0.02)
    assert table["field_of_view"][0] == pytest.approx(12 * table["half_light_radius"][0])
    said = dataclasses.replace(one, properties={**one.properties, "half_light_radius": 2.5})
    assert _render(said, field_of_view=10).table["field_of_view"] == [25.0, 25.0]


def test_table_has_the_properties_and_the_camera():
    one = galaxy(3)
    table = _render(one, cameras={"isotropic": 2, "edge_on": 1}).table
    assert table["image_id"] == ["test_99_3_c0", "test_99_3_c1", "test_99_3_c2"]
    assert table["galaxy_id"] == ["test_99_3"] * 3
    assert table["source"] == ["test"] * 3
    assert table["n_stars"] == [800] * 3
    assert table["camera"] == [0, 1, 2]
    assert table["camera_kind"] == ["isotropic", "isotropic", "edge_on"]
    assert table["inclination"][2] == pytest.approx(90)
    direction = np.array([table[f"camera_{letter}"] for letter in "xyz"])
    np.testing.assert_allclose(np.linalg.norm(direction, axis=0), 1)
    assert {len(values) for values in table.values()} == {3}


@pytest.mark.parametrize("stars", [0, 1, 2, 3])
@pytest.mark.parametrize("smoothing", ["snapshot", "neighbours"])
def test_hardly_any_stars(stars, smoothing):
    pictures = _render(galaxy(stars=stars, gas=stars), channels=["i", *MAPS], smoothing=smoothing)
    density = [0, 1, 2, 4]
    assert np.isfinite(pictures.images[:, density]).all()
    assert (pictures.images[:, 1].sum() > 0) == (stars > 0)
    assert np.array(pictures.table["field_of_view"]).min() >= 2.0


def test_zero_smoothing_is_a_pixel_wide():
    one = galaxy(stars=1)
    one = _with_stars(one, smoothing_length=np.zeros(1), position=np.zeros((1, 3)))
    image = _render(one, channels=["stellar_mass"]).images[0, 0]
    assert np.isfinite(image).all()
    assert image[14:18, 14:18].sum() == pytest.approx(image.sum())


def test_particles_that_are_not_numbers_are_left_out_and_counted():
    one = galaxy(stars=300)
    position, mass = one.components["stars"]["position"].copy(), np.ones(300)
    position[3, 1], position[7], mass[11], mass[12] = np.nan, np.inf, np.nan, -1.0
    age = one.components["stars"]["age"].copy()
    broken = _with_stars(one, position=position, mass=mass, age=age)
    pictures = _render(broken, channels=["stellar_mass", "r"], **_wide(one))
    assert pictures.dropped == 4
    area = pictures.table["pixel_scale"][0] ** 2
    assert pictures.images[0, 0].sum() * area == pytest.approx(296, rel=1e-3)


def test_smoothing_lengths_that_are_not_numbers_come_from_neighbours():
    one = galaxy(stars=300)
    lengths = from_neighbours(one.components["stars"]["position"], 32)
    holes = lengths.copy()
    holes[::7] = np.nan
    holes[1::7] = -1
    found, expected = (
        _render(_with_stars(one, smoothing_length=values), channels=["stellar_mass"]).images
        for values in (holes, lengths)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_no_light_without_ages_unless_an_age_is_assumed():
    one = galaxy(stars=100)
    fields = {k: v for k, v in one.components["stars"].items() if k not in ("age", "metallicity")}
    undated = dataclasses.replace(one, components={"stars": fields})
    with pytest.raises(InputError, match=r"no light in i, r, g.*100 of 100 stars.*assumed_age"):
        _render(undated)
    with pytest.raises(InputError, match=r"no light in u.*magnitudes in U, B, V"):
        _render(
            _with_stars(
                undated,
                magnitudes=galaxy(stars=100, magnitudes=True).components["stars"]["magnitudes"],
            ),
            channels=["r", "u"],
            bands=BANDS,
        )
    images = _render(undated, assumed_age=5.0).images
    # one age, one colour
    colour = images[:, 0] / np.where(images[:, 2] > 0, images[:, 2], np.nan)
    assert np.nanmax(colour) == pytest.approx(np.nanmin(colour), rel=1e-2)


def test_a_field_that_a_channel_needs_is_missing():
    one = galaxy(stars=50)
    gas = {k: v for k, v in one.components["gas"].items() if k != "sfr"}
    poor = dataclasses.replace(one, components={**one.components, "gas": gas})
    with pytest.raises(InputError, match=r"channel sfr: the particles have no sfr, only density"):
        _render(poor, channels=["sfr"])


def test_smoothing_lengths_of_an_even_density():
    random = np.random.default_rng(2)
    places = random.uniform(0, 10, (20000, 3))
    inner = (np.abs(places - 5) < 3).all(axis=1)
    expected = np.cbrt(3 / (4 * np.pi) * 32 / 20)
    assert np.median(from_neighbours(places, 32)[inner]) == pytest.approx(expected, rel=0.05)
    assert np.median(from_neighbours(places[:4000], 32)[inner[:4000]]) == pytest.approx(
        np.cbrt(3 / (4 * np.pi) * 32 / 4), rel=0.05
    )
    np.testing.assert_allclose(from_density(np.full(3, 2.0), np.full(3, 40.0), 32), expected)
    assert from_neighbours(np.zeros((1, 3)), 32) == [0]
