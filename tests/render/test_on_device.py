"""The projection by PyTorch, here on the CPU, against that by compiled loops and the slow one."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pytest

from factories_galaxies import galaxy, write_galaxyset
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.render import project as fast
from morphosphere.render.__main__ import main
from morphosphere.render.on_device import device_of, project_on
from morphosphere.render.project import project, sort_into_levels
from morphosphere.render.reference import project_directly
from ranks import run_ranks

SIZE = 48


def _scene(count: int, *, views: int = 1, channels: int = 1, seed: int = 2):
    """Particles within and outside the picture, kernel radii from 1 to about 60 px."""
    random = np.random.default_rng(seed)
    places = random.normal(SIZE / 2, SIZE / 4, (views, count, 2))
    support = np.maximum(1.0, np.exp(random.normal(1.0, 0.9, count)))
    return places, random.lognormal(0, 1, (channels, views, count)), support


@pytest.mark.parametrize("size", [SIZE, 37])
def test_it_is_the_projection_by_compiled_loops(monkeypatch, size):
    monkeypatch.setattr(fast, "deposits", lambda *_: True)
    places, weights, support = _scene(800, views=3, channels=2)
    levels = sort_into_levels(support, 1.0)
    assert levels.radius(len(levels)) > 20
    for some in (weights, -weights, weights[:, :1]):
        expected = project(places, some, levels, size=size)
        found = project_on("cpu", places, some, levels, size=size)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_it_agrees_with_the_reference():
    places, weights, support = _scene(1500)
    levels = sort_into_levels(support, 1.0)
    expected = project_directly(places[0], weights[0, 0], support, size=SIZE)
    found = project_on("cpu", places, weights, levels, size=SIZE)[0, 0]
    assert np.abs(found - expected).sum() < 0.01 * expected.sum()


def test_order_of_particles_changes_no_digit():
    places, weights, support = _scene(500, channels=2)
    # with one radius, particles are summed up in the order in which they come
    support[:] = 3.0
    shuffled = np.random.default_rng(4).permutation(500)
    first, other = (
        project_on("cpu", places[:, n], weights[..., n], sort_into_levels(support, 1.0), size=SIZE)
        for n in (np.arange(500), shuffled)
    )
    np.testing.assert_array_equal(first, other)


def test_nothing_and_weightless_particles():
    levels = sort_into_levels(np.zeros(0), 1.0)
    image = project_on("cpu", np.zeros((2, 0, 2)), np.zeros((3, 1, 0)), levels, size=16)
    assert image.shape == (2, 3, 16, 16)
    assert not image.any()
    places, weights, support = _scene(20)
    levels = sort_into_levels(support, 1.0)
    assert not project_on("cpu", places, 0 * weights, levels, size=16).any()


def test_large_and_small_weights_keep_their_digits():
    places, weights, support = _scene(300)
    levels = sort_into_levels(support, 1.0)
    plain = project_on("cpu", places, weights, levels, size=SIZE)
    for factor in (2.0**60, 2.0**-60):
        scaled = project_on("cpu", places, factor * weights, levels, size=SIZE)
        np.testing.assert_array_equal(scaled, factor * plain)


#: Runs the stage as if PyTorch's CPU were a GPU.
_AS_GPU = """
import sys
from morphosphere.render import on_device
on_device.device_of = lambda *_: "cpu"
from morphosphere.render.__main__ import main
from morphosphere.stage import main_of
main_of(main)
"""


def test_the_stage_on_a_device_with_one_rank_and_two(tmp_path):
    galaxies = [galaxy(n, stars=60 + 200 * n, magnitudes=True) for n in range(4)]
    path = write_galaxyset(tmp_path / "in" / "0.h5", galaxies, simulation="test")
    settings = {"size": 16, "cameras": {"isotropic": 2}}
    words = ["--input", str(path), "--output"]
    plain = ["--settings", json.dumps(settings)]
    assert main([*words, str(tmp_path / "cpu"), *plain]) == 0
    there = ["--settings", json.dumps({**settings, "device": "auto"})]
    script = tmp_path / "as_gpu.py"
    script.write_text(_AS_GPU)
    for ranks in (1, 2):
        more = ["--ranks", str(ranks), *there]
        done = run_ranks(ranks, [str(script), *words, str(tmp_path / str(ranks)), *more])
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "1" / "0.h5").read_bytes() == (tmp_path / "2" / "0.h5").read_bytes()
    with ImageSet(tmp_path / "cpu" / "0.h5") as one, ImageSet(tmp_path / "1" / "0.h5") as two:
        expected, found = one.read(0, 8), two.read(0, 8)
    assert not np.array_equal(found, expected), "the device was not used"
    assert np.abs(found - expected).sum() < 0.01 * expected.sum()


def test_a_gpu_that_is_not_there_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    path = write_galaxyset(tmp_path / "0.h5", [galaxy(1, magnitudes=True)])
    words = ["--input", str(path), "--output", str(tmp_path / "out")]
    assert main([*words, "--settings", '{"device": "cuda"}']) == 1
    assert "render.device is cuda, but PyTorch finds no GPU here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_pytorch_auto_is_the_cpu(monkeypatch):
    real = builtins.__import__

    def without(name, *words, **more):
        if name.partition(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return real(name, *words, **more)

    monkeypatch.setattr("morphosphere.devices._driver", lambda: True, raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert device_of("auto", World()) is None
    with pytest.raises(ConfigError, match="PyTorch is not installed here"):
        device_of("cuda", World())
