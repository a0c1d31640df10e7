"""Make the layers of the demo's map, against decoding and JPEG encoding alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.result import Result, alternate
from benchmarks.work import demo
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.config.hips import HipsSettings
from morphosphere.hips.__main__ import main

BATCH = 256


def run() -> Iterator[Result]:
    """The generated layer with the default order, width and cells; all cores on both sides."""
    results = demo()
    settings = HipsSettings()
    bundle = ModelBundle.load(results / "model")
    tiles = sum(12 * 4**order for order in range(settings.order + 1))
    cells = tiles * settings.cells**2
    rng = np.random.default_rng(1)
    places = rng.normal(size=(cells, 3)).astype(np.float32)
    places /= np.linalg.norm(places, axis=1, keepdims=True)

    def bare() -> None:
        for start in range(0, cells, BATCH):
            pictures = bundle.decode(places[start : start + BATCH])
        shape = (settings.tile_width, settings.tile_width, 3)
        step = settings.tile_width // settings.cells
        patch = np.resize(pictures[0].transpose(1, 2, 0), (step, step, 3)) * 255
        tile = np.ascontiguousarray(
            np.tile(patch.astype(np.uint8), (settings.cells, settings.cells, 1))[: shape[0]]
        )
        for _ in range(tiles):
            simplejpeg.encode_jpeg(tile, quality=settings.jpeg_quality)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "generated"
        command = ["--layer", "generated", "--output", str(folder)]
        for key, path in (("images", "images.h5"), ("model", "model")):
            command += [f"--{key}", str(results / path)]
        command += ["--catalogue", str(results / "catalogue.parquet")]

        def ours() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            main(command)

        our_seconds, their_seconds = alternate(ours, bare, repeats=2)
    yield Result(
        "hips-generated",
        tiles / our_seconds,
        tiles / their_seconds,
        0.8,
        True,
        "tiles/s",
        "decoder and JPEG alone",
    )
