from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from factories_models import blobs, small_settings
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings
from morphosphere.errors import ConfigError
from morphosphere.learn import load_model, train
from morphosphere.learn.__main__ import main
from morphosphere.learn.sphere import SphereTask
from morphosphere.learn.task import TrainingError

from .conftest import write_images

SMALL = {"transform": {"size": 17}, "batch_size": 32}


def _settings(**changes) -> LearnSettings:
    return small_settings(**{**SMALL, **changes})


def _weights(bundle: ModelBundle) -> dict[str, torch.Tensor]:
    return load_model(bundle.path)[0].state_dict()


def _table(training) -> list[dict[str, str]]:
    with open(training / "metrics.csv", newline="") as handle:
        return list(csv.DictReader(handle))


class Stop(Exception):
    """Stands for a kill."""


def test_stopped_and_resumed_equals_uninterrupted(pictures, tmp_path, monkeypatch):
    settings = _settings(epochs=3)
    whole = train(pictures, output=tmp_path / "a", training=tmp_path / "ta", settings=settings)

    measures = SphereTask.losses

    def stop_in_last_epoch(self, batch):
        if self.current_epoch == 2:
            raise Stop
        return measures(self, batch)

    monkeypatch.setattr(SphereTask, "losses", stop_in_last_epoch)
    with pytest.raises(Stop):
        train(pictures, output=tmp_path / "b", training=tmp_path / "tb", settings=settings)
    assert not (tmp_path / "b").exists()
    assert [row["epoch"] for row in _table(tmp_path / "tb")] == ["0", "1"]
    monkeypatch.setattr(SphereTask, "losses", measures)
    resumed = train(pictures, output=tmp_path / "b", training=tmp_path / "tb", settings=settings)

    assert [row["epoch"] for row in _table(tmp_path / "tb")] == ["0", "1", "2"]
    for ours, theirs in zip(_table(tmp_path / "ta"), _table(tmp_path / "tb")):
        assert float(ours["train_loss"]) == pytest.approx(float(theirs["train_loss"]), abs=1e-6)
    for name, value in _weights(whole).items():
        assert torch.allclose(value, _weights(resumed)[name], atol=1e-6), name


def test_bundle_says_what_it_is_and_computes_the_same_everywhere(pictures, tmp_path):
    bundle = train(pictures, output=tmp_path / "m", training=tmp_path / "t", settings=_settings())
    info = bundle.info
    assert info["task"] == "sphere"
    assert info["image_size"] == 17
    assert info["channels"] == ["c0", "c1", "c2"]
    assert info["training"]["images"] == 96
    assert info["training"]["digest"].startswith("sha256:")
    assert 0 < info["metrics"]["validation_l1"] < 1
    assert max(info["onnx_parity"].values()) <= 1e-4
    networks, transform = load_model(tmp_path / "m")
    with ImageSet(pictures) as images:
        seen = transform(images.read(0, 40))
    for count in (40, 1):
        mean, kappa, features = bundle.encode(seen[:count])
        with torch.no_grad():
            expected = [x.numpy() for x in networks.encode(torch.from_numpy(seen[:count]))]
        assert np.abs(mean - expected[0]).max() < 1e-4
        assert np.abs(kappa / expected[1] - 1).max() < 1e-3
        assert np.abs(features - expected[2]).max() < 1e-4
        drawn = bundle.decode(mean)
        assert drawn.shape == (count, 3, 17, 17)
        with torch.no_grad():
            assert np.abs(drawn - networks.decoder(torch.from_numpy(mean)).numpy()).max() < 1e-4


def test_changed_settings_or_broken_checkpoint_start_over(pictures, tmp_path, capfd):
    where = {"output": tmp_path / "m", "training": tmp_path / "t"}
    train(pictures, settings=_settings(), **where)
    train(pictures, settings=_settings(learning_rate=0.01), **where)
    assert "starts over" in capfd.readouterr().err
    assert len(_table(tmp_path / "t")) == 1
    last = tmp_path / "t" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:100])
    # Threads do not change a result: the same run, were its checkpoint not broken.
    train(pictures, settings=_settings(learning_rate=0.01, threads=1), **where)
    error = capfd.readouterr().err
    assert "going on from" in error
    assert "cannot be read" in error


def _spoiled(images: np.ndarray) -> np.ndarray:
    images = images.astype(np.float32)
    images[::3, :, 4:6] = np.nan
    images[1::3, 0, 0, 0] = np.inf
    images[2] = np.nan
    images[4] = 3.0
    return images


def test_images_of_odd_size_with_nan_train_from_disk(tmp_path):
    images = _spoiled(blobs(40, 12, 13).numpy())
    path = write_images(tmp_path / "images.h5", images)
    settings = small_settings(transform={"size": 11}, memory_mib=0, loss={"contrast": 0.01})
    bundle = train(path, output=tmp_path / "m", training=tmp_path / "t", settings=settings)
    mean, kappa, features = bundle.encode(bundle.transform(images))
    for value in (mean, kappa, features, bundle.decode(mean)):
        assert np.isfinite(value).all()


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("kind", ["constant", "spoiled"])
def test_losses_and_gradients_of_odd_images_are_finite(channels, kind):
    images = _spoiled(blobs(9, channels, 12).numpy())
    if kind == "constant":
        images[:] = 2.5
    names = tuple(f"c{k}" for k in range(channels))
    transform = Transform(channels=names, size=10, scale="image", stretch="asinh")
    settings = small_settings(transform={"size": 10}, loss={"contrast": 0.1, "residual": "circle"})
    torch.manual_seed(0)
    task = SphereTask(settings, transform)
    pieces = task.losses({"images": torch.from_numpy(transform(images))})
    pieces["loss"].backward()
    assert {name for name, value in pieces.items() if not torch.isfinite(value)} == set()
    for parameter in task.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def test_backbone_of_timm_trains_and_exports(tmp_path):
    path = write_images(tmp_path / "images.h5", blobs(24, 5, 31).numpy())
    wanted = {"name": "resnet10t", "rotations": 2}
    settings = small_settings(transform={"size": 21}, encoder=wanted, batch_size=8)
    bundle = train(path, output=tmp_path / "m", training=tmp_path / "t", settings=settings)
    assert bundle.info["encoder"] == "resnet10t"
    assert load_model(tmp_path / "m")[0].encoder.rotations == 2


def test_a_loss_that_is_not_finite_is_an_error(pictures, tmp_path, capfd):
    arguments = ["--images", str(pictures), "--output", str(tmp_path / "m")]
    arguments += ["--training", str(tmp_path / "t"), "--settings"]
    wild = {**SMALL, "learning_rate": 1e30, "clip": 1e30, "warmup": 0, "epochs": 2}
    settings = _settings(**wild).model_dump(mode="json")
    assert main([*arguments, json.dumps(settings)]) == 1
    assert "the loss is not finite" in capfd.readouterr().err
    assert not (tmp_path / "m").exists()


def test_mistakes_are_named(pictures, tmp_path, capfd):
    arguments = ["--output", str(tmp_path / "m"), "--training", str(tmp_path / "t")]
    (tmp_path / "cut.h5").write_bytes(pictures.read_bytes()[:1000])
    assert main(["--images", str(tmp_path / "cut.h5"), *arguments]) == 1
    assert "cannot be read as an ImageSet" in capfd.readouterr().err
    wrong = '{"epoch": 3, "concentration": [9, 3], "loss": {"kl": -1}, "transform": {"size": 2}}'
    assert main(["--images", str(pictures), *arguments, "--settings", wrong]) == 1
    error = capfd.readouterr().err
    for name in ("epoch: unknown key", "loss.kl", "transform.size"):
        assert name in error
    wrong = '{"concentration": [9, 3]}'
    assert main(["--images", str(pictures), *arguments, "--settings", wrong]) == 1
    assert "lower < upper" in capfd.readouterr().err
    with pytest.raises(ConfigError, match="--world-size 2, but 1 process"):
        train(
            pictures,
            output=tmp_path / "m",
            training=tmp_path / "t",
            settings=_settings(),
            world_size=2,
        )
    assert TrainingError.__mro__[1].__name__ == "MorphosphereError"


def test_two_processes_train_one_model(pictures, tmp_path):
    settings = _settings(epochs=2).model_dump(mode="json")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", "-m", "morphosphere.learn", "--images", str(pictures)]
    command += ["--output", str(tmp_path / "m"), "--training", str(tmp_path / "t")]
    command += ["--settings", json.dumps(settings), "--provenance", str(tmp_path / "run.json")]
    done = subprocess.run(
        [*command, "--world-size", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    bundle = ModelBundle.load(tmp_path / "m")
    assert bundle.info["training"]["processes"] == 2
    assert [row["epoch"] for row in _table(tmp_path / "t")] == ["0", "1"]
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["notes"]["train_images"] == bundle.info["training"]["train_images"]
