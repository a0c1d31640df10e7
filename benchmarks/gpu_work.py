"""What is measured on a GPU: training, passes through networks, pictures of tiles, projection.

Each function prepares everything on the device and returns a `Work`. Imports stay within the
functions: beside PyTorch and NumPy, the sphere and its decoder need pydantic, mergers also h5py,
structural parameters also h5py, rich and SciPy, the projection also numba, rich, SciPy and PyYAML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

CHANNELS = ("i", "r", "g")


@dataclass(frozen=True)
class Work:
    """A step that can be repeated.

    Attributes
    ----------
    step : callable
    images : int
        That a step treats.
    networks : Module or None
        Its children are compiled in place, as the trainer does; None where there are none.
    """

    step: Callable[[], object]
    images: int
    networks: nn.Module | None = None


def sphere_training(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """Losses, gradients and AdamW of the map's networks."""
    from morphosphere.artefacts.transform import Transform
    from morphosphere.config.learn import LearnSettings
    from morphosphere.learn.sphere import SphereTask

    settings = LearnSettings(compile=compiled)
    task = SphereTask(settings, Transform(channels=CHANNELS, size=size))
    return _training(task, {"images": torch.rand(batch, len(CHANNELS), size, size)}, device)


def merger_training(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """The same of the networks that tell of encounters."""
    from morphosphere.artefacts.transform import Transform
    from morphosphere.config.merger_learn import MergerLearnSettings
    from morphosphere.learn.mergers import ENCOUNTER, MergerTask

    settings = MergerLearnSettings(compile=compiled)
    task = MergerTask(settings, Transform(channels=CHANNELS[:1], size=size))
    columns = {
        name: torch.empty(batch).uniform_(label.low, label.high)
        for name, label in settings.labels.items()
    }
    columns[ENCOUNTER] = torch.ones(batch)
    return _training(task, {"images": torch.rand(batch, 1, size, size), **columns}, device)


def sersic_training(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """The same of the networks that tell structural parameters."""
    from morphosphere.artefacts.transform import Transform
    from morphosphere.config.sersic_learn import SersicLearnSettings
    from morphosphere.learn.sersic import SersicTask

    settings = SersicLearnSettings(compile=compiled)
    task = SersicTask(settings, Transform(channels=("r",), size=size, stretch="none"))
    task.magnitudes = (-12.0, -6.0)
    low_and_high = {
        "magnitude": (18, 24), "radius": (0.2, 2), "sersic_index": (0.5, 6), "axis_ratio": (0.3, 1),
        "position_angle": (0, 180), "bulge_radius": (0.1, 1), "bulge_to_total": (0, 1),
        "zero_point": (30, 30.1), "pixel_size": (0.1, 0.11), "sky_noise": (1, 2), "gain": (1, 2),
        "stamp_size": (size, size + 0.5),
    }  # fmt: skip
    columns = {
        name: torch.empty(batch).uniform_(*low_and_high.get(name, (0.2, 0.9)))
        for name in task.columns_of(settings)
    }
    return _training(task, {"images": torch.rand(batch, 1, size, size), **columns}, device)


def _training(task: nn.Module, batch: dict[str, Tensor], device: str) -> Work:
    task = task.to(device).train()
    batch = {name: values.to(device) for name, values in batch.items()}
    optimizer = task.optimizer(1e-4)

    def step() -> None:
        optimizer.zero_grad()
        task.losses(batch)["loss"].backward()
        optimizer.step()

    return Work(step, len(batch["images"]), task.networks)


def prediction(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """Images into places and features, and places into images, as the stage predict does."""
    networks = _networks(size, device)
    images = torch.rand(batch, len(CHANNELS), size, size, device=device)

    @torch.inference_mode()
    def step() -> Tensor:
        return networks.decoder(networks.encode(images)[0])

    return Work(step, batch, networks)


def hips_decoding(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """Places into the bytes of pictures in the host's memory, as tiles need them."""
    networks = _networks(size, device)
    places = torch.randn(batch, 3)
    places /= places.norm(dim=1, keepdim=True)
    shape = (batch, len(CHANNELS), size, size)
    host = torch.empty(shape, dtype=torch.uint8, pin_memory=device.startswith("cuda"))

    @torch.inference_mode()
    def step() -> Tensor:
        drawn = networks.decoder(places.to(device, non_blocking=True)).float()
        return host.copy_((drawn * 255 + 0.5).to(torch.uint8), non_blocking=True)

    return Work(step, batch, networks)


def _networks(size: int, device: str) -> nn.Module:
    from morphosphere.config.learn import LearnSettings
    from morphosphere.learn.networks import SphereNetworks

    return SphereNetworks(len(CHANNELS), size, LearnSettings()).to(device).eval()


def projection(device: str, *, batch: int, size: int, compiled: bool) -> Work:
    """Particles of one galaxy into images of several cameras; `batch` is thousands of particles."""
    from morphosphere.render.levels import sort_into_levels
    from morphosphere.render.on_device import project_on

    random, count, cameras = np.random.default_rng(0), 1000 * batch, 6
    radius = size / 8 * random.standard_gamma(1.5, count)
    angle = random.uniform(0, 2 * np.pi, (cameras, count))
    places = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius[:, None] + size / 2
    places = places.astype(np.float32)
    weights = random.random((len(CHANNELS), 1, count), np.float32)
    levels = sort_into_levels(0.5 + radius / 8, 1.0)

    def step() -> np.ndarray:
        return project_on(device, places, weights, levels, size=size)

    return Work(step, cameras)


#: By name: what makes the work, and how many images at a time, large and small.
ALL: dict[str, tuple[Callable[..., Work], int, int]] = {
    "train-sphere": (sphere_training, 512, 4),
    "train-mergers": (merger_training, 256, 4),
    "train-sersic": (sersic_training, 1024, 4),
    "predict": (prediction, 1024, 4),
    "hips": (hips_decoding, 1024, 4),
    "project": (projection, 1000, 2),
}
