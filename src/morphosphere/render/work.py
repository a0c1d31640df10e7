"""GalaxySet files to ImageSet files, galaxy by galaxy, shared over ranks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import GalaxySet
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.config.render import RenderSettings
from morphosphere.errors import InputError
from morphosphere.memory import give_back
from morphosphere.parallel import World
from morphosphere.render.channels import unit_of
from morphosphere.render.galaxy import render_galaxy
from morphosphere.render.observe import telescope_of

#: Bytes of images that are written at a time.
_BUFFER = 1 << 23


def output_paths(inputs: Sequence[Path], folder: Path) -> list[Path]:
    """The ImageSet of each GalaxySet.

    Raises
    ------
    InputError
        If two inputs have the same name.
    """
    stems = [path.stem for path in inputs]
    for stem in stems:
        if stems.count(stem) > 1:
            raise InputError(f"{stem}: two inputs have this name; render them into two folders")
    return [folder / f"{stem}.h5" for stem in stems]


def share_by_work(cost: np.ndarray, world: World) -> range:
    """This rank's contiguous part of the galaxies, parts having about the same cost.

    Parameters
    ----------
    cost : ndarray, shape (G,)
        Positive; the number of particles, for example.
    """
    done = np.concatenate([[0.0], np.cumsum(cost, dtype=np.float64)])
    middle = 0.5 * (done[1:] + done[:-1])
    edges = np.searchsorted(middle, done[-1] * np.arange(world.size + 1) / world.size)
    edges[-1] = len(cost)
    return range(int(edges[world.rank]), int(edges[world.rank + 1]))


def share_of(galaxies: GalaxySet, world: World) -> range:
    """This rank's contiguous part of the galaxies of a GalaxySet."""
    cost = sum(galaxies.count(name) for name in ("stars", "gas", "dark_matter")) + 1000
    return share_by_work(cost, world)


def render_file(
    source: Path,
    target: Path,
    settings: RenderSettings,
    *,
    seed: int,
    world: World,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, int]:
    """Render one GalaxySet to one ImageSet; every rank renders a part of the galaxies.

    Returns
    -------
    dict
        Of this rank: ``galaxies``, ``images``, and ``particles_left_out`` that were not sound.

    Raises
    ------
    InputError
        If the input cannot be read or lacks what a channel needs; the message names it.
    """
    parts = target.with_name(f".{target.stem}.parts")
    if world.first:
        shutil.rmtree(parts, ignore_errors=True)  # of an earlier run that was killed
    world.barrier()
    with GalaxySet(source) as galaxies:
        attributes = _attributes(galaxies, settings)
        share = share_of(galaxies, world)
        if world.size == 1:
            return _render_part(galaxies, share, target, settings, seed, attributes, advance)
        mine = parts / f"{world.rank}.h5"
        counts = _render_part(galaxies, share, mine, settings, seed, attributes, advance)
    world.barrier()
    if world.first:
        _concatenate(
            [parts / f"{rank}.h5" for rank in range(world.size)], target, settings, attributes
        )
        shutil.rmtree(parts)
    world.barrier()
    return counts


def _attributes(galaxies: GalaxySet, settings: RenderSettings) -> dict[str, Any]:
    kept = ("simulation", "snapshot", "redshift", "scale_factor", "time")
    observed = {}
    if settings.observation:
        telescope = telescope_of(settings.observation, settings.channels)
        observed = {
            "survey": settings.observation.survey,
            "pixel_scale_arcsec": telescope.pixel_scale,
            "distance_modulus": telescope.distance_modulus,
        }
    unit = "nmgy" if settings.observation else None
    return {
        **{name: galaxies.attributes[name] for name in kept if name in galaxies.attributes},
        "source": source_of(galaxies),
        "channel_units": [unit or unit_of(channel) for channel in settings.channels],
        "pixel_scale_unit": "kpc",
        **observed,
    }


def source_of(galaxies: GalaxySet) -> str:
    """Name of the simulation."""
    for name in ("source", "simulation"):
        if name in galaxies.attributes:
            return str(galaxies.attributes[name])
    return galaxies.path.stem


def _render_part(
    galaxies: GalaxySet,
    share: range,
    target: Path,
    settings: RenderSettings,
    seed: int,
    attributes: dict[str, Any],
    advance: Callable[[int], None],
) -> dict[str, int]:
    bands = [str(band) for band in galaxies.attributes.get("magnitude_bands", [])]
    telescope = None
    if settings.observation:
        telescope = telescope_of(settings.observation, settings.channels)
    counts = {"galaxies": 0, "images": 0, "particles_left_out": 0}
    with _writer(target, settings, attributes) as writer, _Batches(writer, settings) as batches:
        for index in share:
            try:
                pictures = render_galaxy(
                    galaxies.galaxy(index),
                    settings,
                    seed=seed,
                    source=str(attributes["source"]),
                    snapshot_bands=bands,
                    telescope=telescope,
                )
            except InputError as error:
                raise InputError(f"{galaxies.path}: {error}") from None
            batches.add(pictures.images, pictures.table)
            counts["galaxies"] += 1
            counts["images"] += len(pictures.images)
            counts["particles_left_out"] += pictures.dropped
            advance(1)
    return counts


def _writer(target: Path, settings: RenderSettings, attributes: dict[str, Any]) -> ImageSetWriter:
    units = set(attributes["channel_units"])
    return ImageSetWriter(
        target,
        channels=settings.channels,
        size=settings.size,
        unit=units.pop() if len(units) == 1 else "",
        attributes=attributes,
    )


class _Batches:
    """Images written in batches of a fixed size: files do not tell in what pieces they were made.

    A context manager, which writes the last batch.
    """

    def __init__(self, writer: ImageSetWriter, settings: RenderSettings) -> None:
        self._writer = writer
        self.size = max(1, _BUFFER // (len(settings.channels) * settings.size**2 * 4))
        self._held: list[tuple[np.ndarray, dict[str, Any]]] = []

    def __enter__(self) -> _Batches:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._held:
            self._writer.append(*self._all())

    def add(self, images: np.ndarray, table: dict[str, Any]) -> None:
        """Take images (n, C, H, W) and their rows; write what makes whole batches."""
        self._held.append((images, table))
        count = sum(len(images) for images, _ in self._held)
        if count < self.size:
            return
        images, table = self._all()
        whole = count - count % self.size
        for start in range(0, whole, self.size):
            rows = slice(start, start + self.size)
            self._writer.append(images[rows], {name: v[rows] for name, v in table.items()})
        # Copies: a part of an array would keep all of it.
        self._held = [
            (images[whole:].copy(), {name: v[whole:].copy() for name, v in table.items()})
        ]
        del images, table
        give_back()

    def _all(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        names = self._held[0][1]
        return np.concatenate([images for images, _ in self._held]), {
            name: np.concatenate([np.asarray(table[name]) for _, table in self._held])
            for name in names
        }


def _concatenate(
    parts: Sequence[Path], target: Path, settings: RenderSettings, attributes: dict[str, Any]
) -> None:
    with _writer(target, settings, attributes) as writer, _Batches(writer, settings) as batches:
        for path in parts:
            with ImageSet(path) as part:
                for start, images in part.chunks(batches.size):
                    rows = slice(start, start + len(images))
                    batches.add(images, {name: part.column(name, rows) for name in part.columns})
