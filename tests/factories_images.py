"""Small ImageSets that look like galaxies, made in a moment: discs, spirals and ellipticals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter


def draw_galaxies(
    parameters: dict[str, np.ndarray], size: int = 64, channels: int = 3, noise: float = 0.01
) -> np.ndarray:
    """Galaxies of a bulge and a disc with spiral arms; shape (N, channels, size, size), float32.

    `parameters` are those of `galaxy_parameters`. Fluxes are positive but for the noise, of order
    one at the half-light radius; the first channel is the reddest.
    """
    p = {name: np.asarray(values)[:, None, None] for name, values in parameters.items()}
    line = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = line[None, None, :], -line[None, :, None]  # row 0 is the top
    turn = np.radians(p["position_angle"])
    along = x * np.cos(turn) + y * np.sin(turn)
    across = (-x * np.sin(turn) + y * np.cos(turn)) / p["axis_ratio"]
    radius = np.hypot(along, across) / p["radius"] + 1e-3
    round_radius = np.hypot(x, y) / (0.4 * p["radius"]) + 1e-3
    angle = np.arctan2(across, along) * p["handedness"]
    arms = 1 + p["arm_strength"] * np.cos(2 * angle - 5 * np.log(radius + 0.2))
    disc = (1 - p["bulge_to_total"]) * np.exp(-1.68 * (radius - 1)) * arms
    index = 1 / p["sersic_index"]
    slope = 2 * p["sersic_index"] - 0.33
    bulge = p["bulge_to_total"] * np.exp(-slope * (np.minimum(round_radius, 40) ** index - 1))
    random = np.random.default_rng(len(disc))
    out = np.empty((len(disc), channels, size, size), dtype=np.float32)
    for c in range(channels):
        blue = 1 + 0.6 * c / max(channels - 1, 1)
        out[:, c] = disc * blue + bulge / blue
    out += noise * random.standard_normal(out.shape, dtype=np.float32)
    return out


def galaxy_parameters(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Parameters of `count` galaxies for `draw_galaxies`; the early ones are not special."""
    random = np.random.default_rng(seed)
    bulge = random.uniform(0.05, 0.95, count)
    return {
        "bulge_to_total": bulge,
        "sersic_index": 1 + 3 * bulge,
        "axis_ratio": random.uniform(0.3, 1.0, count),
        "position_angle": random.uniform(0, 360, count),
        "radius": random.uniform(0.2, 0.4, count),
        "arm_strength": np.clip(1 - 1.5 * bulge, 0, 1) * random.uniform(0.5, 1, count),
        "handedness": random.choice([-1.0, 1.0], count),
    }


def make_imageset(
    path: str | Path,
    count: int = 64,
    *,
    channels: Sequence[str] = ("i", "r", "g"),
    size: int = 64,
    views: int = 1,
    seed: int = 0,
    dtype: str = "float32",
    source: str = "synthetic",
) -> Path:
    """Write an ImageSet of `count` galaxies, each seen `views` times, turned and mirrored.

    The table holds what every ImageSet has, ``camera``, ``stellar_mass``, ``redshift`` and the
    parameters of the galaxies; ``image_id`` is ``<galaxy_id>_c<camera>`` if `views` is above one.
    uint8 sets hold pictures stretched to 0..255.
    """
    path = Path(path)
    galaxy = np.repeat(np.arange(count), views)
    camera = np.tile(np.arange(views), count)
    parameters = {k: v[galaxy] for k, v in galaxy_parameters(count, seed).items()}
    random = np.random.default_rng(seed + 1)
    parameters["position_angle"] = np.where(
        camera == 0, parameters["position_angle"], random.uniform(0, 360, len(galaxy))
    )
    ids = [f"{source}_{i:06d}" for i in galaxy]
    table = {
        "galaxy_id": ids,
        "image_id": [f"{g}_c{c}" if views > 1 else g for g, c in zip(ids, camera)],
        "source": [source] * len(ids),
        "camera": camera,
        "stellar_mass": 10 ** (9.5 + 1.5 * parameters["bulge_to_total"]),
        "redshift": np.full(len(ids), 0.05),
        **parameters,
    }
    kwargs = {"channels": tuple(channels), "size": size, "dtype": dtype}
    with ImageSetWriter(path, attributes={"source": source}, **kwargs) as out:
        for start in range(0, len(ids), 256):
            rows = slice(start, start + 256)
            part = {name: values[rows] for name, values in table.items()}
            images = draw_galaxies(
                {name: part[name] for name in parameters}, size, len(tuple(channels))
            )
            if dtype == "uint8":
                images = np.clip(255 * np.arcsinh(3 * images) / 5, 0, 255).astype(np.uint8)
            out.append(images, part)
    return path
