"""Images and a model for the benchmark of predict: drawn galaxies, untrained default networks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings
from morphosphere.predict.alignment import align
from morphosphere.predict.placement import BATCH, Model

CHANNELS = ("i", "r", "g")
SIZE = 64
_PIECE = 256


def draw(count: int, *, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Inclined discs with bulges, arms and a companion each; (count, 3, size, size), float32."""
    random = np.random.default_rng(seed)

    def between(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1)).astype(np.float32)

    axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    x, y = axis[None, None, :], -axis[None, :, None]
    turn = between(0, 2 * np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    across = (y * np.cos(turn) - x * np.sin(turn)) / between(0.3, 1)
    radius = np.hypot(along, across) / between(0.1, 0.3)
    winding = 2 * np.arctan2(across, along) - 4 * np.log(radius + 0.3)
    disc = np.exp(-radius) * (1 + between(0, 0.7) * np.cos(winding))
    bulge = between(0, 3) * np.exp(-np.hypot(x, y) / between(0.03, 0.1))
    gap = np.hypot(x - between(-0.7, 0.7), y - between(-0.7, 0.7))
    companion = between(0, 1) * np.exp(-gap / between(0.03, 0.1))
    blue = between(0.5, 1.5)
    colours = [disc * blue**step + bulge + companion for step in (-1, 0, 1)]
    out = np.stack(colours, axis=1)
    out += 0.01 * random.standard_normal(out.shape, dtype=np.float32)
    return out


def write_images(path: Path, count: int) -> Path:
    """An ImageSet of `count` galaxies, float32."""
    with ImageSetWriter(path, channels=CHANNELS, size=SIZE) as out:
        for start in range(0, count, _PIECE):
            here = min(_PIECE, count - start)
            names = [f"drawn_{number:06d}" for number in range(start, start + here)]
            table = {"image_id": names, "galaxy_id": names, "source": ["drawn"] * here}
            out.append(draw(here, seed=start), table)
    return path


def write_model(path: Path) -> ModelBundle:
    """A bundle of untrained networks of the default settings: as large as trained ones."""
    import torch

    from morphosphere.learn import write_bundle
    from morphosphere.learn.networks import SphereNetworks

    torch.manual_seed(0)
    settings = LearnSettings()
    return write_bundle(
        path,
        networks=SphereNetworks(len(CHANNELS), SIZE, settings),
        settings=settings,
        transform=Transform(channels=CHANNELS, size=SIZE, scale="image", stretch="asinh"),
        examples=torch.rand(3, len(CHANNELS), SIZE, SIZE),
        training={},
        metrics={},
    )


def parts(images: Path, model: Path, count: int = 256) -> dict[str, float]:
    """Milliseconds of one core for each image that the parts of the first pass take."""
    network = Model.load(model, device="cpu", threads=1)
    transform = network.bundle.transform
    spent: dict[str, float] = dict.fromkeys(("read", "transform", "encode", "decode", "align"), 0.0)

    def timed(name: str, work: Callable[[], np.ndarray]) -> np.ndarray:
        start = time.thread_time()
        found = work()
        spent[name] += time.thread_time() - start
        return found

    with ImageSet(images) as source:
        for _ in range(2):  # the first opens and compiles
            spent = dict.fromkeys(spent, 0.0)
            for at in range(0, count, BATCH):
                span = slice(at, min(at + BATCH, count))
                stored = timed("read", lambda span=span: source.read(span.start, span.stop))
                pixels = timed("transform", lambda stored=stored: transform(stored))
                place = timed("encode", lambda pixels=pixels: network.encode(pixels)[0])
                drawn = timed("decode", lambda place=place: network.decode(place))
                timed("align", lambda pair=(pixels, drawn): align(*pair, keep=False)[0])
    return {name: 1e3 * seconds / count for name, seconds in spent.items()}
