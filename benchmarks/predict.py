"""Place the demo's images on the sphere, against the bare networks on the same images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result, alternate
from benchmarks.work import demo
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.predict.__main__ import main

CHUNK = 64


def run() -> Iterator[Result]:
    """Encoder and decoder through ONNX Runtime on all cores, on both sides."""
    results = demo()
    bundle = ModelBundle.load(results / "model")
    with ImageSet(results / "images.h5") as images:
        pixels = bundle.transform(images.read(0, len(images)))

    def bare() -> None:
        for start in range(0, len(pixels), CHUNK):
            bundle.decode(bundle.encode(pixels[start : start + CHUNK])[0])

    with tempfile.TemporaryDirectory() as folder:
        command = ["--images", str(results / "images.h5"), "--model", str(results / "model")]
        command += ["--output", str(Path(folder) / "catalogue.parquet")]
        ours, theirs = alternate(lambda: main(command), bare, repeats=3)
    count = len(pixels)
    yield Result(
        "predict", count / ours, count / theirs, 0.95, True, "images/s", "bare encoder and decoder"
    )
