"""The task of structural parameters: its posterior, what it learns, what is exported."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from factories_sersic import SIZE, sersic_settings, write_discs
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.learn import LearnSettings
from morphosphere.config.sersic_learn import FillSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.files import read_json
from morphosphere.learn.profile_images import facts_of, latents_of, observe, over_noise
from morphosphere.learn.sersic import SersicTask, factors_of
from morphosphere.learn.sersic_bundle import load_sersic_networks
from morphosphere.learn.sersic_networks import SersicNetworks, inverse
from morphosphere.learn.training import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 400 discs, and the images it was trained on, in a folder."""
    folder = tmp_path_factory.mktemp("sersic")
    images = write_discs(folder / "images.h5", 400)
    settings = sersic_settings(epochs=25, learning_rate=0.004, hidden=96, patience=25)
    train(images, output=folder / "model", training=folder / "training", settings=settings, seed=1)
    return folder


def _observed(path: Path, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images over their noise, facts and latents of an ImageSet without noise."""
    torch.manual_seed(seed)
    with ImageSet(path) as source:
        names = [name for name in source.columns if source.column(name).dtype != object]
        table = {name: torch.from_numpy(source.column(name)) for name in names}
        images = torch.from_numpy(source.read(0, len(source)))
    noisy = observe(images, table)
    scaled, latents = over_noise(noisy, latents_of(table, 1), table["sky_noise"])
    return scaled, facts_of(table, SIZE), latents


def test_the_inverse_of_a_triangle() -> None:
    torch.manual_seed(1)
    factor = torch.tril(torch.randn(7, 5, 5, dtype=torch.float64))
    factor += 3 * torch.eye(5)
    np.testing.assert_allclose(inverse(factor) @ factor, torch.eye(5).expand(7, 5, 5), atol=1e-9)


@pytest.mark.parametrize("components", [1, 2])
def test_the_covariance_is_that_of_the_posterior(components: int) -> None:
    """What is exported is the mean and covariance of the density that is trained."""
    torch.manual_seed(2)
    settings = sersic_settings(components=components)
    networks = SersicNetworks(SIZE, settings).eval()
    for parameter in networks.layers.last.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    networks.target_std.copy_(torch.rand(networks.count) + 0.2)
    networks.target_mean.copy_(torch.randn(networks.count))
    images, facts = 20 * torch.randn(6, 1, SIZE, SIZE).abs(), torch.rand(6, 10)
    with torch.no_grad():
        mean, factor, angle, light, _ = networks.describe(images, facts)
        latents, cholesky, distance = networks(images, facts)
    assert distance.shape == (6,)
    assert (torch.diagonal(cholesky, dim1=1, dim2=2) > 0).all()
    assert (torch.triu(cholesky, 1) == 0).all()
    # A precision A^T A in the frame: with any latents, the squares of both must agree.
    other = latents + 0.1 * torch.randn_like(latents)
    targets = SersicNetworks.to_frame(other, angle, light)
    apart = (targets - networks.target_mean) / networks.target_std - mean
    inside = (factor @ apart[:, :, None]).square().sum((1, 2))
    solved = torch.linalg.solve_triangular(cholesky, (other - latents)[:, :, None], upper=False)
    np.testing.assert_allclose(solved.square().sum((1, 2)), inside, rtol=2e-3)
    np.testing.assert_allclose(SersicNetworks.from_frame(targets, angle, light), other, atol=1e-5)


def test_parameters_are_learned_and_calibrated(trained: Path) -> None:
    images = write_discs(trained / "others.h5", 300, seed=9)
    network = load_sersic_networks(trained / "model", "cpu")
    scaled, facts, latents = _observed(images, 3)
    with torch.no_grad():
        mean, cholesky, distance = network(scaled, facts)
    error = (mean - latents).numpy()
    r2 = 1 - (error**2).mean(0) / latents.numpy().var(0)
    assert (r2[:2] > 0.9).all(), r2
    assert (r2[3:] > 0.7).all(), r2
    info = read_json(trained / "model" / "model.json")
    std = np.sqrt((cholesky.numpy() ** 2).sum(2)) * info["calibration"]["scale"]
    inside = (np.abs(error) < std).mean(0)
    assert ((inside > 0.5) & (inside < 0.85)).all(), inside
    assert info["task"] == "sersic"
    assert info["latents"][0] == "instrumental_magnitude"
    assert (distance > info["domain"]["limit"]).float().mean() < 0.1
    # Two galaxies in an image are not what such a galaxy would show.
    two = scaled + torch.roll(scaled.flip(0), (7, -6), (2, 3))
    with torch.no_grad():
        assert (network(two, facts)[2] > info["domain"]["limit"]).float().mean() > 0.8


def test_deviations_are_scaled_by_brightness() -> None:
    random = np.random.default_rng(1)
    bright = random.uniform(-10, -4, 1200)
    apart = np.abs(random.normal(size=(1200, 2))) * np.where(bright < -7, 3.0, 1.0)[:, None]
    at, scales = factors_of(apart, bright)
    assert len(at) == 6
    assert at == sorted(at)
    np.testing.assert_allclose(scales, 3 * [[3.0, 3.0]] + 3 * [[1.0, 1.0]], rtol=0.2)
    assert factors_of(apart[:200], bright[:200]) == ([], [])


def test_the_exported_network_says_the_same(trained: Path) -> None:
    scaled, facts, _ = _observed(trained / "images.h5", 4)
    bundle = ModelBundle.load(trained / "model")
    said = bundle.run("encoder", {"images": scaled[:5].numpy(), "facts": facts[:5].numpy()})
    with torch.no_grad():
        expected = load_sersic_networks(trained / "model", "cpu")(scaled[:5], facts[:5])
    assert list(said) == ["mean", "cholesky", "distance"]
    for ours, theirs in zip(expected, said.values()):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-4)


def test_the_magnitude_alone_is_learned_first(trained: Path) -> None:
    settings = sersic_settings(first_epochs=1)
    task = SersicTask(settings, ModelBundle.load(trained / "model").transform)
    scaled, facts, latents = _observed(trained / "images.h5", 5)
    task.networks.standardise(scaled, facts, latents)
    with ImageSet(trained / "images.h5") as source:
        names = (*SersicTask.columns_of(settings),)
        batch = {name: torch.from_numpy(source.column(name))[:16] for name in names}
        batch |= {"images": torch.from_numpy(source.read(0, 16)), "row": torch.arange(16)}
    found = []
    for epoch in (0, 1):
        task.current_epoch = epoch
        torch.manual_seed(0)
        pieces = task.losses(batch)
        wanted = pieces["parameters" if epoch else "magnitude"] + pieces["signals"]
        assert pieces["loss"].item() == pytest.approx(wanted.item())
        found.append(pieces["loss"].item())
    assert found[0] != found[1]


def test_fine_tuning_starts_from_all_weights_and_few_images(trained: Path) -> None:
    use = np.where(np.arange(60) % 2, "adapt", "test").tolist()
    images = write_discs(trained / "real.h5", 60, seed=11, use=use)
    settings = sersic_settings(
        hidden=96,
        encoder={"rings": 10, "harmonics": [0, 1, 2, 4], "start": str(trained / "model")},
        fill={"noise": False, "magnitudes": "kept"},
        split={"validation": 0.2, "test": 0.0},
        limit=12,
        batch_size=4,
        learning_rate=1e-6,
    )
    out = trained / "adapted"
    train(images, output=out, training=trained / "again", settings=settings, seed=1)
    info, before = read_json(out / "model.json"), read_json(trained / "model" / "model.json")
    assert info["training"]["train_images"] == 12
    assert info["calibration"] == before["calibration"]
    assert info["domain"] == before["domain"]
    old = load_sersic_networks(trained / "model", "cpu").state_dict()
    new = load_sersic_networks(out, "cpu").state_dict()
    assert all(torch.allclose(new[name], old[name], atol=1e-3) for name in old)
    assert any(not torch.equal(new[name], old[name]) for name in old)


def test_another_encoder_reads_the_image_as_it_is(tmp_path: Path) -> None:
    images = write_discs(tmp_path / "images.h5", 60)
    settings = sersic_settings(encoder={"name": "convolutional", "width": 4, "rings": 10}, epochs=1)
    train(images, output=tmp_path / "model", training=tmp_path / "t", settings=settings, seed=1)
    assert read_json(tmp_path / "model" / "model.json")["encoder"] == "convolutional"
    assert ModelBundle.load(tmp_path / "model").info["latents"][-1] == "e2"


def test_images_without_what_is_needed_are_told(tmp_path: Path, trained: Path) -> None:
    bad = write_discs(tmp_path / "bad.h5", 60, gain=np.r_[0.0, np.ones(59)])
    with pytest.raises(InputError, match="gain is not above 0 in 1 rows, the first is 0"):
        _train(bad, tmp_path)
    with ImageSet(trained / "images.h5") as source:
        assert SersicTask.kept(source, sersic_settings()).all()
        with pytest.raises(InputError, match="has no column bulge_radius, bulge_to_total"):
            SersicTask.kept(source, sersic_settings(components=2))
    unknown = write_discs(tmp_path / "unknown.h5", 60, radius=np.r_[np.nan, np.ones(59)])
    with ImageSet(unknown) as source:
        assert SersicTask.kept(source, sersic_settings()).sum() == 59


def test_images_that_no_model_is_adapted_to(tmp_path: Path) -> None:
    few = write_discs(tmp_path / "few.h5", 6, use=["adapt"] * 3 + ["test"] * 3)
    with pytest.raises(InputError, match=r"3 of its 6 images are for adaptation.*labels: none"):
        _train(few, tmp_path)
    masked = write_discs(tmp_path / "masked.h5", 6, use=["adapt"] * 6)
    with h5py.File(masked, "r+") as file:
        file["images"][1, 0, SIZE // 2, SIZE // 2] = np.nan
        file["images"][2, 0, 0, 0] = np.nan
    with ImageSet(masked) as source:
        kept = SersicTask.kept(source, sersic_settings())
    assert kept.tolist() == [True, False, True, True, True, True]


def test_images_of_another_size_are_not_stretched(tmp_path: Path) -> None:
    images = write_discs(tmp_path / "images.h5", 60)
    wide = {"size": 2 * SIZE, "scale": "fixed", "value": 1.0, "stretch": "none"}
    with pytest.raises(InputError, match=r"32 by 32 pixels, but the network reads 64"):
        _train(images, tmp_path, transform=wide)


def test_a_model_of_another_kind_is_no_start(tmp_path: Path, trained: Path) -> None:
    encoder = {"rings": 11, "harmonics": [0, 1, 2, 4], "start": str(trained / "model")}
    with pytest.raises(ConfigError, match="another kind or size"):
        _train(trained / "images.h5", tmp_path, encoder=encoder, hidden=96)
    with pytest.raises(ValueError, match="stretch none"):
        sersic_settings(transform={"size": 32, "stretch": "asinh"})
    with pytest.raises(ValueError, match="none is for the task sersic"):
        LearnSettings.model_validate({"transform": {"stretch": "none"}})
    assert FillSettings().noise


def _train(images: Path, folder: Path, **given: object) -> None:
    settings = sersic_settings(**given)
    train(images, output=folder / "model", training=folder / "t", settings=settings, seed=1)
