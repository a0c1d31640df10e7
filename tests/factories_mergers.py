"""Drawn images of encounters, and a small model of them, for tests of the stages of mergers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.base import check
from morphosphere.config.merger_learn import MergerLearnSettings

MOMENTS = 4
_WIDTH = 120.0


def merger_settings(**changes: Any) -> MergerLearnSettings:
    """Settings of a tiny network."""
    tiny: dict[str, Any] = {
        "transform": {"size": 32, "scale": "image", "stretch": "asinh", "softening": 0.05},
        "encoder": {"width": 8},
        "decoder": {"width": 4},
        "latent": 8,
        "bins": 32,
        "epochs": 1,
        "batch_size": 32,
        "threads": 1,
        "augment": {"observed": 0.3},
    }
    return check(MergerLearnSettings, {**tiny, **changes}, source="test")


def draw_encounters(
    encounters: int, *, size: int = 32, singles: int = 0, seed: int = 0
) -> tuple[np.ndarray, dict[str, Any]]:
    """Images (N, 1, size, size) and their table; `singles` galaxies come after the encounters.

    Two round galaxies, as far apart as time has passed; after the pericentre with a bridge.
    """
    random = np.random.default_rng(seed)
    table: dict[str, list[Any]] = {}
    images = []
    axis = (np.arange(size) + 0.5) / size * _WIDTH - _WIDTH / 2
    x, y = np.meshgrid(axis, -axis)
    for number in range(encounters + singles):
        pair = number < encounters
        ratio = 10 ** random.uniform(-0.7, 0.0)
        for moment in range(MOMENTS):
            time = random.uniform(-200, 1000) if pair else np.nan
            gap = 0.5 * abs(time) ** 0.6 if pair else 0.0
            angle = random.uniform(0, 2 * np.pi)
            direction = np.array([np.cos(angle), np.sin(angle)])
            image = np.zeros((size, size))
            for sign, light in ((1, 1.0), (-1, ratio if pair else 0.0)):
                at = sign * gap / 2 * direction
                image += light * np.exp(-0.5 * ((x - at[0]) ** 2 + (y - at[1]) ** 2) / 5.0**2)
            along, across = x * direction[0] + y * direction[1], x * direction[1] - y * direction[0]
            if pair and time > 0:
                image += 0.2 * np.exp(-0.5 * (across / 4) ** 2) * (np.abs(along) < gap / 2 + 12)
            images.append(image[None])
            name = f"e{number:04d}"
            row = {
                "image_id": f"{name}_{moment}_c0",
                "galaxy_id": f"{name}_{moment}",
                "encounter_id": name,
                "source": "drawn",
                "snapshot": moment,
                "camera": 0,
                "phase": ("approach" if time < 0 else "passage") if pair else "none",
                "time_since_pericentre": time,
                "mass_ratio": ratio if pair else np.nan,
                "size_ratio": ratio ** (1 / 3) if pair else np.nan,
                "inclination": random.uniform(0, 90) if pair else np.nan,
                "separation": gap if pair else np.nan,
                "is_encounter": float(pair),
                "field_of_view": _WIDTH,
                "pixel_scale": _WIDTH / size,
            }
            for key, value in row.items():
                table.setdefault(key, []).append(value)
    return np.asarray(images, dtype=np.float32), table


def write_encounters(path: Path, encounters: int, **more: Any) -> Path:
    """`draw_encounters` as an ImageSet."""
    images, table = draw_encounters(encounters, **more)
    with ImageSetWriter(path, channels=["stellar_mass"], size=images.shape[-1]) as out:
        out.append(images, table)
    return path
