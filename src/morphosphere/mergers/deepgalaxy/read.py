"""DeepGalaxy's files to an ImageSet, a chunk of images at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.transform import resample
from morphosphere.config.merger_sources import DeepGalaxySettings
from morphosphere.errors import InputError
from morphosphere.mergers.deepgalaxy.layout import Camera, cameras_of, open_file

#: Bytes of float32 pixels that are held at a time.
CHUNK = 16 << 20
#: Group attribute, of files written here: time of the first pericentre in the times of the file.
PERICENTRE = "first_pericentre_myr"
UNKNOWN = ("separation", "pericentre", "eccentricity", "time_of_coalescence", "inclination")


@dataclass(frozen=True)
class Facts:
    """What was read: numbers of images and groups, and groups whose ratios were inverted."""

    images: int
    groups: int
    inverted: list[str]


def read(
    path: Path,
    output: Path,
    name: str,
    settings: DeepGalaxySettings,
    advance: Callable[[int], None] = lambda n: None,
) -> Facts:
    """Read a file to an ImageSet of float32 pixels from 0 to 1; `name` is that of the set.

    Raises
    ------
    InputError
        If the file is damaged or not of the layout.
    """
    with open_file(path) as file:
        cameras = cameras_of(file, path, settings.cameras)
        channels = _channels(cameras[0], settings)
        size = settings.size or cameras[0].shape[0]
        known = {each: _pericentre(file[each], each, settings) for each in _groups(cameras)}
        moments = {each: _moments(cameras, each) for each in known}
        count = 0
        with ImageSetWriter(
            output,
            channels=channels,
            size=size,
            attributes={"source": name, "simulation": name},
            about={"group": {"description": "Group of DeepGalaxy's file"}},
        ) as writer:
            for camera in cameras:
                dataset = file[camera.images]
                step = max(1, CHUNK // (4 * int(np.prod(camera.shape))))
                for start in range(0, len(camera.times), step):
                    rows = slice(start, min(start + step, len(camera.times)))
                    images = _pixels(dataset, rows, path, camera)
                    images = _as_channels(images, len(channels))
                    table = _table(name, camera, rows, moments, known[camera.group], settings, size)
                    writer.append(resample(images, size), table)
                    count += len(images)
                    advance(len(images))
    inverted = [each for each in known if _inverse(_first(cameras, each))]
    return Facts(count, len(known), inverted)


def _groups(cameras: list[Camera]) -> list[str]:
    return list(dict.fromkeys(camera.group for camera in cameras))


def _first(cameras: list[Camera], group: str) -> Camera:
    return next(camera for camera in cameras if camera.group == group)


def _inverse(camera: Camera) -> bool:
    """Whether the second galaxy is the more massive one, so that ours are the inverse ratios."""
    return camera.mass_ratio > 1


def _channels(camera: Camera, settings: DeepGalaxySettings) -> list[str]:
    stored = camera.shape[2]
    names = settings.channels or (["grey"] if stored == 1 else ["R", "G", "B"])
    if len(names) not in (1, stored):
        raise InputError(
            f"{camera.images}: has {stored} channel{'s' * (stored > 1)}, but `channels` names "
            f"{len(names)}"
        )
    return names


def _pericentre(group: h5py.Group, name: str, settings: DeepGalaxySettings) -> float:
    said = settings.first_pericentre
    if isinstance(said, dict):
        return float(said.get(name, np.nan))
    if said is not None:
        return float(said)
    return float(group.attrs.get(PERICENTRE, np.nan))


def _moments(cameras: list[Camera], group: str) -> np.ndarray:
    """All times of a group, each once: a moment is seen by several cameras."""
    return np.unique(np.concatenate([c.times for c in cameras if c.group == group]))


def _pixels(dataset: h5py.Dataset, rows: slice, path: Path, camera: Camera) -> np.ndarray:
    """Images (n, C, H, W), float32, from 0 to 1."""
    try:
        stored = dataset[rows]
    except OSError as error:
        raise InputError(
            f"{path}: {camera.images}: cannot be read ({error}); copy the file again"
        ) from None
    images = stored.reshape(len(stored), *camera.shape)
    if stored.dtype == np.uint8:
        images = images.astype(np.float32) / np.float32(255)
    else:
        images = images.astype(np.float32)
        flat = images.reshape(len(images), -1)
        low, high = flat.min(axis=1), flat.max(axis=1)  # NaN, where a pixel is
        sound = (low >= -1e-3) & (high <= 1 + 1e-3)
        if not sound.all():
            row = int(np.flatnonzero(~sound)[0])
            said = "a pixel that is NaN"
            if np.isfinite([low[row], high[row]]).all():
                said = f"pixels from {low[row]:.4g} to {high[row]:.4g}, not from 0 to 1"
            raise InputError(f"{path}: {camera.images}: image {rows.start + row} has {said}")
    return np.moveaxis(images, 3, 1)


def _as_channels(images: np.ndarray, count: int) -> np.ndarray:
    if images.shape[1] == count:
        return np.ascontiguousarray(images)
    return images.mean(axis=1, keepdims=True)


def _table(
    name: str,
    camera: Camera,
    rows: slice,
    moments: dict[str, np.ndarray],
    pericentre: float,
    settings: DeepGalaxySettings,
    size: int,
) -> dict[str, Any]:
    time = camera.times[rows]
    count = len(time)
    number = np.searchsorted(moments[camera.group], time)
    encounter = f"{name}_{camera.group}"
    moment = [f"{encounter}_{n:04d}" for n in number]
    mass, extent = camera.mass_ratio, camera.size_ratio
    if _inverse(camera):
        mass, extent = 1 / mass, 1 / extent
    since = time - pericentre
    width = np.nan if settings.field_of_view is None else settings.field_of_view
    row = np.arange(rows.start, rows.stop)
    return {
        "image_id": [f"{m}_c{camera.number:02d}_{r}" for m, r in zip(moment, row)],
        "galaxy_id": moment,
        "encounter_id": [encounter] * count,
        "source": [name] * count,
        "snapshot": number.astype(np.int64),
        "camera": np.full(count, camera.number, dtype=np.int64),
        "group": [camera.group] * count,
        "time": time,
        "time_since_pericentre": since,
        "mass_ratio": np.full(count, mass),
        "size_ratio": np.full(count, extent),
        "phase": ["approach" if t < 0 else "" for t in since],
        "is_encounter": np.ones(count),
        "field_of_view": np.full(count, width),
        "pixel_scale": np.full(count, width / size),
        **{label: np.full(count, np.nan) for label in UNKNOWN},
    }
