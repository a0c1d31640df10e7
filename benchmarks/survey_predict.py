"""Read the images of a survey, against the bare network on as many views of the same images."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from benchmarks.predict import fastest
from benchmarks.result import Result, alternate
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.transform import Transform
from morphosphere.config.base import check
from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.learn.class_bundle import write_class_bundle
from morphosphere.learn.class_networks import ClassNetworks
from morphosphere.parallel import threads_given
from morphosphere.surveys.predict.__main__ import main
from morphosphere.views import VIEWS, view

IMAGES = 512
BATCHES = (8, 16, 64)
#: Widths of the images as stored and as the network reads them, in pixels.
STORED, SIZE = 100, 64
CHANNELS = ("i", "r", "g")
CLASSES = ["smooth", "featured"]


def run() -> Iterator[Result]:
    """Untrained networks of the default settings; ONNX Runtime on all cores, on both sides.

    The bare side gets the best batch, and the best way of using the cores.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = write_untrained(folder / "model")
        pixels = bundle.transform(_images(folder / "images.h5"))

        bare, way = best_way(bundle.path, pixels)
        command = ["--images", str(folder / "images.h5"), "--model", str(folder / "model")]
        command += ["--output", str(folder / "predictions.parquet")]
        pair = alternate(lambda: main(command), bare, repeats=3)
    note = f"whole stage against the bare network, {way}; {VIEWS} views of the same images each"
    yield pair.result("survey_predict", IMAGES, "images/s", 0.9, note)


def best_way(model: Path, pixels: np.ndarray) -> tuple[Callable[[], None], str]:
    """The fastest way to send all views through the network, and its description."""
    cores = threads_given()
    ways = {
        f"batch {batch}, {said}": _passes(ModelBundle.load(model, threads=each), pixels, batch, n)
        for batch in BATCHES
        for said, each, n in (
            (f"one pass on {cores} cores", cores, 1),
            (f"{cores} passes of one core each", 1, cores),
        )
    }
    best = min(ways, key=lambda way: fastest(ways[way]))
    return ways[best], best


def _passes(
    bundle: ModelBundle, pixels: np.ndarray, batch: int, workers: int
) -> Callable[[], None]:
    def one(start: int) -> None:
        for number in range(VIEWS):
            part = np.ascontiguousarray(view(pixels[start : start + batch], number))
            bundle.run("encoder", {"images": part})

    def passes() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(0, len(pixels), batch)))

    bundle.run("encoder", {"images": pixels[:1]})  # opened before threads share it
    return passes


def _images(path: Path) -> np.ndarray:
    images = np.random.default_rng(0).random((IMAGES, len(CHANNELS), STORED, STORED), np.float32)
    names = [f"{number:04d}" for number in range(IMAGES)]
    table = {"image_id": names, "galaxy_id": names, "source": ["drawn"] * IMAGES}
    with ImageSetWriter(path, channels=CHANNELS, size=STORED) as out:
        out.append(images, table)
    return images


def write_untrained(path: Path) -> ModelBundle:
    """Write a bundle of untrained networks of the default settings."""
    settings = check(ClassLearnSettings, {"classes": CLASSES}, source="benchmark")
    torch.manual_seed(0)
    networks = ClassNetworks(len(CHANNELS), SIZE, settings)
    return write_class_bundle(
        path,
        networks=networks,
        settings=settings,
        transform=Transform(channels=CHANNELS, size=SIZE, scale="image", stretch="asinh"),
        reading={
            "classes": CLASSES,
            "priors": [0.5, 0.5],
            "calibration": {"temperature": 1.0, "bias": [0.0, 0.0]},
            "decision": "balanced",
            "members": settings.members,
            "type": None,
            "domain": {"limit": 3.0},
        },
        examples=torch.rand(3, len(CHANNELS), SIZE, SIZE),
        training={},
        metrics={},
    )
