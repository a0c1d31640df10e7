"""An ImageSet of mergers to DeepGalaxy's layout, a chunk of images at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from morphosphere.artefacts.hdf5 import HDF5Output
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.merger_sources import DeepGalaxySettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_path
from morphosphere.mergers.deepgalaxy.layout import dataset_names, group_name
from morphosphere.mergers.deepgalaxy.read import CHUNK, PERICENTRE

#: Cameras that DeepGalaxy itself reads.
CAMERAS = 14


@dataclass(frozen=True)
class _Plan:
    """Where each image goes: number of its dataset and its place there."""

    datasets: list[tuple[str, int]]
    dataset: np.ndarray
    place: np.ndarray
    time: np.ndarray
    pericentres: dict[str, float]
    remarks: list[str]


def write(
    path: Path,
    output: Path,
    settings: DeepGalaxySettings,
    advance: Callable[[int], None] = lambda n: None,
) -> list[str]:
    """Write the encounters of an ImageSet; images of single galaxies are left out.

    Returns
    -------
    list of str
        What did not fit, for the log.

    Raises
    ------
    InputError
        If a column is missing, an encounter has no or several ratios, or pixels do not fit.
    """
    with ImageSet(path) as images:
        channels = len(images.channels)
        if channels not in (1, 3):
            raise InputError(
                f"{path}: has {channels} channels ({', '.join(images.channels)}); DeepGalaxy knows "
                "one (grey) or three (colour)"
            )
        plan = _plan(images)
        size = images.size
        shape = (size, size) if channels == 1 else (size, size, 3)
        step = max(1, CHUNK // (4 * channels * size**2))
        with atomic_path(output) as temporary, HDF5Output(temporary) as file:
            _make(file, plan, shape, settings)
            for start in range(0, len(images), step):
                rows = np.arange(start, min(start + step, len(images)))
                rows = rows[plan.dataset[rows] >= 0]
                if len(rows):
                    pixels = images.read(int(rows[0]), int(rows[-1]) + 1)[rows - rows[0]]
                    _put(file, plan, rows, _scaled(pixels, rows, path, settings))
                advance(len(rows))
    return plan.remarks


def _plan(images: ImageSet) -> _Plan:
    encounter = images.column("encounter_id")
    camera = images.column("camera").astype(np.int64)
    single = np.zeros(len(images), dtype=bool)
    if "is_encounter" in images.columns:
        single = images.column("is_encounter") == 0
    time, pericentre = _times(images, encounter, ~single)
    remarks = []
    if single.any():
        remarks.append(f"{single.sum()} images of single galaxies are left out")
    names = _names(images, encounter, single, remarks)
    group = np.array([names.get(each, "") for each in encounter], dtype=object)
    dataset = np.full(len(images), -1)
    place = np.full(len(images), -1)
    datasets: list[tuple[str, int]] = []
    for name in names.values():
        for number in np.unique(camera[group == name]):
            rows = np.flatnonzero((group == name) & (camera == number) & ~single)
            rows = rows[np.argsort(time[rows], kind="stable")]
            dataset[rows], place[rows] = len(datasets), np.arange(len(rows))
            datasets.append((name, int(number)))
    if not datasets:
        raise InputError(f"{images.path}: no image of an encounter in it")
    if max(number for _, number in datasets) >= CAMERAS:
        remarks.append(f"cameras go beyond {CAMERAS - 1}, the last that DeepGalaxy itself reads")
    known = {names[e]: p for e, p in pericentre.items() if e in names and np.isfinite(p)}
    return _Plan(datasets, dataset, place, time, known, remarks)


def _times(
    images: ImageSet, encounter: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Times from the start (the earliest image of an encounter), and of the first pericentre."""
    since = images.column("time_since_pericentre").astype(np.float64)
    stored = (
        images.column("time").astype(np.float64) if "time" in images.columns else since * np.nan
    )
    time = stored.copy()
    pericentre = {}
    for name in np.unique(encounter[wanted].astype(str)):
        rows = np.flatnonzero((encounter == name) & wanted)
        if not np.isfinite(stored[rows]).all():
            time[rows] = since[rows] - since[rows].min()
        if len(bad := rows[~np.isfinite(time[rows])]):
            raise InputError(
                f"{images.path}: {images.column('image_id')[bad[0]]} has neither time nor "
                "time_since_pericentre; DeepGalaxy needs one"
            )
        pericentre[str(name)] = float(np.median(time[rows] - since[rows]))
    return time, pericentre


def _names(
    images: ImageSet, encounter: np.ndarray, single: np.ndarray, remarks: list[str]
) -> dict[str, str]:
    """Group of each encounter; encounters of the same ratios get their ids after them."""
    size, mass = images.column("size_ratio"), images.column("mass_ratio")
    ratios: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(encounter[~single].astype(str)):
        rows = (encounter == name) & ~single
        for column, values in (("size_ratio", size), ("mass_ratio", mass)):
            if not (np.isfinite(values[rows]).all() and (values[rows] > 0).all()):
                raise InputError(
                    f"{images.path}: encounter {name} has no {column}; a group of DeepGalaxy is "
                    "named by it"
                )
            if np.ptp(values[rows]) > 1e-6:
                raise InputError(
                    f"{images.path}: encounter {name} has several values of {column}, "
                    f"{values[rows].min():.4g} to {values[rows].max():.4g}; a group of DeepGalaxy "
                    "has one"
                )
        ratios[name] = (float(size[rows][0]), float(mass[rows][0]))
    names = {name: group_name(*both) for name, both in ratios.items()}
    taken = list(names.values())
    shared = {group for group in taken if taken.count(group) > 1}
    if shared:
        remarks.append(
            f"{len(shared)} pairs of ratios belong to several encounters; their ids follow in the "
            "names of the groups"
        )
    return {name: f"{g}_{name}" if g in shared else g for name, g in names.items()}


def _make(
    file: h5py.File, plan: _Plan, shape: tuple[int, ...], settings: DeepGalaxySettings
) -> None:
    """Make all groups and datasets, and write the times."""
    dtype = np.dtype(settings.dtype)
    for number, (name, camera) in enumerate(plan.datasets):
        rows = np.flatnonzero(plan.dataset == number)
        group = file.require_group(name)
        if name in plan.pericentres:
            group.attrs[PERICENTRE] = plan.pericentres[name]
        images, times = dataset_names(camera)
        group.create_dataset(
            images,
            shape=(len(rows), *shape),
            dtype=dtype,
            chunks=(1, *shape),
            compression="gzip",
            compression_opts=3,
        )
        in_order = np.empty(len(rows))
        in_order[plan.place[rows]] = plan.time[rows]
        group.create_dataset(times, data=in_order)


def _scaled(
    pixels: np.ndarray, rows: np.ndarray, path: Path, settings: DeepGalaxySettings
) -> np.ndarray:
    """Images (n, H, W) or (n, H, W, 3) of the type that is written."""
    if pixels.dtype == np.uint8:
        values = pixels.astype(np.float32) / np.float32(255)
    else:
        values = pixels.astype(np.float32)
        _refuse(~np.isfinite(values), rows, path, "a pixel that is not a finite number")
        if settings.stretch == "none":
            out = (values < 0) | (values > 1)
            _refuse(out, rows, path, "a pixel that is not from 0 to 1; set stretch to asinh")
        else:
            values = _stretched(values, settings)
    values = np.moveaxis(values, 1, 3)
    values = values[..., 0] if values.shape[3] == 1 else values
    if settings.dtype == "uint8":
        return np.rint(values * 255).astype(np.uint8)
    return values


def _stretched(values: np.ndarray, settings: DeepGalaxySettings) -> np.ndarray:
    values = np.maximum(values, 0)
    most = values.max(axis=(1, 2, 3), keepdims=True)
    values = values / np.where(most > 0, most, 1)
    if settings.stretch == "asinh":
        values = np.arcsinh(settings.stretch_factor * values) / np.arcsinh(settings.stretch_factor)
    return np.minimum(values, 1).astype(np.float32)


def _refuse(bad: np.ndarray, rows: np.ndarray, path: Path, said: str) -> None:
    found = np.flatnonzero(bad.any(axis=(1, 2, 3)))
    if len(found):
        raise InputError(f"{path}: image {rows[found[0]]} has {said}")


def _put(file: h5py.File, plan: _Plan, rows: np.ndarray, pixels: Any) -> None:
    for row, image in zip(rows, pixels):
        name, camera = plan.datasets[plan.dataset[row]]
        file[name][dataset_names(camera)[0]][plan.place[row]] = image
