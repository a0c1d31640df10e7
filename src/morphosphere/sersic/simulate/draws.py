"""What is drawn at random of each galaxy, by the seed and its number alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.structure.noise import sky_noise_of
from morphosphere.structure.parameters import Space

#: What streams of random numbers are for.
_PARAMETERS, _NOISE = 0, 1


@dataclass(frozen=True)
class Scene:
    """What an image shows and how deep it is.

    Attributes
    ----------
    galaxy : dict
        Columns of `Space.columns`, ``x_offset`` and ``y_offset`` in pixels.
    neighbours : list of dict
        The same of other galaxies.
    psf : int
        Row of the library.
    real : int or None
        Row of the catalogue of real galaxies, if it is one of them; then `galaxy` has the place
        and the angle by which it is turned.
    stamp_size : int
        Pixels.
    exposure, sky_noise : float
        Seconds; electron/s.
    """

    galaxy: dict[str, float]
    neighbours: list[dict[str, float]]
    psf: int
    real: int | None
    stamp_size: int
    exposure: float
    sky_noise: float


def stream(seed: int, number: int, *, noise: bool = False) -> np.random.Generator:
    """Random numbers of one galaxy: of its parameters, or of its noise."""
    kind = _NOISE if noise else _PARAMETERS
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(kind, number)))


def draw_scene(
    settings: SimulateSettings,
    random: np.random.Generator,
    *,
    psfs: int,
    table: Mapping[str, np.ndarray] | None = None,
    reals: int = 0,
) -> Scene:
    """A galaxy, its surroundings and the depth of its image.

    Parameters
    ----------
    psfs : int
        Point-spread functions of the library.
    table : mapping of ndarray, optional
        Columns from whose rows the structural parameters are drawn.
    reals : int
        Galaxies of the catalogue of real ones.
    """
    psf = int(random.integers(psfs))
    stamp = 2 * int(random.integers(settings.stamp_size[0] // 2, settings.stamp_size[1] // 2 + 1))
    exposure = _logarithmic(random, settings.exposure)
    sky = settings.sky * settings.pixel_size**2 * _logarithmic(random, settings.sky_factor)
    offset = random.uniform(-settings.centre, settings.centre, 2)
    galaxy = draw_galaxy(settings, random)
    chosen = float(random.random())
    if table is not None:
        row = int(chosen * len(table["magnitude"]))
        galaxy.update({name: float(values[row]) for name, values in table.items()})
    galaxy |= {"x_offset": float(offset[0]), "y_offset": float(offset[1])}
    is_real = bool(random.random() < settings.real.fraction) and reals > 0
    real = int(random.integers(reals)) if is_real else None
    return Scene(
        galaxy=galaxy,
        neighbours=_neighbours(settings, random),
        psf=psf,
        real=real,
        stamp_size=stamp,
        exposure=exposure,
        sky_noise=sky_noise_of(
            sky=sky, exposure=exposure, read_noise=settings.read_noise, reads=settings.reads
        ),
    )


def draw_galaxy(settings: SimulateSettings, random: np.random.Generator) -> dict[str, float]:
    """Structural parameters from the ranges of the settings."""
    drawn = {
        "magnitude": float(random.uniform(*settings.magnitude)),
        "radius": _logarithmic(random, settings.radius),
        "axis_ratio": float(random.uniform(*settings.axis_ratio)),
        "position_angle": float(random.uniform(0, 180)),
        "sersic_index": _logarithmic(random, settings.sersic_index),
        "bulge_to_total": float(random.uniform(*settings.bulge_to_total)),
    }
    drawn["bulge_radius"] = drawn["radius"] * _logarithmic(random, settings.bulge_radius_ratio)
    return {name: drawn[name] for name in Space(settings.components).columns}


def _neighbours(settings: SimulateSettings, random: np.random.Generator) -> list[dict[str, float]]:
    near = settings.neighbours
    found = []
    for _ in range(int(random.poisson(near.number))):
        galaxy = draw_galaxy(settings, random)
        galaxy["magnitude"] = float(random.uniform(*near.magnitude))
        low, high = (distance**2 for distance in near.distance)
        distance = np.sqrt(random.uniform(low, high)) / settings.pixel_size
        angle = random.uniform(0, 2 * np.pi)
        galaxy["x_offset"] = float(distance * np.cos(angle))
        galaxy["y_offset"] = float(distance * np.sin(angle))
        found.append(galaxy)
    return found


def _logarithmic(random: np.random.Generator, limits: tuple[float, float]) -> float:
    """Uniform in the logarithm; the limits themselves are never passed by rounding."""
    value = np.exp(random.uniform(*np.log(limits)))
    return float(np.clip(value, *limits))
