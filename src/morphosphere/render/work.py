"""GalaxySet files to ImageSet files, galaxy by galaxy, shared over ranks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import COMPONENTS, GalaxySet
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.config.render import RenderSettings
from morphosphere.errors import InputError
from morphosphere.memory import give_back
from morphosphere.parallel import World
from morphosphere.render.channels import component_of, unit_of
from morphosphere.render.galaxy import render_galaxy
from morphosphere.render.observe import telescope_of

#: Bytes of images that are written at a time.
_BUFFER = 1 << 23
#: Part of a rank's work by which it may be more or less, so that a file is not divided.
_NEAR = 0.05


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


def share_by_work(cost: np.ndarray, ranks: int, whole: np.ndarray | None = None) -> np.ndarray:
    """Where the contiguous parts of ranks begin and end, parts having about the same cost.

    Parameters
    ----------
    cost : ndarray, shape (G,)
        Positive; the number of particles, for example.
    ranks : int
    whole : ndarray of int, or None
        Numbers from 0 to G, ends of files, at which a part rather ends if one is near: a file that
        one rank renders needs not be put together.

    Returns
    -------
    ndarray of int, shape (ranks + 1,)
    """
    done = np.concatenate([[0.0], np.cumsum(cost, dtype=np.float64)])
    middle = 0.5 * (done[1:] + done[:-1])
    aims = done[-1] * np.arange(ranks + 1) / ranks
    edges = np.searchsorted(middle, aims)
    edges[-1] = len(cost)
    if whole is not None:
        near = whole[np.abs(done[whole][:, None] - aims).argmin(axis=0)]
        close = np.abs(done[near] - aims) < _NEAR * done[-1] / ranks
        edges = np.where(close, near, edges)
        edges[0], edges[-1] = 0, len(cost)
    return edges


def shares_of(inputs: Sequence[Path], ranks: int) -> list[list[range]]:
    """Galaxies of each GalaxySet that each rank renders.

    Raises
    ------
    InputError
        If an input cannot be read.
    """
    costs = []
    for path in inputs:
        with GalaxySet(path) as galaxies:
            costs.append(sum(galaxies.count(name) for name in COMPONENTS) + 1000)
    ends = np.cumsum([0, *map(len, costs)])
    edges = share_by_work(np.concatenate(costs), ranks, ends)
    return [
        [
            range(max(low, start) - start, max(min(high, stop), max(low, start)) - start)
            for low, high in zip(edges.tolist(), edges[1:].tolist())
        ]
        for start, stop in zip(ends.tolist(), ends[1:].tolist())
    ]


def render_files(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    settings: RenderSettings,
    *,
    seed: int,
    world: World,
    device: str | None = None,
    shares: list[list[range]] | None = None,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, int]:
    """Render GalaxySets to ImageSets; every rank renders a part of all galaxies.

    `device` is where particles are projected, in PyTorch's words; None for the CPU. `shares` are
    those of `shares_of`, if they are known.

    Returns
    -------
    dict
        Of this rank: ``galaxies``, ``images``, and ``particles_left_out`` that were not sound.

    Raises
    ------
    InputError
        If the input cannot be read or lacks what a channel needs; the message names it.
    """
    shares = shares or shares_of(inputs, world.size)
    folders = [target.with_name(f".{target.stem}.parts") for target in targets]
    if world.first:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)  # of an earlier run that was killed
    world.barrier()
    counts = {"galaxies": 0, "images": 0, "particles_left_out": 0}
    attributes = []
    for source, target, folder, ranges in zip(inputs, targets, folders, shares):
        mine = target if world.size == 1 else folder / f"{world.rank}.h5"
        with GalaxySet(source) as galaxies:
            attributes.append(_attributes(galaxies, settings))
            if world.rank in _makers(ranges):
                work = (ranges[world.rank], mine, settings, seed, attributes[-1], device, advance)
                for name, number in _render_part(galaxies, *work).items():
                    counts[name] += number
    world.barrier()
    if world.size > 1:
        for target, folder, ranges, said in zip(targets, folders, shares, attributes):
            if world.rank == _makers(ranges)[0]:
                parts = [folder / f"{rank}.h5" for rank in _makers(ranges)]
                if len(parts) == 1:
                    parts[0].replace(target)
                else:
                    _concatenate(parts, target, settings, said)
                shutil.rmtree(folder)
    world.barrier()
    return counts


def _makers(ranges: list[range]) -> list[int]:
    """Ranks that render a part of a file; the first where there is nothing to render."""
    return [rank for rank, part in enumerate(ranges) if part] or [0]


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
    device: str | None,
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
                    galaxies.galaxy(index, _components(galaxies, index, settings)),
                    settings,
                    seed=seed,
                    source=str(attributes["source"]),
                    snapshot_bands=bands,
                    telescope=telescope,
                    device=device,
                )
            except InputError as error:
                raise InputError(f"{galaxies.path}: {error}") from None
            batches.add(pictures.images, pictures.table)
            counts["galaxies"] += 1
            counts["images"] += len(pictures.images)
            counts["particles_left_out"] += pictures.dropped
            advance(1)
    return counts


def _components(galaxies: GalaxySet, index: int, settings: RenderSettings) -> tuple[str, ...]:
    """What is shown, and the stars, which tell the radius; all components where there are none."""
    if not galaxies.count("stars")[index]:
        return COMPONENTS
    shown = {component_of(channel) for channel in settings.channels}
    return tuple(name for name in COMPONENTS if name in shown | {"stars"})


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
