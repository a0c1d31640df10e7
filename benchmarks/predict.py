"""Place images on the sphere: against the bare networks and against Spherinator's search.

The bare side is both networks, encoder and decoder, as the stage's purpose needs both: the pose
and the reconstruction error come from what is drawn. It gets transformed images in memory and keeps
nothing. Its best batch is searched, and its best way of using the cores: one pass on all of them,
or a pass of one core for each. The stage also reads, transforms, aligns, finds neighbours and
writes; what it spends on each image is in `more`. Imports are on neither side; opening the model
is on ours.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.peers import peer
from benchmarks.predict_work import parts, write_images, write_model
from benchmarks.result import Result, alternate
from morphosphere.artefacts.bundle import ModelBundle, unit_vector
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.parallel import threads_given
from morphosphere.predict.__main__ import main

BATCHES = (4, 8, 16, 32, 64)
#: Images on which the best batch is searched.
SEARCHED = 256
#: Images for our side and for the peer, whose time is a linear function of their number.
OUR_SHARE, THEIR_SHARE = 1024, 4
ROTATIONS = 36


def run(*, full: bool = False) -> Iterator[Result]:
    """Untrained networks of the default settings on drawn galaxies; all cores on every side."""
    count = 20_480 if full else 5120
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = write_model(folder / "model").path
        images = write_images(folder / "images.h5", count)
        pixels = _transformed(images, model)
        bare, way = best_way(model, pixels[:SEARCHED])
        catalogue = folder / "catalogue.parquet"
        command = ["--images", str(images), "--model", str(model), "--output", str(catalogue)]
        pair = alternate(lambda: stage(command), lambda: bare(pixels), repeats=3)
        yield pair.result(
            "predict",
            count,
            "images/s",
            0.95,
            f"bare encoder and decoder in ONNX Runtime, {way}",
            largest_difference=_difference(model, pixels[:SEARCHED], catalogue),
            core_milliseconds_of_an_image=parts(images, model),
            seconds_of_a_process_with_one_image=_start(folder, model),
        )
        yield _spherinator(folder, model, pixels, repeats=5 if full else 2)


def stage(command: list[str]) -> None:
    """The stage in this process."""
    if main(command):
        raise SystemExit("predict failed; its message is above")


def best_way(model: Path, pixels: np.ndarray) -> tuple[Callable[[np.ndarray], None], str]:
    """The fastest way to send images through encoder and decoder, and its description."""
    threads = threads_given()
    ways = {
        f"batch {batch}, {said}": _passes(ModelBundle.load(model, threads=each), batch, workers)
        for batch in BATCHES
        for said, each, workers in (
            (f"one pass on {threads} cores", threads, 1),
            (f"{threads} passes of one core each", 1, threads),
        )
    }
    seconds = {way: fastest(lambda work=work: work(pixels)) for way, work in ways.items()}
    best = min(seconds, key=lambda way: seconds[way])
    return ways[best], best


def _passes(bundle: ModelBundle, batch: int, workers: int) -> Callable[[np.ndarray], None]:
    def passes(pixels: np.ndarray) -> None:
        def one(start: int) -> None:
            bundle.decode(bundle.encode(pixels[start : start + batch])[0])

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(0, len(pixels), batch)))

    bundle.decode(bundle.encode(pixels_like(bundle))[0])  # opened before threads share it
    return passes


def pixels_like(bundle: ModelBundle) -> np.ndarray:
    """A blank image for a model."""
    transform = bundle.transform
    return np.zeros((1, len(transform.channels), transform.size, transform.size), np.float32)


def fastest(work: Callable[[], object], repeats: int = 2) -> float:
    """Seconds of the quickest of some turns."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _transformed(images: Path, model: Path) -> np.ndarray:
    transform = ModelBundle.load(model).transform
    with ImageSet(images) as source:
        starts = range(0, len(source), 256)
        return np.concatenate(
            [transform(source.read(s, min(s + 256, len(source)))) for s in starts]
        )


def _difference(model: Path, pixels: np.ndarray, catalogue: Path) -> float:
    """Largest difference between places of the stage and of the bare networks."""
    rows = Catalogue(catalogue).read(["lon", "lat"])
    ours = unit_vector(rows["lon"], rows["lat"])[: len(pixels)]
    return float(np.abs(ours - ModelBundle.load(model).encode(pixels)[0]).max())


def _start(folder: Path, model: Path) -> float:
    one = write_images(folder / "one.h5", 1)
    words = ["--images", one, "--model", model, "--output", folder / "one.parquet"]
    start = time.perf_counter()
    command = [sys.executable, "-m", "morphosphere.predict", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _spherinator(folder: Path, model: Path, pixels: np.ndarray, *, repeats: int) -> Result:
    """The peer sees the first of the same images, transformed, in a file of its own kind."""
    few = write_images(folder / "few.h5", OUR_SHARE)
    np.save(folder / "few.npy", pixels[:THEIR_SHARE])
    output = folder / "few.parquet"
    command = ["--images", str(few), "--model", str(model), "--output", str(output)]
    words = {"images_path": str(folder / "few.npy"), "count": THEIR_SHARE, "rotations": ROTATIONS}
    threads = threads_given()
    with peer("spherinator", "spherinator_peer", threads=threads) as other:
        pair = alternate(
            lambda: stage(command), lambda: other.seconds("embed", **words), repeats=repeats
        )
    return pair.result(
        "predict-spherinator",
        OUR_SHARE,
        "images/s",
        10,
        f"Spherinator's embedding with {ROTATIONS} rotations, of {THEIR_SHARE} of the images: its "
        "time is linear in them",
        their_amount=THEIR_SHARE,
        rotations=ROTATIONS,
    )
