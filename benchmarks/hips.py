"""The map's image layer against decoding and JPEG encoding alone, HiPSter and reproject.

The limit is what cannot be spared: the decoder's pictures of all cells, computed in the best of
several ways, and the JPEG encoding of all tiles, on all cores. Ours adds geometry, drawing,
writing, overviews, coverage and metadata.

HiPSter pastes the decoder's pictures into a tile as they are, without geometry, so that the width
of a tile sets their number: 64 of 64 pixels on 512. At the demo's settings ours draws 16 on a tile
of the same width. Decoding rules both, so with 64 on either side ours can be faster only by what
HiPSter loses beside its decoder.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.hips_geometry import reprojected
from benchmarks.peers import MissingPeer, peer
from benchmarks.result import Result, Seconds, alternate
from benchmarks.work import demo
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.config.hips import HipsSettings
from morphosphere.hips.__main__ import main
from morphosphere.hips.geometry import directions
from morphosphere.hips.tiles import TileFormat
from morphosphere.progress import log

#: Cells that are decoded at a time, in the ways of which the limit takes the best.
BATCHES = (16, 64, 256)


def run(*, full: bool = False) -> Iterator[Result]:
    """The generated layer with the default order, width and cells; all cores on every side."""
    results = demo()
    cores = len(os.sched_getaffinity(0))
    missing = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _limit(results, folder, cores, full)
        for part in (_hipster, reprojected):
            try:
                yield from part(results, folder, cores, full)
            except MissingPeer as why:
                log(f"benchmark hips: not measured: {why}")
                missing = why
    if missing is not None:
        raise missing


def count_tiles(order: int) -> int:
    """Tiles of the orders 0 to `order`."""
    return sum(12 * 4**k for k in range(order + 1))


def seconds_of(work: Callable[[], object]) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _layer(results: Path, output: Path, **settings: int) -> Callable[[], None]:
    """Makes the generated layer of the demo anew, as a job of the workflow does."""
    words = ["--layer", "generated", "--output", output, "--settings", json.dumps(settings)]
    words += ["--images", results / "images.h5", "--model", results / "model"]
    words += ["--catalogue", results / "catalogue.parquet"]

    def make() -> None:
        shutil.rmtree(output, ignore_errors=True)
        if main([str(word) for word in words]):
            raise SystemExit("the hips stage failed")

    return make


def _limit(results: Path, folder: Path, cores: int, full: bool) -> Result:
    settings = HipsSettings()
    tiles = count_tiles(settings.order)
    part = tiles if full else tiles // 4
    form = TileFormat(settings.tile_format, settings.jpeg_quality)
    orders = range(settings.order + 1)
    bits = settings.cells.bit_length() - 1
    cells = [directions(k + bits, np.arange(12 * 4 ** (k + bits))) for k in orders]
    places = np.concatenate(cells).astype(np.float32)[-part * settings.cells**2 :]
    decode, way = _best_decoding(results / "model", places, cores)
    kept: dict[str, list[float]] = {"decode": [], "encode": []}

    def bare() -> Seconds:
        pixels = _some_tiles(folder / "generated", form, tiles)
        kept["decode"].append(seconds_of(lambda: decode(places)))
        kept["encode"].append(seconds_of(lambda: _encode(form, pixels, part, cores)))
        return Seconds(kept["decode"][-1] + kept["encode"][-1])

    pair = alternate(_layer(results, folder / "generated"), bare, repeats=5 if full else 2)
    return pair.result(
        "hips-generated",
        tiles,
        "tiles/s",
        0.8,
        f"decoder ONNX ({way}) and JPEG encoding alone; {cores} threads both"
        + ("" if full else "; a quarter of the tiles in the limit"),
        their_amount=part,
        our_tiles=tiles,
        pictures_on_a_tile=settings.cells**2,
        limit_decode_seconds=float(np.median(kept["decode"])),
        limit_encode_seconds=float(np.median(kept["encode"])),
    )


def _some_tiles(root: Path, form: TileFormat, count: int) -> list[np.ndarray]:
    """Pixels of 32 of the tiles that ours has made, after a look at whether all are there."""
    paths = sorted(root.glob("Norder*/Dir*/Npix*.jpg"))
    if len(paths) != count:
        raise SystemExit(f"{len(paths)} tiles were made, not {count}")
    return [form.decode(path.read_bytes()) for path in paths[:: count // 32]]


def _best_decoding(
    model: Path, places: np.ndarray, cores: int
) -> tuple[Callable[[np.ndarray], None], str]:
    """The fastest way to decode, and what it is: threads within a batch, or batches in threads."""
    ways = {}
    for batch in BATCHES:
        shared, single = ModelBundle.load(model), ModelBundle.load(model, threads=1)

        def within(at: np.ndarray, batch: int = batch, bundle: ModelBundle = shared) -> None:
            for start in range(0, len(at), batch):
                bundle.decode(at[start : start + batch])

        def beside(at: np.ndarray, batch: int = batch, bundle: ModelBundle = single) -> None:
            parts = [at[start : start + batch] for start in range(0, len(at), batch)]
            with ThreadPoolExecutor(cores) as pool:
                for _ in pool.map(lambda part: bundle.decode(part).shape, parts):
                    pass

        ways[f"{batch} at a time, threads share each"] = within
        ways[f"{batch} at a time, a batch for each thread"] = beside
    for work in ways.values():
        work(places[:256])
    sample = places[: 256 * 4 * cores]
    spent = dict.fromkeys(ways, np.inf)
    for _ in range(2):
        for name, work in ways.items():
            spent[name] = min(spent[name], seconds_of(lambda work=work: work(sample)))
    best = min(spent, key=spent.__getitem__)
    return ways[best], best


def _encode(form: TileFormat, pixels: list[np.ndarray], count: int, cores: int) -> None:
    with ThreadPoolExecutor(cores) as pool:
        every = itertools.islice(itertools.cycle(pixels), count)
        for _ in pool.map(lambda tile: len(form.encode(tile)), every):
            pass


def _hipster(results: Path, folder: Path, cores: int, full: bool) -> Iterator[Result]:
    """The same decoder and width of tiles; then with equally many pictures on a tile, too."""
    settings = HipsSettings()
    bundle = ModelBundle.load(results / "model")
    hierarchy = settings.tile_width // bundle.transform.size
    with peer("spherinator", "hipster_peer", threads=cores) as other:
        provider = other.ask(
            "prepare", decoder=str(results / "model" / "decoder.onnx"), input_name="position"
        )
        deepest = settings.order
        for name, goal, cells, order, theirs, repeats in (
            ("hips-hipster", 3.0, settings.cells, *((deepest, deepest, 3) if full else (2, 1, 2))),
            ("hips-hipster-cells", None, hierarchy, *((2, 2, 3) if full else (1, 1, 1))),
        ):
            said: dict[str, int] = {}

            def their_work(order: int = theirs, said: dict[str, int] = said) -> Seconds:
                answer = other.ask("work", order=order, hierarchy=hierarchy, workers=cores)
                said.update(answer["value"])
                return Seconds(answer["seconds"])

            output = folder / name
            ours = _layer(results, output, order=order, cells=cells)
            pair = alternate(ours, their_work, repeats=repeats)
            tiles, their_tiles = count_tiles(order), said["tiles"]
            if their_tiles != count_tiles(theirs):
                raise MissingPeer(f"HiPSter wrote {their_tiles} tiles of {count_tiles(theirs)}")
            part = "" if order == theirs else f"; HiPSter timed on orders 0 to {theirs}"
            yield pair.result(
                name,
                tiles,
                "tiles/s",
                goal,
                f"HiPSter, the same decoder ONNX, width {settings.tile_width}, {cores} processes; "
                f"pictures on a tile: {cells**2} ours, {hierarchy**2} its{part}",
                their_amount=their_tiles,
                our_orders=[0, order],
                their_orders=[0, theirs],
                our_pictures=tiles * cells**2,
                their_pictures=their_tiles * hierarchy**2,
                our_files=len([path for path in output.rglob("*") if path.is_file()]),
                their_tile_bytes=said["bytes"] / their_tiles,
                their_provider=provider["value"][0],
                writes="ours also Allsky, preview, MOC, VOTable; HiPSter tiles and properties",
            )
            shutil.rmtree(output)
