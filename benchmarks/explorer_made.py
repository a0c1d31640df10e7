"""The page of a million made galaxies, which `benchmarks.explorer` opens; made once and kept.

Places are no network's: they follow how long and how coloured a galaxy was drawn, so that galaxies
which look alike lie together, as on a real map.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.whole import make_images
from benchmarks.work import FOLDER, ROOT
from morphosphere.artefacts.bundle import unit_vector
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.progress import log, progress

SIZE = 16
NEIGHBOURS = 8
LAYERS = ("real", "generated", "density", "catalogue")
_VERSION = 1
_BATCH = 10_000
_TRAINED_ON = 4000
_LEARN = {
    "epochs": 1,
    "batch_size": 64,
    "memory_mib": 64,
    "transform": {"size": SIZE},
    "encoder": {"width": 4},
    "decoder": {"width": 8},
    "features": 16,
}
#: Thumbnails are small, as the images are; all else are the defaults.
_DATA = {"thumbnail": 32}
_HIPS = {"order": 3, "catalogue_rank": "outlier_score"}


def made(count: int) -> Path:
    """The folder of a finished map of `count` galaxies, whose page is ``site/index.html``.

    Its parts are kept from run to run, and made again when `_VERSION` is raised; the page itself
    is written anew each time.
    """
    folder = FOLDER / f"explorer-{count}-{_VERSION}"
    if not (folder / "done").exists():
        log(f"benchmark explorer: making a map of {count} galaxies; minutes, once")
        start = time.perf_counter()
        _make(folder, count)
        log(f"benchmark explorer: made in {time.perf_counter() - start:.0f} s")
    aladin = ROOT / "node_modules" / "aladin-lite" / "dist" / "aladin.js"
    words = ["--data", folder / "site" / "data", "--output", folder / "site", "--aladin", aladin]
    _run("explorer", {}, [*words, "--hips", *(folder / "hips" / layer for layer in LAYERS)])
    return folder


def _make(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model, catalogue = folder / "model", folder / "catalogue.parquet"
    if not model.exists():
        few = make_images(folder / "few.h5", _TRAINED_ON, "few", size=SIZE)
        words = ["--images", few, "--output", model, "--training", folder / "training"]
        _run("learn", _LEARN, words)
    if not catalogue.exists():
        write_map(folder, count)
    given = ["--images", folder / "images.h5", "--model", model, "--catalogue", catalogue]
    for layer in LAYERS:
        if not (folder / "hips" / layer / "properties").exists():
            words = [*given, "--layer", layer, "--threads", 2, "--output", folder / "hips" / layer]
            _run("hips", _HIPS, words)
    if not (folder / "site" / "data" / "index.json").exists():
        words = [*given, "--output", folder / "site" / "data"]
        launcher = [Path(sys.executable).with_name("mpiexec"), "-n", 2]
        _run("explorer.data", _DATA, words, launcher)
    (folder / "done").touch()


def _run(stage: str, settings: dict, words: list[object], launcher: list[object] = ()) -> None:
    command = [*launcher, sys.executable, "-m", f"morphosphere.{stage}"]
    command += ["--settings", json.dumps(settings), *words]
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        log(done.stderr[-3000:])
        raise SystemExit(f"failed, and the benchmark needs it: morphosphere.{stage}")
    log(f"benchmark explorer: {stage}: {time.perf_counter() - start:.1f} s")


def write_map(folder: Path, count: int) -> None:
    """Write ``images.h5`` and ``catalogue.parquet`` of `count` galaxies into a folder."""
    random = np.random.default_rng(5)
    ratio = random.uniform(0.15, 1, count)
    tint = random.uniform(0, 1, count)
    size = random.uniform(0.12, 0.4, count)
    lon = 360 * tint
    lat = np.degrees(np.arcsin(np.clip(2 * (ratio - 0.15) / 0.85 - 1, -1, 1)))
    vectors = unit_vector(lon, lat).astype(np.float32)
    tree = cKDTree(vectors)
    axis = np.linspace(-1, 1, SIZE, dtype=np.float32)
    with (
        ImageSetWriter(folder / "images.h5", channels=["i", "r", "g"], size=SIZE) as images,
        CatalogueWriter(folder / "catalogue.parquet") as catalogue,
        progress("made galaxies", count) as advance,
    ):
        for first in range(0, count, _BATCH):
            rows = slice(first, min(first + _BATCH, count))
            number = rows.stop - rows.start
            names = np.array([f"made_{row:07d}" for row in range(rows.start, rows.stop)], object)
            table = {
                "image_id": names,
                "galaxy_id": names,
                "source": np.full(number, "made", dtype=object),
                "axis_ratio": ratio[rows],
                "stellar_mass": 10 ** random.uniform(9, 12, number),
            }
            pixels = _draw(axis, ratio[rows], size[rows], tint[rows])
            images.append(pixels, {name: list(values) for name, values in table.items()})
            distance, near = tree.query(vectors[rows], NEIGHBOURS + 1, workers=-1)
            catalogue.append(
                {
                    **table,
                    "lon": lon[rows],
                    "lat": lat[rows],
                    "concentration": random.gamma(5.0, 20.0, number).astype(np.float32),
                    "angle": np.zeros(number, np.float32),
                    "flip": np.zeros(number, bool),
                    "reconstruction_error": random.uniform(0.01, 0.1, number).astype(np.float32),
                    "outlier_score": random.gamma(2.0, 1.0, number).astype(np.float32),
                    "split": np.full(number, "train", dtype=object),
                    "neighbours": near[:, 1:].astype(np.int64),
                    "neighbour_distances": distance[:, 1:].astype(np.float32),
                }
            )
            advance(number)


def _draw(axis: np.ndarray, ratio: np.ndarray, size: np.ndarray, tint: np.ndarray) -> np.ndarray:
    """Elliptical galaxies of one colour each (n, 3, S, S), uint8."""
    shape = (len(ratio), 1, 1)
    across = axis[:, None] / ratio.reshape(shape)
    light = np.exp(-np.hypot(axis, across.astype(np.float32)) / size.reshape(shape))
    phase = 2 * np.pi * (tint[:, None] + np.arange(3) / 3)
    colour = (0.65 + 0.35 * np.cos(phase)).astype(np.float32)
    return (255 * light[:, None] * colour[:, :, None, None]).astype(np.uint8)
