"""Drawn galaxies with predictions, bounds and fits of a known quality, as the stages write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from morphosphere.artefacts.bundle import FORMAT, VERSION
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.files import atomic_directory, write_json
from morphosphere.sersic.evaluate.bounds import Bounds
from morphosphere.sersic.evaluate.quantities import ANGLE, quantities_of
from morphosphere.sersic.evaluate.scored import TOLD, Scored
from morphosphere.structure.facts import FACTS, PSF_COLUMNS
from morphosphere.structure.intervals import intervals
from morphosphere.structure.parameters import Space
from morphosphere.structure.psf import write_psfs

ZERO_POINT, PIXEL, NOISE, GAIN, SIZE = 25.94, 0.06, 0.005, 2000.0, 48
#: Least errors of latent parameters of a galaxy of S/N 1, but for the ellipticity's.
_LEAST = {"instrumental_magnitude": 1.6, "log_radius": 0.9, "log_index": 1.4,
          "log_bulge_radius": 2.0, "bulge_to_total": 0.8}  # fmt: skip
_LEAST_ELLIPTICITY = 1.0
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Files:
    """Drawn galaxies on disk."""

    images: Path
    psf: Path
    predictions: Path
    bound: Path
    fits: Path
    table: dict[str, np.ndarray]


def draw_truth(count: int, components: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Parameters from the priors, and the S/N that a magnitude brings."""
    truth = {
        "magnitude": random.uniform(18, 23, count),
        "radius": 10 ** random.uniform(-0.7, 0.1, count),
        "axis_ratio": random.uniform(0.25, 1, count),
        "position_angle": random.uniform(0, 180, count),
    }
    if components == 1:
        truth["sersic_index"] = 10 ** random.uniform(-0.3, 0.75, count)
    else:
        truth["bulge_radius"] = truth["radius"] * random.uniform(0.1, 0.6, count)
        truth["bulge_to_total"] = random.uniform(0.05, 0.95, count)
    truth["snr"] = 25 * 10 ** (-0.4 * 0.8 * (truth["magnitude"] - 23))
    return truth


def least_covariance(space: Space, snr: np.ndarray) -> np.ndarray:
    """Covariance (n, P, P) of latent parameters at the bound; it is diagonal."""
    std = np.array([_LEAST.get(name, _LEAST_ELLIPTICITY) for name in space.latents])
    return (std / snr[:, None])[:, :, None] ** 2 * np.eye(len(std))


def profile(truth: dict[str, np.ndarray], k: int) -> np.ndarray:
    """A picture of galaxy `k` without PSF: near enough where only a picture is needed."""
    y, x = np.mgrid[SIZE / 2 - 0.5 : -SIZE / 2 : -1, -SIZE / 2 + 0.5 : SIZE / 2] * PIXEL
    angle, q = np.deg2rad(truth["position_angle"][k]), truth["axis_ratio"][k]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    r = np.hypot(np.hypot(along, across / q), 0.5 * PIXEL) / truth["radius"][k]
    n = truth["sersic_index"][k] if "sersic_index" in truth else 1.0
    light = np.exp(-(2 * n - 1 / 3) * (r ** (1 / n)))
    return light / light.sum() * 10 ** (-0.4 * (truth["magnitude"][k] - ZERO_POINT))


def scored_of(
    count: int = 2000,
    *,
    components: int = 1,
    quality: float = 1.0,
    calibration: float = 1.0,
    seed: int = 0,
) -> tuple[Scored, Bounds]:
    """Test galaxies and their bounds in memory; errors as `draw_scored` makes them."""
    random = np.random.default_rng(seed)
    space = Space(components)
    truth = draw_truth(count, components, random)
    snr = truth.pop("snr")
    latent, least = space.to_latent(truth, ZERO_POINT, PIXEL), least_covariance(space, snr)
    mean = latent + quality * _normal(least, random)
    covariance = (quality * calibration) ** 2 * least
    about = {
        "snr": snr,
        "zero_point": np.full(count, ZERO_POINT),
        "pixel_size": np.full(count, PIXEL),
    }
    said = intervals(space, mean, covariance, about["zero_point"], about["pixel_size"])
    ids = np.array([f"galaxy_{k:05d}" for k in range(count)])
    told = {c: {key: said[f"{c}_{key}"].astype(np.float64) for key in TOLD} for c in space.columns}
    flags = np.zeros(count, int)
    scored = Scored(np.arange(count), ids, truth, told, about, flags, mean, covariance)
    names = (*quantities_of(components), ANGLE)
    std = dict(zip(space.latents, np.sqrt(np.diagonal(least, axis1=1, axis2=2)).T))
    std |= space.propagate(least, latent, PIXEL)
    return scored, Bounds(ids, snr, {q.name: std[q.name] for q in names}, least)


def draw_scored(
    folder: Path,
    count: int = 400,
    *,
    components: int = 1,
    name: str = "galaxies",
    quality: float = 1.0,
    calibration: float = 1.0,
    fitted: int = 60,
    test: float = 0.5,
    seed: int = 0,
    change: Change | None = None,
    fits: Change | None = None,
) -> Files:
    """Write an ImageSet and all that the stages before tell of it.

    Errors are normal and `quality` times the bound, told standard deviations `calibration` times
    the errors. The fitter ``galsim`` is at the bound and never fails, ``statmorph`` has three times
    the error and fails at every fifth galaxy. `change` and `fits` may change columns of the
    predictions and of the fits before they are written.
    """
    random = np.random.default_rng(seed)
    space = Space(components)
    truth = draw_truth(count, components, random)
    ids = np.array([f"{name}_{k:05d}" for k in range(count)], dtype=object)
    table: dict[str, Any] = {
        "image_id": ids,
        "galaxy_id": ids,
        "source": np.array([name] * count, dtype=object),
        **truth,
        "zero_point": np.full(count, ZERO_POINT),
        "pixel_size": np.full(count, PIXEL),
        "sky_noise": np.full(count, NOISE),
        "gain": np.full(count, GAIN),
        "stamp_size": np.where(np.arange(count) % 2, 40, 64).astype(np.int32),
        "psf": np.arange(count, dtype=np.int32) % 2,
        "psf_fwhm": np.full(count, 0.1),
        **{c: np.full(count, (k + 1) / 8) for k, c in enumerate(PSF_COLUMNS)},
        "neighbours": np.zeros(count, np.int32),
        "use": np.where(np.arange(count) % 2, "test", "adapt").astype(object),
    }
    latent = space.to_latent(truth, ZERO_POINT, PIXEL)
    least = least_covariance(space, truth["snr"])
    told = latent + quality * _normal(least, random)
    said = intervals(
        space, told, (quality * calibration) ** 2 * least, table["zero_point"], table["pixel_size"]
    )
    covariance = (quality * calibration) ** 2 * least
    said |= {"latent": told, "covariance": covariance.reshape(count, -1)}
    split = np.array(SPLITS, dtype=object)[split_of(ids, validation=0.1, test=test)]
    flags = np.where(np.arange(count) % 11 == 0, 1, 0).astype(np.int32)
    whole = {**table, **said, "flags": flags, "sound": flags == 0, "split": split}
    whole["domain_distance"] = np.ones(count, np.float32)
    if change:
        change(whole)
        table = {key: whole[key] for key in table}
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(
        *(folder / f"{name}{end}" for end in (".h5", "_psf.h5", ".parquet", "_bound.parquet")),
        folder / f"{name}_fits.parquet",
        whole,
    )
    images = np.stack([profile(truth, k) for k in range(count)])[:, None].astype(np.float32)
    images += NOISE * random.standard_normal(images.shape, dtype=np.float32)
    with ImageSetWriter(files.images, channels=("F814W",), size=SIZE) as out:
        out.append(images, table)
    axis = np.arange(-12, 13) * PIXEL / 4
    spot = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 0.045**2))
    write_psfs(files.psf, np.stack([spot, spot]), scale=PIXEL / 4, oversampling=4.0)
    with CatalogueWriter(files.predictions) as out:
        out.append(whole)
    tested = np.flatnonzero(whole["split"] == "test")
    bound = {f"bound_{name}": np.sqrt(least[:, k, k]) for k, name in enumerate(space.latents)}
    bound |= {f"bound_{c}": s for c, s in space.propagate(least, latent, PIXEL).items()}
    bound["bound_covariance"] = least.reshape(count, -1)
    with CatalogueWriter(files.bound) as out:
        out.append(
            {k: v[tested] for k, v in {"image_id": ids, "snr": truth["snr"], **bound}.items()}
        )
    _write_fits(files.fits, ids, latent, least, tested[:fitted], space, random, fits)
    return files


def _normal(covariance: np.ndarray, random: np.random.Generator) -> np.ndarray:
    std = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    return std * random.standard_normal(std.shape)


def _write_fits(
    path: Path,
    ids: np.ndarray,
    latent: np.ndarray,
    least: np.ndarray,
    rows: np.ndarray,
    space: Space,
    random: np.random.Generator,
    change: Change | None,
) -> None:
    with CatalogueWriter(path) as out:
        for tool, factor, seconds in (("galsim", 1.0, 0.5), ("statmorph", 3.0, 0.05)):
            covariance = factor**2 * least[rows]
            found = latent[rows] + _normal(covariance, random)
            failed = (np.arange(len(rows)) % 5 == 0) & (tool == "statmorph")
            columns: dict[str, Any] = {
                "image_id": ids[rows],
                "tool": np.array([tool] * len(rows), dtype=object),
                **space.to_columns(found, ZERO_POINT, PIXEL),
            }
            stds = space.propagate(covariance, found, PIXEL)
            columns |= {f"{name}_std": values for name, values in stds.items()}
            for name in space.columns:
                columns[name] = np.where(failed, np.nan, columns[name])
            columns["seconds"] = np.full(len(rows), seconds)
            columns["failed"] = failed
            columns["reason"] = np.where(failed, "flagged by statmorph", "").astype(object)
            if change:
                change(columns)
            out.append(columns)


def _graph(parameters: int) -> onnx.ModelProto:
    """Images (N, 1, S, S), facts (N, F) -> mean (N, P), cholesky (N, P, P), distance (N,).

    The mean is a linear function of the facts and of the image's mean, the factor always the same.
    """
    random = np.random.default_rng(0)
    constants = {
        "weights": 0.1 * random.standard_normal((len(FACTS), parameters), dtype=np.float32),
        "factor": 0.1 * np.eye(parameters, dtype=np.float32)[None],
        "zero": np.zeros(1, np.float32),
        "pixels": np.array([1, 2, 3]),
        "second": np.array([1]),
    }
    nodes = [
        helper.make_node("ReduceMean", ["images", "pixels"], ["distance"], keepdims=0),
        helper.make_node("Unsqueeze", ["distance", "second"], ["brightness"]),
        helper.make_node("MatMul", ["facts", "weights"], ["linear"]),
        helper.make_node("Add", ["linear", "brightness"], ["mean"]),
        helper.make_node("Unsqueeze", ["mean", "second"], ["row"]),
        helper.make_node("Mul", ["row", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "factor"], ["cholesky"]),
    ]

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("images", "N", 1, "S", "S"), value("facts", "N", len(FACTS))],
        [
            value("mean", "N", parameters),
            value("cholesky", "N", parameters, parameters),
            value("distance", "N"),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])


def write_sersic_bundle(path: Path, components: int = 1, **more: Any) -> Path:
    """An untrained bundle; `more` changes model.json."""
    space = Space(components)
    with atomic_directory(path) as folder:
        onnx.save(_graph(len(space.latents)), folder / "encoder.onnx")
        (folder / "checkpoint.ckpt").touch()
        info = {
            "format": FORMAT,
            "version": VERSION,
            "task": "sersic",
            "components": components,
            "latents": list(space.latents),
            "facts": list(FACTS),
            "calibration": {"scale": [1.0] * len(space.latents)},
            "domain": {"limit": 3.0},
            "prior": {name: [-10.0, 10.0] for name in space.latents},
            "image_size": SIZE,
            "settings": {"split": {"validation": 0.1, "test": 0.5}},
        }
        write_json(folder / "model.json", info | more)
    return path
