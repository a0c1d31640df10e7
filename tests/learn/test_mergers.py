"""The task of mergers: networks of any size, what they learn, what is exported."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from factories_mergers import merger_settings, write_encounters
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import split_of
from morphosphere.artefacts.transform import Transform
from morphosphere.errors import ConfigError, InputError
from morphosphere.learn.merger_networks import EncoderForExport, MergerNetworks
from morphosphere.learn.mergers import MergerTask, soft_bins
from morphosphere.learn.training import train
from morphosphere.mergers.reading import MergerModel


def _transform(size: int, channels: tuple[str, ...] = ("grey",)) -> Transform:
    return Transform(channels, size, scale="image", stretch="asinh")


@pytest.mark.parametrize("size", [64, 65, 88, 100, 128, 512])
def test_networks_take_images_of_any_size(size: int) -> None:
    networks = MergerNetworks(1, size, merger_settings()).eval()
    images = torch.rand(1, 1, size, size)
    with torch.no_grad():
        maps = networks.encoder(images)
        z, logits, regression, encounter = EncoderForExport(networks)(images)
        drawn = networks.decoder(networks.autoencoder.decode(z))
    assert 8 <= maps.shape[-1] < 17
    assert logits.shape == (1, 5, 32)
    assert regression.shape == (1, 5, 2)
    assert encounter.shape == (1,)
    assert drawn.shape == images.shape


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto", "mobilenetv4_conv_small"])
def test_backbones_of_timm_give_the_maps(name: str) -> None:
    settings = merger_settings(encoder={"name": name})
    networks = MergerNetworks(3, 96, settings).eval()
    with torch.no_grad():
        maps = networks.encoder(torch.rand(2, 3, 96, 96))
        drawn = networks.decoder(maps)
    assert maps.shape[-1] >= 8
    assert drawn.shape == (2, 3, 96, 96)


def test_weights_of_a_backbone_come_from_a_local_file(tmp_path) -> None:
    import timm

    torch.manual_seed(5)
    weights = timm.create_model("convnext_atto", pretrained=False).state_dict()  # of colour images
    torch.save(weights, tmp_path / "weights.pth")
    given = {"name": "convnext_atto", "weights": str(tmp_path / "weights.pth")}
    networks = MergerNetworks(1, 64, merger_settings(encoder=given))
    found = networks.encoder.backbone.state_dict()
    wanted = {
        key.replace("stages.", "stages_").replace("stem.", "stem_"): v for key, v in weights.items()
    }
    same = [key for key in found if key in wanted and found[key].shape == wanted[key].shape]
    assert len(same) >= len(found) - 2  # all but the first layer, which has fewer channels
    for key in same:
        torch.testing.assert_close(found[key], wanted[key])
    with pytest.raises(InputError, match="no such file"):
        MergerNetworks(1, 64, merger_settings(encoder=given | {"weights": "nowhere.pth"}))


def test_an_unknown_backbone_is_one_clear_error() -> None:
    with pytest.raises(ConfigError, match="timm has no backbone 'resnet_of_dreams'"):
        MergerNetworks(1, 64, merger_settings(encoder={"name": "resnet_of_dreams"}))


def test_targets_are_centred_on_the_true_value() -> None:
    place = torch.tensor([[0.0, 0.31, 1.0]])
    target = soft_bins(place, 50, 0.75)
    torch.testing.assert_close(target.sum(-1), torch.ones(1, 3))
    centres = (torch.arange(50) + 0.5) / 50
    assert float((target[0, 1] * centres).sum()) == pytest.approx(0.31, abs=0.002)


def test_images_with_unknown_labels_do_not_teach_them() -> None:
    task = MergerTask(merger_settings(), _transform(32))
    task.eval()  # norms see each image by itself
    known = {"time_since_pericentre": 100.0, "mass_ratio": 0.5, "size_ratio": 0.8}
    known |= {"separation": 20.0}
    images = torch.rand(3, 1, 32, 32)

    def surprise(inclination: float, others: float) -> float:
        batch = {name: torch.tensor([value, others, others]) for name, value in known.items()}
        batch |= {"inclination": torch.tensor([inclination, others, others])}
        batch |= {"is_encounter": torch.tensor([1.0, 0.0, 0.0])}
        with torch.no_grad():
            return float(task._surprise(task.networks.encoder(images), batch)["labels"])

    assert np.isfinite(surprise(30.0, np.nan))
    assert surprise(30.0, np.nan) != pytest.approx(surprise(60.0, np.nan), abs=1e-9)
    unknown = dict.fromkeys([*known, "inclination"], torch.full((3,), torch.nan))
    with torch.no_grad():
        maps = task.networks.encoder(images)
        nothing = task._surprise(maps, unknown | {"is_encounter": torch.zeros(3)})
    assert float(nothing["labels"]) == 0


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A model that was trained on drawn encounters, and their images."""
    folder = tmp_path_factory.mktemp("learned")
    images = write_encounters(folder / "images.h5", 400, singles=60)
    settings = merger_settings(epochs=12, learning_rate=0.005, augment={"observed": 0.0})
    train(images, output=folder / "model", training=folder / "training", settings=settings)
    return folder


def test_times_are_learned_and_single_galaxies_told(learned) -> None:
    model = MergerModel.load(learned / "model")
    with ImageSet(learned / "images.h5") as source:
        test = split_of(source.column("encounter_id")) == 2
        shown = test & (source.column("is_encounter") == 1)
        reading = model.read(model.bundle.transform(source.images[shown]))
        true = {label.name: source.column(label.name)[shown] for label in model.labels}
        single = test & (source.column("is_encounter") == 0)
        alone = model.read(model.bundle.transform(source.images[single]))
    said = model.labels[0].quantiles(reading.probability[0], [0.5])[:, 0]
    assert np.corrcoef(said, true["time_since_pericentre"])[0, 1] > 0.7
    assert reading.encounter_probability.mean() > alone.encounter_probability.mean() + 0.2


def test_the_bundle_says_what_its_numbers_mean(learned) -> None:
    info = MergerModel.load(learned / "model").bundle.info
    assert info["task"] == "mergers"
    assert [label["name"] for label in info["labels"]][:2] == [
        "time_since_pericentre",
        "mass_ratio",
    ]
    assert all(0.2 < label["temperature"] < 8 for label in info["labels"])
    assert 0 < info["outlier"]["reconstruction_error"] < 1
    assert info["training"]["train_images"] < 460 * 4


def test_encounters_are_never_divided(learned) -> None:
    with ImageSet(learned / "images.h5") as source:
        names, split = source.column("encounter_id"), split_of(source.column("encounter_id"))
    for name in np.unique(names.astype(str)):
        assert len(set(split[names == name])) == 1


def test_the_same_seed_gives_the_same_model(tmp_path) -> None:
    images = write_encounters(tmp_path / "images.h5", 24)
    for name in "ab":
        train(
            images,
            output=tmp_path / name,
            training=tmp_path / f"t{name}",
            settings=merger_settings(),
            seed=3,
        )
    one, other = (
        torch.load(tmp_path / name / "checkpoint.ckpt", weights_only=True)["weights"]
        for name in "ab"
    )
    assert all(torch.equal(one[key], other[key]) for key in one)
