"""Peak memory of every stage with ten times the galaxies, against that with one.

Stages of galaxies run on a mock box, those of images on made images; both are small, and so are
the chunks of the settings, so that already the smaller input fills several of them.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.peak import peak_of
from benchmarks.result import Result
from benchmarks.work import ROOT
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.progress import log

#: Galaxies of the mock box, pictures of the survey, images of the map, tiny images that are joined
#: (HDF5's caches are full after some 25,000 names of a file); ten times as many then.
BOX, PICTURES, IMAGES, JOINED, MORE = 250, 1000, 10_000, 60_000, 10
GOAL = 1.1
SIZE = 16
RANKS = 2
COUNTS = {
    "snapshots.mock": BOX,
    "extract": BOX,
    "render": BOX,
    "collect": PICTURES,
    "collect.join": JOINED,
}
LAYERS = ("generated", "real", "density", "catalogue")
SETTINGS = {
    "snapshots.mock": {"stars_range": [1000, 1500], "gas_per_star": 1, "files": 2, "workers": 2},
    "extract": {"chunk": 10_000, "shards": 1},
    "render": {"size": 64, "cameras": {"isotropic": 4}},
    "collect": {"fit": "resample", "size": 32},
    "learn": {
        "epochs": 1,
        "batch_size": 64,
        "memory_mib": 1,
        "buffer": 512,
        "transform": {"size": SIZE},
        "encoder": {"width": 4},
        "decoder": {"width": 4},
        "features": 32,
    },
    "predict": {"exact_up_to": 0},
    "evaluate": {
        "max_rotated": 50,
        "max_held_out": 100,
        "max_train": 200,
        "max_scored": 300,
        "max_reference": 2000,
    },
    "hips": {"order": 1, "tile_width": 128},
    "explorer.data": {},
    "explorer": {},
}


def run() -> Iterator[Result]:
    """All processes of a stage together; extract, render and predict on two ranks."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for factor in (1, MORE):
            log(f"benchmark memory: {factor} x {BOX} galaxies, {factor} x {IMAGES} images")
            folder = Path(name) / str(factor)
            model = Path(name) / "1" / "model"
            for stage, peak in _stages(folder, factor, model):
                found.setdefault(stage, []).append(peak)
    for stage, (small, large) in found.items():
        unit = COUNTS.get(stage, IMAGES)
        each = max(0.0, large - small) * 2**20 / ((MORE - 1) * unit)
        note = f"{MORE} times {unit} galaxies; {each:.0f} bytes for each"
        yield Result(f"memory-{stage}", large, small, GOAL, False, "MiB", note)


def _stages(folder: Path, factor: int, model: Path) -> Iterator[tuple[str, float]]:
    """Run all stages; name and peak of each."""
    box = folder / "box"
    mock = {"galaxies": BOX * factor, **SETTINGS["snapshots.mock"]}
    yield _measured("snapshots.mock", ["--output", box], mock)
    words = ["--simulation", "mock", "--snapshot", 99, "--input", box]
    yield _measured("extract", [*words, "--output", folder / "galaxies"], ranks=RANKS)
    words = ["--input", folder / "galaxies" / "0.h5", "--output", folder / "rendered"]
    yield _measured("render", words, ranks=RANKS)

    pictures = make_pictures(folder / "pictures", PICTURES * factor)
    collect = {"path": str(pictures), **SETTINGS["collect"]}
    words = ["--name", "survey", "--workers", 2, "--output", folder / "collected"]
    yield _measured("collect", words, collect)

    parts = [folder / f"part{number}.h5" for number in range(2)]
    for number, part in enumerate(parts):
        make_images(part, JOINED * factor // 2, f"part{number}", size=4)
    yield _measured("collect.join", ["--input", *parts, "--output", folder / "joined.h5"])
    images = make_images(folder / "images.h5", IMAGES * factor, "made")
    words = ["--images", images, "--output", folder / "model", "--training", folder / "training"]
    yield _measured("learn", words)
    catalogue = folder / "catalogue.parquet"
    given = ["--images", images, "--model", model]
    yield _measured("predict", [*given, "--output", catalogue], ranks=RANKS)
    given += ["--catalogue", catalogue]
    words = ["--training", folder.parent / "1" / "training", "--figures", folder / "figures"]
    yield _measured("evaluate", [*given, *words, "--metrics", folder / "metrics.json"])
    for layer in LAYERS:
        words = [*given, "--layer", layer, "--threads", 2, "--output", folder / "hips" / layer]
        yield f"hips-{layer}", _measured("hips", words)[1]
    data = folder / "site" / "data"
    yield _measured("explorer.data", [*given, "--output", data])
    words = ["--catalogue", catalogue, "--data", data, "--output", folder / "site"]
    words += ["--hips", *(folder / "hips" / layer for layer in LAYERS)]
    aladin = ROOT / "node_modules" / "aladin-lite" / "dist" / "aladin.js"
    yield _measured("explorer", [*words, "--aladin", aladin])
    shutil.rmtree(folder / "pictures")


def _measured(
    stage: str, words: list[object], settings: dict | None = None, *, ranks: int = 1
) -> tuple[str, float]:
    given = json.dumps(SETTINGS.get(stage, {}) if settings is None else settings)
    launcher = [Path(sys.executable).with_name("mpiexec"), "-n", ranks] if ranks > 1 else []
    more = ["--settings", given] if stage != "collect.join" else []
    command = [*launcher, sys.executable, "-m", f"morphosphere.{stage}", *more, *words]
    peak = peak_of(command)
    log(f"benchmark memory: {stage}: {peak:.1f} MiB")
    return stage, peak


def make_pictures(folder: Path, count: int, *, width: int = 64) -> Path:
    """Write so many JPEGs of round galaxies."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    axis = np.linspace(-1, 1, width)
    radius = np.hypot(axis, axis[:, None])
    for number in range(count):
        light = 220 * np.exp(-radius / random.uniform(0.1, 0.4))
        picture = np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)
        (folder / f"{number:06d}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))
    return folder


def make_images(
    path: Path, count: int, source: str, *, size: int = SIZE, batch: int = 1000
) -> Path:
    """Write an ImageSet of so many galaxies of different shape, with a property."""
    random = np.random.default_rng(2)
    axis = np.linspace(-1, 1, size)
    with ImageSetWriter(path, channels=["i", "r", "g"], size=size) as out:
        for start in range(0, count, batch):
            number = min(batch, count - start)
            ratio, scale = random.uniform(0.3, 1, (2, number, 1, 1, 1))
            radius = np.hypot(axis, axis[:, None] / ratio) / (0.1 + 0.3 * scale)
            colour = random.uniform(0.5, 1, (number, 3, 1, 1))
            names = [f"{source}_{start + index:07d}" for index in range(number)]
            table = {"image_id": names, "galaxy_id": names, "source": [source] * number}
            table["axis_ratio"] = ratio.ravel()
            out.append((colour * np.exp(-radius)).astype(np.float32), table)
    return path
