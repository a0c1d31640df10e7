"""Small synthetic galaxies, and GalaxySets of them, made in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter

BANDS = ("U", "B", "V", "K", "g", "r", "i", "z")


def galaxy(
    number: int = 0,
    *,
    stars: int = 800,
    gas: int = 200,
    scale: float = 3.0,
    magnitudes: bool = False,
    seed: int = 1,
) -> Galaxy:
    """A disc with two arms, a bulge and gas; the disc is tilted, and `frame` knows how.

    Parameters
    ----------
    number : int
        Goes into the identifier ``test_99_<number>`` and into the shape.
    stars, gas : int
        Number of particles.
    scale : float
        Scale length of the disc in kpc.
    magnitudes : bool
        Whether the stars have magnitudes in `BANDS`, as those of IllustrisTNG have.
    """
    random = np.random.default_rng([seed, number])
    frame = np.linalg.qr(random.normal(size=(3, 3)))[0]
    frame[0] *= np.linalg.det(frame)
    components = {
        "stars": _stars(random, stars, scale, frame, magnitudes),
        "gas": _gas(random, gas, scale, frame),
    }
    radius = np.linalg.norm(components["stars"]["position"], axis=1)
    properties = {
        "galaxy_id": f"test_99_{number}",
        "source": "test",
        "snapshot": 99,
        "subhalo_id": number,
        "redshift": 0.0,
        "stellar_mass": float(components["stars"]["mass"].sum()),
        "n_stars": stars,
        "half_mass_radius": float(np.median(radius)) if stars else float("nan"),
    }
    return Galaxy(properties, components, frame)


def _stars(
    random: np.random.Generator, count: int, scale: float, frame: np.ndarray, magnitudes: bool
) -> dict[str, np.ndarray]:
    radius = random.gamma(2.0, scale, count)
    arm = np.where(random.random(count) < 0.5, 0, np.pi) + 0.5 * random.normal(size=count)
    angle = np.where(random.random(count) < 0.5, arm, random.uniform(0, 2 * np.pi, count))
    angle += 1.5 * np.log1p(radius)  # the arms trail
    disc = _disc(radius, angle, 0.1 * scale * random.normal(size=count))
    bulge = random.random(count) < 0.25
    places = np.where(bulge[:, None], 0.4 * scale * random.normal(size=(count, 3)), disc)
    speed = 200.0 * radius / (radius + scale)
    velocity = np.stack([-np.sin(angle), np.cos(angle), np.zeros(count)], axis=-1) * speed[:, None]
    velocity = np.where(bulge[:, None], 0, velocity) + 40.0 * random.normal(size=(count, 3))
    out = {
        "position": places @ frame,
        "velocity": velocity @ frame,
        "mass": random.uniform(0.8e6, 1.2e6, count),
        "initial_mass": random.uniform(1.2e6, 1.8e6, count),
        "age": np.where(bulge, random.uniform(6, 12, count), random.uniform(0.1, 8, count)),
        "metallicity": random.uniform(0.002, 0.02, count),
    }
    if magnitudes:
        out["magnitudes"] = random.normal(-9, 1, (count, len(BANDS)))
    return out


def _gas(
    random: np.random.Generator, count: int, scale: float, frame: np.ndarray
) -> dict[str, np.ndarray]:
    radius, angle = random.gamma(2.0, 1.5 * scale, count), random.uniform(0, 2 * np.pi, count)
    mass = random.uniform(0.8e6, 1.2e6, count)
    return {
        "position": _disc(radius, angle, 0.05 * scale * random.normal(size=count)) @ frame,
        "velocity": 10.0 * random.normal(size=(count, 3)),
        "mass": mass,
        "density": 1e8 * np.exp(-radius / scale),
        "sfr": np.where(radius < scale, 0.01, 0.0),
    }


def _disc(radius: np.ndarray, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)


def write_galaxyset(path: Path, galaxies: list[Galaxy], **attributes: object) -> Path:
    """Write a GalaxySet; attributes are those of a simulation called "test" unless given."""
    said = {"source": "test", "snapshot": 99, "redshift": 0.0, "magnitude_bands": list(BANDS)}
    with GalaxySetWriter(path, {**said, **attributes}) as writer:
        for one in galaxies:
            writer.add(one)
    return path
