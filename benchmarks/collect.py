"""Collect a folder of JPEGs, against decoding them alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.result import Result, alternate
from morphosphere.collect.survey import collect
from morphosphere.config.collect import SurveySettings

COUNT = 1000


def run() -> Iterator[Result]:
    """200-pixel pictures, brought to 64 pixels by a crop or by area; one thread on both sides."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        folder.mkdir()
        for i in range(COUNT):
            q, size = rng.uniform(0.3, 1), rng.uniform(0.1, 0.4)
            light = 220 * np.exp(-np.hypot(x, y / q) / size) + rng.normal(8, 3, (200, 200))
            picture = np.repeat(np.clip(light, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
            (folder / f"{i:05d}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))
        files = sorted(folder.iterdir())
        for fit in ("crop", "resample"):
            settings = SurveySettings(path=str(folder), fit=fit, size=64)
            ours, theirs = alternate(
                lambda s=settings: collect("bench", s, Path(name) / "out", workers=1),
                lambda: [simplejpeg.decode_jpeg(file.read_bytes()) for file in files],
                repeats=3,
            )
            yield Result(
                f"collect-{fit}",
                COUNT / ours,
                COUNT / theirs,
                0.8,
                True,
                "images/s",
                "JPEG decoding",
            )
