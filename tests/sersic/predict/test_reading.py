"""How a model of structural parameters is read: units, calibration, bundles that do not fit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from factories_sersic_stamps import NOISE, light_of, taken, write_sersic_stub
from morphosphere.errors import InputError
from morphosphere.files import read_json, write_json
from morphosphere.sersic.reading import SersicModel
from morphosphere.structure.facts import facts_of

from .conftest import Scene

VALUES = {
    "magnitude": 20.0,
    "radius": 0.5,
    "sersic_index": 1.0,
    "axis_ratio": 0.6,
    "position_angle": 30.0,
}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """The same galaxy three times, at 1, 2 and 10 times the unit."""
    light = light_of(VALUES)
    return np.stack([light, 2 * light, 10 * light])[:, None].astype(np.float32)


def test_a_reading_is_what_its_definition_says(scene: Scene, images) -> None:
    model = SersicModel.load(scene.model)
    columns = taken(3, sky_noise=np.array([NOISE, 2 * NOISE, 10 * NOISE]))
    found = model.read(images, columns)
    noise = columns["sky_noise"][:, None, None, None]
    mean, root, distance = model.encode((images / noise).astype(np.float32), facts_of(columns, 128))
    np.testing.assert_allclose(found.relative, mean, rtol=1e-5)
    np.testing.assert_allclose(found.latent[:, 1:], mean[:, 1:], rtol=1e-5)
    shift = -2.5 * np.log10(columns["sky_noise"])
    np.testing.assert_allclose(found.latent[:, 0], mean[:, 0] + shift, rtol=1e-5)
    np.testing.assert_allclose(found.covariance, root @ root.transpose(0, 2, 1), rtol=1e-5)
    np.testing.assert_allclose(found.distance, distance)
    # In another unit the same galaxy is brighter by its factor.
    np.testing.assert_allclose(found.latent[1:, 0] - found.latent[0, 0], [-0.7526, -2.5], atol=1e-3)


def test_calibration_stretches_deviations_alone(scene: Scene, images, tmp_path) -> None:
    scale = [2.0, 1.0, 1.0, 0.5, 3.0]
    other = SersicModel.load(write_sersic_stub(tmp_path / "m", calibration={"scale": scale}))
    before = SersicModel.load(scene.model).read(images, taken(3)).covariance
    after = other.read(images, taken(3)).covariance
    np.testing.assert_allclose(after, before * np.outer(scale, scale), rtol=1e-6)


def test_smaller_and_larger_images_are_brought_to_the_network(scene: Scene) -> None:
    model = SersicModel.load(scene.model)
    whole = light_of(VALUES, 160).astype(np.float32)
    read = [
        model.read(whole[None, None, a : 160 - a, a : 160 - a], taken(1)).latent[0]
        for a in (0, 16, 30)
    ]
    np.testing.assert_allclose(read[0], read[1])
    assert abs(read[2][0] - read[1][0]) < 0.1


def test_without_noise_or_psf_nothing_is_told(scene: Scene, images) -> None:
    columns = taken(3)
    columns["sky_noise"][0] = 0.0
    columns["psf_ee_1"][1] = np.nan
    found = SersicModel.load(scene.model).read(images, columns)
    assert np.isnan(found.latent[:2]).all()
    assert np.isfinite(found.latent[2]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "classes"}, "a model of the task 'classes'"),
        ({"version": 99}, "not a ModelBundle of version"),
        ({"facts": ["depth"]}, "told depth, but this version knows"),
        ({"components": 3}, "components is 3"),
        ({"calibration": {"scale": [1.0]}}, "1 calibrations"),
        ({"prior": {}}, "prior lacks instrumental_magnitude"),
        ({"domain": None}, None),
    ],
)
def test_bundles_that_do_not_fit_are_errors(scene: Scene, tmp_path, change, said) -> None:
    folder = tmp_path / "model"
    shutil.copytree(scene.model, folder)
    info = {**read_json(folder / "model.json"), **change}
    if said is None:
        del info["domain"]
        said = "lacks domain"
    write_json(folder / "model.json", info)
    with pytest.raises(InputError, match=said):
        SersicModel.load(folder)


def test_a_bundle_without_network_is_an_error(scene: Scene, tmp_path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(scene.model, folder)
    (folder / "encoder.onnx").unlink()
    with pytest.raises(InputError, match=r"encoder\.onnx: missing"):
        SersicModel.load(folder)


def test_a_truncated_network_is_an_error(scene: Scene, tmp_path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(scene.model, folder)
    network = folder / "encoder.onnx"
    network.write_bytes(network.read_bytes()[:400])
    with pytest.raises(InputError, match=r"encoder\.onnx: cannot be read"):
        SersicModel.load(folder)


def test_models_of_two_components_are_read(tmp_path, images) -> None:
    model = SersicModel.load(write_sersic_stub(tmp_path / "model", components=2))
    found = model.read(images, taken(3))
    assert found.latent.shape == (3, 6)
    assert model.space.columns[2:4] == ("bulge_radius", "bulge_to_total")
