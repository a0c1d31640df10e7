"""Collect a folder of images, against decoding them alone and against loaders of other packages.

The limit decodes every file whole and forgets it; ours also finds the files, brings images to their
size, and writes them with their table, flushed to the disk. Resampling decodes large JPEGs at a
reduced size, as libjpeg can, so that it may come out ahead of cutting.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import simplejpeg
from astropy.io import fits

from benchmarks.peers import MissingPeer, peer
from benchmarks.result import Result, alternate
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.collect.survey import collect
from morphosphere.config.collect import SurveySettings
from morphosphere.progress import log

#: Width of the files' images, and of those collected.
SIDE, SIZE = 200, 64


def run(*, full: bool = False) -> Iterator[Result]:
    """JPEGs of 200 px and FITS images of 200 px, cut or resampled to 64 px."""
    count = 20_000 if full else 2000
    repeats = 5 if full else 3
    cores = len(os.sched_getaffinity(0))
    missing = None
    with tempfile.TemporaryDirectory() as name:
        jpegs, others, output = (Path(name) / each for each in ("jpegs", "fits", "out"))
        _write(jpegs, count, "jpg")
        _write(others, count // 4, "fits")
        for kind, folder, fit, decode, what in (
            ("crop", jpegs, "crop", _decode_jpeg, "JPEG decoding by simplejpeg"),
            ("resample", jpegs, "resample", _decode_jpeg, "JPEG decoding by simplejpeg"),
            ("fits", others, "crop", _decode_fits, "reading by astropy's getdata"),
            ("fits-resample", others, "resample", _decode_fits, "reading by astropy's getdata"),
        ):
            files = sorted(folder.glob("*/*"))
            ours = _collecting(folder, fit, output, cores)
            pair = alternate(ours, lambda d=decode, f=files: _all(d, f, cores), repeats=repeats)
            _check(output, len(files))
            note = f"{what} alone; {cores} threads both, files in the page cache"
            yield pair.result(f"collect-{kind}", len(files), "images/s", 0.8, note)
        for loader in (_datasets, _torchvision):
            try:
                yield loader(jpegs, output, count, repeats)
            except MissingPeer as why:
                log(f"benchmark collect: not measured: {why}")
                missing = why
    if missing is not None:
        raise missing


def _write(folder: Path, count: int, kind: str) -> None:
    """Images of noisy exponential discs, in one sub-folder as loaders of classes want it."""
    rng = np.random.default_rng(1)
    (folder / "all").mkdir(parents=True)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    noise = rng.normal(8, 3, (16, SIDE, SIDE))
    for i in range(count):
        q, size = rng.uniform(0.3, 1), rng.uniform(0.1, 0.4)
        light = 220 * np.exp(-np.hypot(x, y / q) / size) + noise[i % 16]
        path = folder / "all" / f"{i:05d}.{kind}"
        if kind == "fits":
            fits.PrimaryHDU(light.astype(np.float32)).writeto(path)
            continue
        picture = np.repeat(np.clip(light, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        path.write_bytes(simplejpeg.encode_jpeg(picture))


def _collecting(folder: Path, fit: str, output: Path, workers: int) -> Callable[[], object]:
    settings = SurveySettings(path=str(folder), fit=fit, size=SIZE)
    return lambda: collect("bench", settings, output, workers=workers)


def _check(output: Path, count: int) -> np.ndarray:
    """All images were collected; they are returned."""
    with ImageSet(output / "images.h5") as images:
        if len(images) != count:
            raise SystemExit(f"{len(images)} images were collected, not {count}")
        return images.read(0, count)


def _all(decode: Callable[[Path], None], files: list[Path], threads: int) -> None:
    """Decode every file; in tasks of many, so that handing them out costs nothing."""

    def some(first: int) -> None:
        for file in files[first : first + 64]:
            decode(file)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(some, range(0, len(files), 64)):
            pass


def _decode_jpeg(path: Path) -> None:
    simplejpeg.decode_jpeg(path.read_bytes())


def _decode_fits(path: Path) -> None:
    fits.getdata(path, memmap=False)


def _datasets(folder: Path, output: Path, count: int, repeats: int) -> Result:
    told = {"folder": str(folder), "size": SIZE}
    with peer("peers", "collect_peer") as other:
        kept = output / "datasets.npy"
        other.ask("work", output=str(kept), **told)
        pair = alternate(
            _collecting(folder, "resample", output, 1),
            lambda: other.seconds("work", **told),
            repeats=repeats,
        )
    return pair.result(
        "collect-datasets",
        count,
        "images/s",
        1.0,
        "imagefolder loader of HuggingFace datasets and Pillow's resize, into an array; one thread",
        pixel_difference=_difference(_check(output, count), np.load(kept)),
    )


def _torchvision(folder: Path, output: Path, count: int, repeats: int) -> Result:
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    steps = v2.Compose([v2.Resize((SIZE, SIZE)), v2.PILToTensor()])
    out = np.empty((count, 3, SIZE, SIZE), np.uint8)

    def theirs() -> None:
        for row, (image, _) in enumerate(ImageFolder(str(folder), transform=steps)):
            out[row] = image.numpy()

    pair = alternate(_collecting(folder, "resample", output, 1), theirs, repeats=repeats)
    return pair.result(
        "collect-torchvision",
        count,
        "images/s",
        1.0,
        "torchvision's ImageFolder and Resize, into an array; one thread",
        pixel_difference=_difference(_check(output, count), np.moveaxis(out, 1, -1)),
    )


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Mean difference in steps of 255 of (N, 3, H, W) and (N, H, W, 3), in the order of names."""
    return float(np.abs(np.moveaxis(ours, 1, -1).astype(np.int16) - theirs).mean())
