"""Drawing galaxies of known structure on one core: GalSim with and without its tables, and ours."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import galsim
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.result import Result, Seconds, alternate, within
from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.sersic.psfs.__main__ import main as psfs
from morphosphere.sersic.simulate.__main__ import main as simulate
from morphosphere.sersic.simulate.draws import draw_scene, stream
from morphosphere.structure.model import draw, flux_of, galaxy, on_grid
from morphosphere.structure.psf import PSFSet

#: Galaxies that GalSim draws, that we draw, and of the whole stage; galaxies/s that we want.
THEIRS, OURS, WHOLE, WANTED = 40, 400, 500, 60
SETTINGS = SimulateSettings()
SEED = 42


def run() -> Iterator[Result]:
    """Galaxies/s/core over the default ranges, stamps of at most 128 pixels.

    GalSim's tables of the indices on the grid are made before its second time is taken.
    """
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        assert psfs(["--output", str(folder / "psf.h5"), "--seed", str(SEED)]) == 0
        library = PSFSet.read(folder / "psf.h5")
        scenes = [draw_scene(SETTINGS, stream(SEED, k), psfs=len(library)) for k in range(OURS)]
        cases = [
            (scene.galaxy, library.galsim(scene.psf), min(scene.stamp_size, SETTINGS.size))
            for scene in scenes
        ]
        few = cases[:THEIRS]
        snapped = [
            (values | {"sersic_index": float(on_grid(values["sersic_index"]))}, psf, size)
            for values, psf, size in few
        ]
        for case in cases:  # transforms of the point-spread functions, compiled code
            _ours(*case)
        new = _seconds(_theirs, few)
        drawn = alternate(
            lambda: _seconds(_ours, cases), lambda: _seconds(_theirs, snapped), repeats=3
        )
        whole = [_whole(folder) for _ in range(3)]
    unit, at = "galaxies/s", "one core"
    note = f"GalSim: indices of a grid, and new ones; {at}"
    yield Result("sersic_grid", THEIRS / drawn[1], THEIRS / new, 1.2, True, unit, note)
    note = f"GalSim with its tables, a tenth of the same galaxies; equal within 0.05 sigma; {at}"
    yield drawn.result("sersic_draw", OURS, unit, 20, note, their_amount=THEIRS)
    note = f"whole stage of {WHOLE} galaxies, against {WANTED} galaxies/s; {at}"
    yield within("sersic_simulate", whole, WHOLE / WANTED, note)


def _seconds(work: Callable, cases: list[tuple]) -> Seconds:
    start = time.perf_counter()
    for case in cases:
        work(*case)
    return Seconds(time.perf_counter() - start)


def _ours(values: dict, psf: galsim.GSObject, size: int) -> np.ndarray:
    pixel, zero = SETTINGS.pixel_size, SETTINGS.zero_point
    return draw(values, psf, pixel_size=pixel, size=size, zero_point=zero)


def _theirs(values: dict, psf: galsim.GSObject, size: int) -> np.ndarray:
    """GalSim at its default accuracy."""
    image = galsim.ImageD(size, size, scale=SETTINGS.pixel_size)
    seen = galsim.Convolve(galaxy(values), psf)
    seen = seen.withFlux(flux_of(values["magnitude"], SETTINGS.zero_point))
    seen = seen.withGSParams(maximum_fft_size=16384)
    seen.drawImage(image, offset=(values["x_offset"], values["y_offset"]))
    return image.array


def _whole(folder: Path) -> float:
    """The stage's own command, with noise and writing; the library is read anew."""
    line = ["--settings", json.dumps({"number": WHOLE, "shards": 1}), "--seed", str(SEED)]
    line += ["--psf", str(folder / "psf.h5"), "--images", str(folder / "images.h5")]
    start = time.perf_counter()
    assert simulate([*line, "--noiseless", str(folder / "noiseless.h5")]) == 0
    return time.perf_counter() - start
