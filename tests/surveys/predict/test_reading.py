"""How a model of classes is read: calibration, decision, spread, type, domain."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from factories_classes import write_class_bundle
from factories_models import blobs
from morphosphere.errors import InputError
from morphosphere.files import read_json, write_json
from morphosphere.surveys.facts import model_version
from morphosphere.surveys.predict.soundness import broken
from morphosphere.surveys.reading import ClassModel
from morphosphere.views import view

CLASSES = ("a", "b", "c")
PRIORS = [0.7, 0.2, 0.1]
CALIBRATION = {"temperature": 1.7, "bias": [0.0, -0.3, 0.4]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_class_bundle(
        tmp_path_factory.mktemp("reading") / "model",
        classes=CLASSES,
        bins=30,
        priors=PRIORS,
        calibration=CALIBRATION,
    )


@pytest.fixture(scope="module")
def model(folder) -> ClassModel:
    return ClassModel.load(folder)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return blobs(12, 3, 32).numpy()


def _softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(np.asarray(x, dtype=np.float64))
    return x / x.sum(axis=-1, keepdims=True)


def test_a_reading_is_what_its_definition_says(model, images) -> None:
    """Written out step by step from the outputs of the network."""
    said = [model.encode(view(images, number)) for number in range(8)]
    members = np.mean([_softmax(one["logits"]) for one in said], axis=0)
    mean = members.mean(axis=1)
    expected = _softmax(np.log(mean) / 1.7 + CALIBRATION["bias"])
    found = model.read(images)
    np.testing.assert_allclose(found.uncalibrated, mean, rtol=1e-6)
    np.testing.assert_allclose(found.probability, expected, rtol=1e-6)
    np.testing.assert_allclose(found.std, members.std(axis=1), rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(found.predicted, np.argmax(expected / PRIORS, axis=1))
    np.testing.assert_allclose(found.confidence, expected[np.arange(12), found.predicted])
    distance = np.mean([one["distance"] for one in said], axis=0)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-6)
    types = np.mean([_softmax(one["type_logits"]).mean(axis=1) for one in said], axis=0)
    np.testing.assert_allclose(found.type_probability, types, rtol=1e-5)
    assert found.features.shape == (12, 8)


def test_balanced_and_most_probable_decisions_differ(folder, model, tmp_path) -> None:
    other = tmp_path / "model"
    shutil.copytree(folder, other)
    info = read_json(other / "model.json")
    write_json(other / "model.json", {**info, "decision": "most_probable"})
    chances = np.array([[0.6, 0.3, 0.1], [0.6, 0.1, 0.3]])
    assert model.decide(chances).tolist() == [1, 2]
    assert ClassModel.load(other).decide(chances).tolist() == [0, 0]


def test_readings_do_not_depend_on_orientation_nor_on_the_batch(model, images) -> None:
    turned = np.ascontiguousarray(np.rot90(images, axes=(2, 3))[..., ::-1])
    ours, theirs = model.read(images), model.read(turned)
    for name in ("probability", "std", "features", "distance", "type_probability"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-5)
    one = [model.read(x, 1).probability for x in (images, turned)]
    assert np.abs(one[0] - one[1]).max() > 1e-4
    np.testing.assert_array_equal(model.read(images).probability, ours.probability)
    np.testing.assert_allclose(model.read(images[:1]).probability, ours.probability[:1], rtol=1e-5)


def test_quantiles_of_the_type_are_in_order_and_in_its_range(model, images) -> None:
    found = model.type_quantiles(model.read(images))
    order = [f"type_{end}" for end in ("low95", "low68", "median", "high68", "high95")]
    values = np.stack([found[name] for name in order])
    assert (np.diff(values, axis=0) > 0).all()
    assert (values > -5).all()
    assert (values < 10).all()


def test_images_beyond_the_limit_are_outliers(folder, tmp_path, images) -> None:
    distance = ClassModel.load(folder).read(images).distance
    other = tmp_path / "model"
    shutil.copytree(folder, other)
    limit = float(np.median(distance))
    write_json(
        other / "model.json", {**read_json(other / "model.json"), "domain": {"limit": limit}}
    )
    found = ClassModel.load(other).read(images).outlier
    np.testing.assert_array_equal(found, distance > limit)
    assert 0 < found.sum() < 12


def test_a_version_follows_weights_and_how_they_are_read(folder, tmp_path) -> None:
    version = model_version(folder)
    assert len(version) == 12
    assert set(version) <= set("0123456789abcdef")
    other = tmp_path / "model"
    shutil.copytree(folder, other)
    assert model_version(other) == version
    write_json(other / "model.json", {**read_json(other / "model.json"), "members": 5})
    assert model_version(other) != version


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "mergers"}, "a model of the task 'mergers'"),
        ({"priors": [0.5, 0.5]}, "2 priors for 3 classes"),
        ({"priors": [0.5, 0.5, 0.0]}, "a class without labels"),
        ({"calibration": {"temperature": 1.0, "bias": [0.0]}}, "1 calibration.bias for 3 classes"),
        ({"decision": "best"}, "decision is 'best'"),
        ({"domain": None}, "lacks domain"),
    ],
)
def test_a_bundle_that_cannot_be_read_is_one_clear_error(folder, tmp_path, change, said) -> None:
    other = tmp_path / "model"
    shutil.copytree(folder, other)
    (other / "decoder.onnx").touch()  # of another task
    info = {**read_json(other / "model.json"), **change}
    write_json(other / "model.json", {k: v for k, v in info.items() if v is not None})
    with pytest.raises(InputError, match=said):
        ClassModel.load(other)


def test_images_that_show_nothing_are_told_apart() -> None:
    random = np.random.default_rng(0)
    images = random.normal(size=(6, 3, 10, 10)).astype(np.float32)
    images[1] = 3.0
    images[2] = np.nan
    images[3, 0, :2] = np.inf
    images[4, 0, 0, 0] = np.nan
    images[5] = 3.0
    images[5, 1, 4, 4] = np.nan
    assert broken(images).tolist() == [False, True, True, True, False, True]
    assert broken(np.zeros((1, 3, 4, 4), np.uint8)).tolist() == [True]


def test_pytorch_reads_as_onnx_runtime_does(tmp_path, images) -> None:
    """The networks that GPUs run, with the outputs in the order in which they are named."""
    import dataclasses

    import torch

    from morphosphere.artefacts.transform import Transform
    from morphosphere.config.base import check
    from morphosphere.config.class_learn import ClassLearnSettings
    from morphosphere.learn.class_bundle import load_class_networks, write_class_bundle
    from morphosphere.learn.class_networks import ClassNetworks
    from morphosphere.posterior import Label

    given = {"classes": ["a", "b"], "type": {"bins": 8}, "members": 2, "masks": 2, "hidden": 8}
    given |= {"encoder": {"name": "convolutional", "width": 4, "maps": 4}, "features": 4}
    settings = check(ClassLearnSettings, given, source="test")
    torch.manual_seed(0)
    write_class_bundle(
        tmp_path / "model",
        networks=ClassNetworks(3, 32, settings),
        settings=settings,
        transform=Transform(channels=("i", "r", "g"), size=32),
        reading={
            "classes": ["a", "b"],
            "priors": [0.5, 0.5],
            "calibration": {"temperature": 1.0, "bias": [0.0, 0.0]},
            "decision": "balanced",
            "members": 4,
            "type": dataclasses.asdict(Label("type", -7.0, 12.0)),
            "domain": {"limit": 3.0},
        },
        examples=torch.from_numpy(images[:3]),
        training={},
        metrics={},
    )
    onnx = ClassModel.load(tmp_path / "model")
    networks = load_class_networks(tmp_path / "model", "cpu")
    ours, theirs = (dataclasses.replace(onnx, network=x).read(images) for x in (networks, None))
    for name in ("probability", "std", "features", "distance", "type_probability"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-3, atol=1e-4, err_msg=name
        )
    assert ours.type_probability.shape == (12, 8)
