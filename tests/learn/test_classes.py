"""The task of classes: what it learns, how parts wait their turn, what is exported."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from factories_surveys import class_settings, labelled_images, write_labelled
from morphosphere import calibration
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import split_of
from morphosphere.artefacts.transform import Transform
from morphosphere.errors import ConfigError, InputError
from morphosphere.learn.class_bundle import load_class_networks
from morphosphere.learn.class_networks import ClassNetworks, FeatureSpace
from morphosphere.learn.classes import ClassTask
from morphosphere.learn.data import Batches
from morphosphere.learn.table import EpochTable
from morphosphere.learn.training import train
from morphosphere.surveys.reading import ClassModel


def _transform(size: int = 24, channels: tuple[str, ...] = ("r",)) -> Transform:
    return Transform(channels, size, scale="image")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that was trained on a few blobs, with its images."""
    folder = tmp_path_factory.mktemp("classes")
    images = write_labelled(folder / "images.h5", 400)
    settings = class_settings(epochs=8, type={"low": -6, "high": 6, "bins": 24})
    train(images, output=folder / "model", training=folder / "training", settings=settings)
    return folder


@pytest.mark.parametrize("name", ["convolutional", "polar", "resnet10t"])
def test_any_encoder_gives_what_the_bundle_says(name: str) -> None:
    settings = class_settings(encoder={"name": name, "width": 4, "maps": 3}, type={"bins": 20})
    networks = ClassNetworks(3, 48, settings).eval()
    with torch.no_grad():
        features, logits, distance, told = networks(torch.rand(5, 3, 48, 48))
    assert features.shape == (5, 4)
    assert logits.shape == (5, 4, 2)  # two members with two masks each
    assert told.shape == (5, 4, 20)
    assert distance.shape == (5,)


def test_reading_is_deterministic_and_masks_differ() -> None:
    networks = ClassNetworks(1, 24, class_settings(members=1, masks=3)).eval()
    images = torch.rand(4, 1, 24, 24)
    with torch.no_grad():
        first, second = networks(images)[1], networks(images)[1]
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert float(first.std(dim=1).max()) > 0


def test_a_trained_model_tells_new_blobs(trained) -> None:
    images, label = labelled_images(100, seed=77)
    model = ClassModel.load(trained / "model")
    reading = model.read(model.bundle.transform(images))
    assert (reading.probability.argmax(1) == label).mean() > 0.9
    truth = label * 6.0 - 3.0
    told = model.type.quantiles(reading.type_probability, [0.5])[:, 0]
    assert np.abs(told - truth).mean() < 1.5  # always saying the middle errs by 3


def test_noise_is_farther_from_training_than_blobs(trained) -> None:
    images, _ = labelled_images(40, seed=78)
    noise = np.random.default_rng(1).uniform(size=images.shape).astype(np.float32)
    model = ClassModel.load(trained / "model")
    near = model.read(model.bundle.transform(images)).distance
    far = model.read(model.bundle.transform(noise)).distance
    assert np.median(near) < model.bundle.info["domain"]["limit"] < np.median(far)


def test_the_checkpoint_computes_what_the_onnx_file_does(trained) -> None:
    images = torch.rand(3, 1, 24, 24)
    networks = load_class_networks(trained / "model", "cpu")
    theirs = ClassModel.load(trained / "model").bundle.run("encoder", {"images": images.numpy()})
    with torch.no_grad():
        ours = dict(zip(["features", "logits", "distance", "type_logits"], networks(images)))
    for name, value in ours.items():
        np.testing.assert_allclose(value.numpy(), theirs[name], rtol=1e-3, atol=1e-3)


def test_held_out_objects_are_those_of_the_settings(trained) -> None:
    facts = ClassModel.load(trained / "model").bundle.info["training"]
    with ImageSet(trained / "images.h5") as images:
        part = split_of(images.column("object"), validation=0.2, test=0.2)
    assert facts["train_images"] == (part == 0).sum()
    assert EpochTable(trained / "training").seconds() > 0


def test_parts_join_from_the_deepest(tmp_path) -> None:
    path = write_labelled(tmp_path / "images.h5", 80)
    start = {"members": 1, "epochs": 1, "average": 0}
    first = class_settings(**start)
    train(path, output=tmp_path / "first", training=tmp_path / "t1", settings=first)
    encoder = {"width": 4, "maps": 3, "start": str(tmp_path / "first")}
    waiting = class_settings(**start, encoder=encoder, unfreeze={"head_epochs": 1})
    train(path, output=tmp_path / "head", training=tmp_path / "t2", settings=waiting)
    step = class_settings(
        **(start | {"epochs": 2}), encoder=encoder, unfreeze={"head_epochs": 1, "stage_epochs": 9}
    )
    task = ClassTask(step, _transform())
    stages = task.networks.members[0].encoder.stages
    task.current_epoch = 1
    task.train()
    assert [part.training for part in stages] == [False] * (len(stages) - 1) + [True]
    task.current_epoch = 30
    task.train()
    assert all(part.training for part in stages)
    one, two = (load_class_networks(tmp_path / name, "cpu") for name in ("first", "head"))
    ours, theirs = one.members[0].state_dict(), two.members[0].state_dict()
    for name, value in ours.items():
        if name.startswith("encoder."):
            torch.testing.assert_close(value, theirs[name], rtol=0, atol=0)
    assert not torch.equal(ours["layer.0.weight"], theirs["layer.0.weight"])


def test_the_deepest_part_of_a_timm_backbone_is_the_last_that_is_read() -> None:
    settings = class_settings(encoder={"name": "resnet10t", "maps": 6})
    encoder = ClassNetworks(1, 48, settings).members[0].encoder
    encoder(torch.rand(2, 1, 48, 48)).sum().backward()
    assert all(weight.grad is not None for weight in encoder.stages[-1].parameters())
    assert encoder.stages[-1] is encoder.encoder.backbone.layer2
    assert all(part.training for part in encoder.modules())


def test_a_start_with_other_weights_is_trained_from_anew(tmp_path) -> None:
    path, small = write_labelled(tmp_path / "images.h5", 80), {"members": 1, "epochs": 1}
    encoder = {"width": 4, "maps": 3, "start": str(tmp_path / "first")}
    settings = class_settings(**small, encoder=encoder, unfreeze={"head_epochs": 1})
    for seed in (1, 2):
        first = {"training": tmp_path / f"t{seed}", "settings": class_settings(**small)}
        train(path, output=tmp_path / "first", seed=seed, **first)
        train(path, output=tmp_path / "next", training=tmp_path / "t", settings=settings)
        one, two = (load_class_networks(tmp_path / name, "cpu") for name in ("first", "next"))
        ours, theirs = one.members[0].encoder, two.members[0].encoder
        for name, value in ours.state_dict().items():
            torch.testing.assert_close(value, theirs.state_dict()[name], rtol=0, atol=0)


def test_an_encoder_of_another_width_is_refused(trained) -> None:
    encoder = {"width": 8, "maps": 3, "start": str(trained / "model")}
    with pytest.raises(ConfigError, match="of another kind, width or size"):
        ClassTask(class_settings(encoder=encoder), _transform())


def test_unlabelled_images_teach_nothing(tmp_path) -> None:
    label = np.where(np.arange(160) < 120, np.arange(160) % 2, np.nan)
    nothing = np.full(160, np.nan)
    path = write_labelled(tmp_path / "images.h5", label=label, type=nothing)
    with ImageSet(path) as images:
        kept = ClassTask.kept(images, class_settings())
        assert kept.tolist() == np.isfinite(label).tolist()
        rows = ClassTask.chosen(np.flatnonzero(kept), images, class_settings(label_limit=30))
    assert len(rows) == 30


def test_types_without_a_class_teach_only_where_types_are_learnt(tmp_path) -> None:
    label = np.where(np.arange(160) < 120, np.arange(160) % 2, np.nan)
    path = write_labelled(tmp_path / "images.h5", label=label, type=np.zeros(160))
    with ImageSet(path) as images:
        assert ClassTask.kept(images, class_settings()).sum() == 120
        assert ClassTask.kept(images, class_settings(type={"low": -6, "high": 6})).all()


def test_the_fewest_labels_are_of_every_class(tmp_path) -> None:
    label = np.where(np.arange(160) % 40 == 0, 0.0, 1.0)
    path = write_labelled(tmp_path / "images.h5", label=label)
    with ImageSet(path) as images:
        rows = [
            ClassTask.chosen(np.arange(160), images, class_settings(label_limit=limit))
            for limit in (2, 40)
        ]
    assert sorted(label[rows[0]]) == [0, 1]
    assert set(rows[0]) < set(rows[1])
    assert len(rows[1]) == 40


def test_a_class_without_images_is_one_clear_error(tmp_path) -> None:
    path = write_labelled(tmp_path / "images.h5", label=np.zeros(160))
    with pytest.raises(InputError, match=r"every class needs labelled images.*flat 0"):
        train(path, output=tmp_path / "m", training=tmp_path / "t", settings=class_settings())
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("shift", [-1, 1])
def test_labels_that_are_no_classes_are_one_clear_error(tmp_path, shift: int) -> None:
    path = write_labelled(tmp_path / "images.h5", label=np.arange(160) % 2 + float(shift))
    with pytest.raises(InputError, match=f"from {shift} to {1 + shift} for 2 classes"):
        train(path, output=tmp_path / "m", training=tmp_path / "t", settings=class_settings())


def test_calibration_finds_what_was_done_to_the_probabilities() -> None:
    random = np.random.default_rng(3)
    true = calibration.calibrated(random.dirichlet([1, 1], 20_000), 1.0, [0.0, 0.0])
    label = (random.uniform(size=len(true)) > true[:, 0]).astype(int)
    spoilt = calibration.calibrated(true, 0.5, [0.0, 1.0])
    temperature, bias = calibration.fit(spoilt, label)
    mended = calibration.calibrated(spoilt, temperature, np.array(bias))
    assert temperature == pytest.approx(2.0, rel=0.1)
    assert np.abs(mended - true).max() < 0.03


def test_the_distance_of_training_images_is_about_one() -> None:
    torch.manual_seed(1)
    x = torch.randn(4000, 12) * torch.linspace(0.5, 4, 12)
    space = FeatureSpace(12, 5)
    space.fit(x)
    features, distance = space(x)
    assert float(distance.square().mean()) == pytest.approx(1.0, rel=0.02)
    assert float(space(10 * x)[1].median()) > 5
    spread = torch.cov(features.T)
    torch.testing.assert_close(spread.diagonal(), space.variance, rtol=1e-3, atol=1e-3)


def test_the_distance_is_no_rounding_where_activations_hardly_differ() -> None:
    torch.manual_seed(2)
    x = 0.5 + 1e-4 * torch.randn(200, 16)
    space = FeatureSpace(16, 4)
    space.fit(x)
    noise = 1 + 1e-7 * torch.randn(200, 16, dtype=torch.float64)
    torch.testing.assert_close(space((x * noise).float())[1], space(x)[1], rtol=0, atol=5e-5)


def _batches(path, columns: tuple[str, ...], count: int) -> Batches:
    return Batches(path, np.arange(count), _transform(), batch_size=count, columns=columns)


def test_labels_of_a_model_do_not_change_what_is_common(tmp_path) -> None:
    people = np.arange(160) < 40  # nine in ten of theirs are flat; the model's are balanced
    label = np.where(people, np.arange(160) % 10 > 0, np.arange(160) % 2).astype(float)
    path = write_labelled(
        tmp_path / "images.h5",
        label=label,
        label_weight=np.where(people, 1, 0.5),
        label_origin=np.where(people, "match", "pseudo").tolist(),
    )
    settings = class_settings(class_weights="balanced")
    task = ClassTask(settings, _transform())
    batches = _batches(path, task.columns_of(settings), 160)
    task.prepare(batches, batches)
    np.testing.assert_allclose(task.shares.priors, [0.1, 0.9])
    shares = np.array([4 + 30, 36 + 30]) / 100
    np.testing.assert_allclose(task.weights, 0.5 / shares, rtol=1e-6)
    # Balanced weights take all shares away: what is left is to give back those of people.
    np.testing.assert_allclose(task.shares.odds * task.shares.priors, 0.5)


def test_parts_of_a_step_add_up_to_its_loss(tmp_path) -> None:
    random = np.random.default_rng(5)
    path = write_labelled(
        tmp_path / "images.h5",
        16,
        label=np.where(np.arange(16) < 9, np.arange(16) % 2, np.nan),
        label_weight=random.uniform(0.2, 1, 16),
        type=np.where(np.arange(16) > 5, np.linspace(-5, 5, 16), np.nan),
    )
    settings = class_settings(type={"low": -6, "high": 6, "bins": 24})
    task = ClassTask(settings, _transform()).eval()
    batches = _batches(path, task.columns_of(settings), 16)
    task.prepare(batches, batches)
    batch = batches[0, 0]
    order = np.argsort(batch["row"])
    with torch.no_grad():
        whole = task.measures(batch)
        for name, value in whole.items():
            parts = [
                len(rows) / 16 * task.measures({k: v[rows] for k, v in batch.items()})[name]
                for rows in (order[:5], order[5:13], order[13:])
            ]
            torch.testing.assert_close(sum(parts), value)


def test_weights_of_the_hub_are_taken_or_missed_in_one_line(monkeypatch) -> None:
    import timm

    torch.manual_seed(5)
    weights = timm.create_model("resnet10t", pretrained=False).state_dict()
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: weights)
    settings = class_settings(members=1, encoder={"name": "resnet10t", "weights": "hub"})
    found = ClassNetworks(3, 48, settings).members[0].encoder.encoder.backbone.state_dict()
    same = [name for name in found if name in weights]
    assert len(same) > 20
    for name in same:
        torch.testing.assert_close(found[name], weights[name])

    def unreachable(*_, **__):
        raise FileNotFoundError("the hub does not answer")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", unreachable)
    with pytest.raises(InputError, match=r"cannot be had from timm's hub \(the hub does not"):
        ClassNetworks(3, 48, settings)
