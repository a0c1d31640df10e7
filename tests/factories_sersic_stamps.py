"""A ModelBundle of the task ``sersic`` that measures moments, and stamps of drawn galaxies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import torch
from torch import Tensor, nn

from morphosphere.artefacts.bundle import FORMAT, VERSION
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.files import atomic_directory, write_json
from morphosphere.learn.export import export_onnx
from morphosphere.structure.facts import FACTS, PSF_COLUMNS
from morphosphere.structure.model import draw
from morphosphere.structure.noise import add_noise
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import resized
from morphosphere.structure.psf import PSFSet

PIXEL, ZERO_POINT, EXPOSURE, NOISE = 0.06, 25.94, 2028.0, 0.0077
SIZE = 128
PSF_FWHM = 0.12


class Moments(nn.Module):
    """Total light, width and ellipticity in a window: no trained network, but honest numbers.

    Images (N, 1, S, S) over the noise and facts (N, F) -> mean (N, P), cholesky, distance.
    """

    def __init__(self, size: int, components: int) -> None:
        super().__init__()
        place = torch.arange(size) - (size - 1) / 2
        self.register_buffer("x", place[None, :].repeat(size, 1))
        self.register_buffer("y", -place[:, None].repeat(1, size))
        self.register_buffer("window", torch.exp(-(self.x**2 + self.y**2) / (2 * 8.0**2)))
        self.components = components
        self.register_buffer("root", 0.05 * torch.eye(len(Space(components).latents)))

    def forward(self, images: Tensor, facts: Tensor) -> tuple[Tensor, ...]:
        image = images[:, 0]
        light = image.sum((1, 2)).clamp_min(1.0)
        weighted = image * self.window
        total = weighted.sum((1, 2)).clamp_min(1.0)
        xx, yy, xy = (
            (weighted * part).sum((1, 2)) / total
            for part in (self.x**2, self.y**2, self.x * self.y)
        )
        size = (xx + yy).clamp(2.0, 100.0)
        e1, e2 = (xx - yy) / size / 2, xy / size
        radius = 0.5 * torch.log10(size) + 0.1 + 0 * facts[:, 0]
        index = 0.3 + 0.1 * torch.tanh(weighted.amax((1, 2)) / total)
        middle = [radius, index] if self.components == 1 else [radius, radius - 0.4, index]
        mean = torch.stack([-2.5 * torch.log10(light), *middle, e1, e2], 1)
        turn = torch.stack([e1, e2], 1).square().sum(1)
        cholesky = self.root[None] * (1 + turn)[:, None, None]
        return mean, cholesky, 0.5 + torch.tanh(image.std((1, 2)) / 1e6)


def write_sersic_stub(
    path: str | Path, *, components: int = 1, size: int = SIZE, **info: Any
) -> Path:
    """A bundle of `Moments`; `info` changes model.json."""
    space = Space(components)
    generator = torch.Generator().manual_seed(0)
    images = 50 * torch.rand(3, 1, size, size, generator=generator)
    facts = torch.rand(3, len(FACTS), generator=generator)
    ends = {name: [-1.0, 2.0] for name in space.latents}
    ends |= {"instrumental_magnitude": [-14.0, -2.0]}
    with atomic_directory(path) as folder:
        export_onnx(
            Moments(size, components),
            (images, facts),
            folder / "encoder.onnx",
            input_name=("images", "facts"),
            output_names=["mean", "cholesky", "distance"],
        )
        known = {
            "format": FORMAT,
            "version": VERSION,
            "task": "sersic",
            "components": components,
            "latents": list(space.latents),
            "facts": list(FACTS),
            "calibration": {"scale": [1.0] * len(space.latents)},
            "domain": {"limit": 3.0},
            "prior": ends,
            "image_size": size,
            "settings": {"split": {"validation": 0.1, "test": 0.1}},
        }
        write_json(folder / "model.json", {**known, **info})
    return Path(path)


@lru_cache(maxsize=1)
def psf() -> galsim.GSObject:
    """A Moffat profile."""
    return galsim.Moffat(beta=3, fwhm=PSF_FWHM)


def galaxy_values(random: np.random.Generator, **given: float) -> dict[str, float]:
    """A galaxy from the whole prior: 18 < mag < 23, 0.2" < r_e < 2", 0.5 < n < 6, 0.2 < q < 1."""
    values = {
        "magnitude": random.uniform(18, 23),
        "radius": 0.2 * 10 ** random.uniform(0, 1),
        "sersic_index": 0.5 * 12 ** random.uniform(0, 1),
        "axis_ratio": random.uniform(0.2, 1),
        "position_angle": random.uniform(0, 180),
        "x_offset": random.uniform(-0.5, 0.5),
        "y_offset": random.uniform(-0.5, 0.5),
    }
    return {**values, **given}


def light_of(values: dict[str, float], size: int = SIZE) -> np.ndarray:
    """The galaxy without noise, shape (size, size), row 0 on top."""
    return draw(values, psf(), pixel_size=PIXEL, size=size, zero_point=ZERO_POINT)


def observed(light: np.ndarray, random: np.random.Generator, noise: float = NOISE) -> np.ndarray:
    """The same with noise."""
    return add_noise(light, noise, EXPOSURE, random)


def taken(count: int, **given: Any) -> dict[str, Any]:
    """How stamps were taken: the columns that a prediction needs, each of shape (count,)."""
    known = {
        "zero_point": ZERO_POINT,
        "pixel_size": PIXEL,
        "sky_noise": NOISE,
        "gain": EXPOSURE,
        "stamp_size": float(SIZE),
        **dict(zip(PSF_COLUMNS, _energies())),
        **given,
    }
    return {name: np.broadcast_to(value, count).copy() for name, value in known.items()}


@lru_cache(maxsize=1)
def _energies() -> tuple[float, ...]:
    """Encircled energies of the PSF with the pixel."""
    fine = psf().drawImage(nx=512, ny=512, scale=PIXEL / 4, method="no_pixel").array
    made = PSFSet(fine[None] / fine.sum(), PIXEL / 4, 4.0)
    return tuple(float(share) for share in made.encircled(0, PIXEL))


def write_stamps(
    path: str | Path, images: Sequence[np.ndarray], truth: Sequence[dict] = (), **columns: Any
) -> Path:
    """An ImageSet of stamps (each of any width), brought to one width."""
    count = len(images)
    table = {
        "image_id": [f"s{k:05d}" for k in range(count)],
        "galaxy_id": [f"g{k:05d}" for k in range(count)],
        "source": ["drawn"] * count,
        **taken(count, stamp_size=np.array([float(len(image)) for image in images])),
        **{name: [one[name] for one in truth] for name in (truth[0] if truth else ())},
        **columns,
    }
    stamps = np.stack([resized(image, SIZE) for image in images])[:, None]
    with ImageSetWriter(path, channels=["F814W"], size=SIZE, unit="electron/s") as out:
        out.append(stamps.astype(np.float32), table)
    return Path(path)
