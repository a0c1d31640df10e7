"""Every stage of a map by its command, on inputs of a chosen size: how long, and how much memory.

Stages of galaxies run on a mock box, those of images on made images; both are small, and so are
the chunks of the settings, so that already small inputs fill several of them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.peak import cost_of
from benchmarks.work import ROOT
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.progress import log

SIZE = 16
RANKS = 2
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


@dataclass(frozen=True)
class Work:
    """How much there is to do; the generated layer's tiles are as many as its order says.

    Attributes
    ----------
    box, pictures, images, joined : int
        Galaxies of the mock box, pictures of the survey, images of the map, and tiny images that
        are joined (HDF5's caches are full after some 25,000 names of a file).
    """

    box: int
    pictures: int
    images: int
    joined: int

    def times(self, factor: int) -> Work:
        """So many times as much."""
        return Work(*(factor * count for count in dataclasses.astuple(self)))

    def of(self, stage: str) -> int:
        """What a stage has to do."""
        if stage in ("snapshots.mock", "extract", "render"):
            return self.box
        return {"collect": self.pictures, "collect.join": self.joined}.get(stage, self.images)


@dataclass(frozen=True)
class Cost:
    """What a stage took: seconds from its start to its end, and peak memory in MiB."""

    stage: str
    seconds: float
    mib: float


def all_stages(
    folder: Path, work: Work, model: Path, *, order: int = SETTINGS["hips"]["order"]
) -> Iterator[Cost]:
    """Run all stages in a folder, extract, render and predict on two ranks.

    `model` is the ModelBundle that images are placed with: of the same one wherever costs are
    compared. Its training folder lies beside it. The generated layer's work is that of its
    `order`; the other layers keep theirs.
    """
    box = folder / "box"
    mock = {"galaxies": work.box, **SETTINGS["snapshots.mock"]}
    yield _measured("snapshots.mock", ["--output", box], mock)
    words = ["--simulation", "mock", "--snapshot", 99, "--input", box]
    yield _measured("extract", [*words, "--output", folder / "galaxies"], ranks=RANKS)
    words = ["--input", folder / "galaxies" / "0.h5", "--output", folder / "rendered"]
    yield _measured("render", words, ranks=RANKS)

    pictures = make_pictures(folder / "pictures", work.pictures)
    collect = {"path": str(pictures), **SETTINGS["collect"]}
    words = ["--name", "survey", "--workers", 2, "--output", folder / "collected"]
    yield _measured("collect", words, collect)

    parts = [folder / f"part{number}.h5" for number in range(2)]
    for number, part in enumerate(parts):
        make_images(part, work.joined // 2, f"part{number}", size=4)
    yield _measured("collect.join", ["--input", *parts, "--output", folder / "joined.h5"])
    images = make_images(folder / "images.h5", work.images, "made")
    words = ["--images", images, "--output", folder / "model", "--training", folder / "training"]
    yield _measured("learn", words)
    catalogue = folder / "catalogue.parquet"
    given = ["--images", images, "--model", model]
    yield _measured("predict", [*given, "--output", catalogue], ranks=RANKS)
    given += ["--catalogue", catalogue]
    words = ["--training", model.with_name("training"), "--figures", folder / "figures"]
    yield _measured("evaluate", [*given, *words, "--metrics", folder / "metrics.json"])
    for layer in LAYERS:
        words = [*given, "--layer", layer, "--threads", 2, "--output", folder / "hips" / layer]
        hips = SETTINGS["hips"] | ({"order": order} if layer == "generated" else {})
        yield dataclasses.replace(_measured("hips", words, hips), stage=f"hips-{layer}")
    data = folder / "site" / "data"
    yield _measured("explorer.data", [*given, "--output", data])
    words = ["--catalogue", catalogue, "--data", data, "--output", folder / "site"]
    words += ["--hips", *(folder / "hips" / layer for layer in LAYERS)]
    aladin = ROOT / "node_modules" / "aladin-lite" / "dist" / "aladin.js"
    yield _measured("explorer", [*words, "--aladin", aladin])
    shutil.rmtree(folder / "pictures")


def _measured(
    stage: str, words: list[object], settings: dict | None = None, *, ranks: int = 1
) -> Cost:
    given = json.dumps(SETTINGS.get(stage, {}) if settings is None else settings)
    launcher = [Path(sys.executable).with_name("mpiexec"), "-n", ranks] if ranks > 1 else []
    more = ["--settings", given] if stage != "collect.join" else []
    command = [*launcher, sys.executable, "-m", f"morphosphere.{stage}", *more, *words]
    seconds, mib = cost_of(command)
    log(f"benchmark: {stage}: {seconds:.1f} s, {mib:.1f} MiB")
    return Cost(stage, seconds, mib)


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
