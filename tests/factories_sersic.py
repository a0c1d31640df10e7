"""Small sets of images of exponential discs whose structure is known, for the task ``sersic``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.sersic_learn import SersicLearnSettings
from morphosphere.structure.facts import PSF_COLUMNS
from morphosphere.structure.parameters import Space

SIZE = 32
#: Half-light radius of an exponential disc over its scale length.
_HALF_LIGHT = 1.678


def disc(
    *,
    magnitude: float,
    radius: float,
    axis_ratio: float,
    position_angle: float,
    sersic_index: float = 1.0,
    zero_point: float = 25.0,
    pixel_size: float = 0.1,
    size: int = SIZE,
    offset: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """A Sérsic profile without PSF, sampled three times in each direction of a pixel: (S, S)."""
    fine = 3
    place = (np.arange(fine * size) + 0.5) / fine - size / 2
    x, y = place[None, :] - offset[0], -place[:, None] - offset[1]
    angle = np.deg2rad(position_angle)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    r = np.hypot(along, across / axis_ratio) * pixel_size / radius
    light = np.exp(-(2 * sersic_index - 1 / 3) * r ** (1 / sersic_index))
    # The light of a stamp that is some radii wide; what is outside is of no interest here.
    light = light / light.sum()
    flux = 10 ** (-0.4 * (magnitude - zero_point))
    return flux * light.reshape(size, fine, size, fine).sum((1, 3))


def columns(count: int, seed: int = 0, components: int = 1) -> dict[str, Any]:
    """A table of `count` galaxies with all columns that the task asks for."""
    random = np.random.default_rng(seed)
    table: dict[str, Any] = {
        "image_id": [f"g{k:05d}" for k in range(count)],
        "galaxy_id": [f"g{k:05d}" for k in range(count)],
        "source": ["test"] * count,
        "magnitude": random.uniform(18, 21, count),
        "radius": 10 ** random.uniform(-0.7, -0.3, count),
        "axis_ratio": random.uniform(0.3, 1, count),
        "position_angle": random.uniform(0, 180, count),
        "zero_point": np.full(count, 25.0),
        "pixel_size": np.full(count, 0.1),
        "sky_noise": 10 ** random.uniform(-1.2, -1.0, count),
        "gain": np.full(count, 1000.0),
        "stamp_size": random.choice([24, 32, 48], count),
    }
    if components == 1:
        table["sersic_index"] = 10 ** random.uniform(-0.3, 0.6, count)
    else:
        table["bulge_to_total"] = random.uniform(0, 1, count)
        table["bulge_radius"] = 0.3 * table["radius"]
    for k, name in enumerate(PSF_COLUMNS):
        table[name] = np.clip(0.1 * (k + 1) + random.uniform(0, 0.1, count), 0, 1)
    return table


def write_discs(
    path: Path, count: int = 60, *, seed: int = 0, components: int = 1, **more: Any
) -> Path:
    """An ImageSet of such galaxies, without noise; `more` are columns in place of those drawn."""
    table = {**columns(count, seed, components), **more}
    names = [name for name in Space(1).columns if name in table]
    images = np.stack(
        [disc(**{name: float(table[name][k]) for name in names})[None] for k in range(count)]
    )
    with ImageSetWriter(path, channels=["F814W"], size=SIZE, unit="electron/s") as out:
        out.append(images.astype(np.float32), table)
    return path


def sersic_settings(**given: Any) -> SersicLearnSettings:
    """Settings of a small and quick training."""
    value = {
        "transform": {"size": SIZE, "scale": "fixed", "value": 1.0, "stretch": "none"},
        "encoder": {"rings": 10, "harmonics": [0, 1, 2, 4]},
        "hidden": 64,
        "blocks": 1,
        "epochs": 2,
        "batch_size": 16,
        "first_epochs": 0,
    }
    return SersicLearnSettings.model_validate({**value, **given})
