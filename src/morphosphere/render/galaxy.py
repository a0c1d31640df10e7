"""One galaxy to its images and their rows of the table."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy
from morphosphere.config.render import RenderSettings
from morphosphere.render.cameras import Cameras, generator, place_cameras
from morphosphere.render.channels import component_of, finish, light_of_stars, weights_of
from morphosphere.render.observe import Telescope
from morphosphere.render.particles import Particles, prepare
from morphosphere.render.project import cameras_at_once, project, sort_into_levels
from morphosphere.stellar_populations import BANDS


@dataclass(frozen=True)
class Pictures:
    """All pictures of one galaxy.

    Attributes
    ----------
    images : ndarray of float32, shape (V, C, S, S)
        Row 0 is the top.
    table : dict
        Column name to V values.
    dropped : int
        Particles left out because they were not sound.
    """

    images: np.ndarray
    table: dict[str, list[Any]]
    dropped: int


def render_galaxy(
    galaxy: Galaxy,
    settings: RenderSettings,
    *,
    seed: int,
    source: str,
    snapshot_bands: Sequence[str] = (),
    telescope: Telescope | None = None,
    device: str | None = None,
) -> Pictures:
    """Render a galaxy with all cameras of the settings, and observe it if there is a telescope.

    Parameters
    ----------
    galaxy : Galaxy
    settings : RenderSettings
    seed : int
        With the galaxy's identifier it decides on random cameras.
    source : str
        Name of the simulation, if the galaxy does not say it itself.
    snapshot_bands : sequence of str
        Bands of the particles' magnitudes.
    telescope : Telescope or None
        For a mock observation; it decides on the field of view.
    device : str or None
        Device of PyTorch on which particles are projected, ``cuda:0``; None for the CPU.

    Raises
    ------
    InputError
        If the galaxy lacks what a channel needs.
    """
    names = dict.fromkeys(component_of(channel) for channel in settings.channels)
    components = {name: prepare(galaxy, name, settings) for name in names}
    cameras = place_cameras(
        settings.cameras,
        galaxy_id=str(galaxy.properties["galaxy_id"]),
        frame=galaxy.frame,
        seed=seed,
    )
    light = {}
    if bands := [channel for channel in settings.channels if channel in BANDS]:
        light = light_of_stars(components["stars"], bands, snapshot_bands, settings)
    radius = characteristic_radius(galaxy, components.get("stars"), light, settings)
    margin = telescope.margin if telescope else 0
    size = settings.size + 2 * margin
    pixel = telescope.pixel if telescope else _field_of_view(radius, settings) / settings.size
    images = np.empty((len(cameras.axes), len(settings.channels), size, size), np.float32)
    for name, particles in components.items():
        channels = [c for c in settings.channels if component_of(c) == name]
        maps = _maps(particles, channels, light, settings, cameras, size, pixel, device)
        for channel, image in maps.items():
            images[:, settings.channels.index(channel)] = image
    table = _table(galaxy, settings, cameras, settings.size * pixel, radius, source)
    if telescope:
        random = [generator(seed, "noise", image_id) for image_id in table["image_id"]]
        images = telescope.observe(images, random).astype(np.float32)
    return Pictures(
        images,
        table,
        sum(particles.dropped for particles in components.values()),
    )


def _maps(
    particles: Particles,
    channels: list[str],
    light: dict[str, np.ndarray],
    settings: RenderSettings,
    cameras: Cameras,
    size: int,
    pixel: float,
    device: str | None,
) -> dict[str, np.ndarray]:
    """Pixels (V, S, S) of the channels of one component."""
    position = particles.fields["position"].astype(np.float64)
    velocity = None
    if any(name.startswith("velocity") for name in channels):
        velocity = np.nan_to_num(particles.fields["velocity"].astype(np.float64))
    levels = sort_into_levels(
        np.minimum(particles.support / pixel, 2.0 * size), settings.smallest_smoothing
    )
    # right and up become column and row, in pixels from the top left corner
    plane = cameras.axes[:, :2] * np.array([1, -1])[:, None] / pixel
    draw = project
    if device:
        from morphosphere.render.on_device import project_on

        draw = functools.partial(project_on, device)
    at_once = cameras_at_once(len(position), 3 * len(channels), size)
    batches = []
    for start in range(0, len(plane), at_once):
        chosen = slice(start, start + at_once)
        places = position @ np.swapaxes(plane[chosen], -1, -2) + size / 2
        away = None if velocity is None else -(cameras.direction[chosen] @ velocity.T)
        sums: dict[str, np.ndarray] = {}
        for weights in weights_of(particles, channels, light, away):
            if weights:
                stacked = np.stack([np.atleast_2d(w) for w in weights.values()])
                maps = draw(places, stacked.astype(np.float64), levels, size=size)
                sums.update(zip(weights, np.moveaxis(maps, 1, 0)))
        batches.append([finish(channel, sums, pixel**2) for channel in channels])
    return {name: np.concatenate(parts) for name, parts in zip(channels, zip(*batches))}


def _field_of_view(radius: float, settings: RenderSettings) -> float:
    """Width of the image in kpc."""
    if settings.field_of_view_unit == "kpc":
        return settings.field_of_view
    return max(settings.field_of_view * radius, settings.smallest_field_of_view)


def characteristic_radius(
    galaxy: Galaxy,
    stars: Particles | None,
    light: dict[str, np.ndarray],
    settings: RenderSettings,
) -> float:
    """Radius in kpc that the field of view is counted in.

    The galaxy's own property where it has a sound one, else measured from the light in the middle
    one of the bands that are rendered, else from the mass.
    """
    by_light = settings.field_of_view_unit == "half_light_radius"
    for name in ("half_light_radius", "half_mass_radius")[not by_light :]:
        radius = float(galaxy.properties.get(name, np.nan))
        if np.isfinite(radius) and radius > 0:
            return radius
        if name == "half_light_radius" and light and stars is not None:
            middle = list(light.values())[len(light) // 2]
            if middle.sum() > 0:
                return half_radius(stars.fields["position"], middle)
    return half_mass_radius(galaxy)


def half_mass_radius(galaxy: Galaxy) -> float:
    """Radius in kpc that holds half of the stars' mass, or of all mass where there are no stars."""
    parts = (galaxy.components.get(name) for name in ("stars", "gas", "dark_matter"))
    fields = next((part for part in parts if part and len(part["mass"])), None)
    return 0.0 if fields is None else half_radius(fields["position"], fields["mass"])


def half_radius(positions: np.ndarray, weights: np.ndarray) -> float:
    """Radius about the origin that holds half of the weights; particles not finite do not count."""
    radius = np.linalg.norm(positions, axis=1)
    sound = np.isfinite(radius) & np.isfinite(weights)
    radius, weights = radius[sound], weights[sound]
    if not len(radius):
        return 0.0
    order = np.argsort(radius)
    total = np.cumsum(weights[order], dtype=np.float64)
    return float(radius[order][np.searchsorted(total, total[-1] / 2)])


def _table(
    galaxy: Galaxy,
    settings: RenderSettings,
    cameras: Cameras,
    width: float,
    radius: float,
    source: str,
) -> dict[str, list[Any]]:
    count = len(cameras.axes)
    galaxy_id = str(galaxy.properties["galaxy_id"])
    rows: dict[str, list[Any]] = {
        "image_id": [f"{galaxy_id}_c{number}" for number in range(count)],
        "galaxy_id": [galaxy_id] * count,
        "source": [source] * count,
    }
    rows |= {name: [value] * count for name, value in galaxy.properties.items()}
    if settings.field_of_view_unit == "half_light_radius":
        rows["half_light_radius"] = [radius] * count
    rows |= {
        "camera": list(range(count)),
        "camera_kind": list(cameras.kinds),
        "inclination": list(cameras.inclination(galaxy.frame[2])),
        "field_of_view": [width] * count,
        "pixel_scale": [width / settings.size] * count,
    }
    for axis, letter in enumerate("xyz"):
        rows[f"camera_{letter}"] = list(cameras.direction[:, axis])
    return rows
