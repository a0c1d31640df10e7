"""Read the images of a survey, against the bare network on as many views of the same images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.result import Result, alternate
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.transform import Transform
from morphosphere.config.base import check
from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.learn.class_bundle import write_class_bundle
from morphosphere.learn.class_networks import ClassNetworks
from morphosphere.surveys.predict.__main__ import main
from morphosphere.views import VIEWS, view

IMAGES = 512
CHUNK = 64
#: Widths of the images as stored and as the network reads them, in pixels.
STORED, SIZE = 100, 64
CHANNELS = ("i", "r", "g")
CLASSES = ["smooth", "featured"]


def run() -> Iterator[Result]:
    """Untrained networks of the default settings; ONNX Runtime on all cores, on both sides."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = write_untrained(folder / "model")
        pixels = bundle.transform(_images(folder / "images.h5"))

        def bare() -> None:
            for start in range(0, IMAGES, CHUNK):
                for number in range(VIEWS):
                    part = view(pixels[start : start + CHUNK], number)
                    bundle.run("encoder", {"images": np.ascontiguousarray(part)})

        command = ["--images", str(folder / "images.h5"), "--model", str(folder / "model")]
        command += ["--output", str(folder / "predictions.parquet")]
        pair = alternate(lambda: main(command), bare, repeats=3)
    note = f"whole stage against the bare network; {VIEWS} views of the same images on both sides"
    yield pair.result("survey_predict", IMAGES, "images/s", 0.9, note)


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
