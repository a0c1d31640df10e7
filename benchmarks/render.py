"""Project smoothed particles, against moving their bytes and against the codes of others.

Peers draw the same particles with kernels of the same second moment, on one core, three channels.
Each image is compared with one in which every particle's own kernel, of the peer's shape, is summed
up in every pixel: an error is one of drawing, not of the kernel's shape. The goal is held against
every peer that smooths, also where its error is above the 1 % that is asked of ours; the note says
so. ``swiftsimio-histogram`` smooths nothing and has no goal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.peers import MissingPeer, Peer, peer
from benchmarks.render_scenes import KERNELS, Scene, error, galaxy
from benchmarks.result import Pair, Result, alternate
from morphosphere.progress import log
from morphosphere.render.project import project, sort_into_levels

#: Stars and pixels: two galaxies as they are rendered by the thousand, and one that is large.
SCENES = ((10_000, 64), (100_000, 256), (1_000_000, 64))
MORE_SCENES = ((30_000, 128), (100_000, 64), (1_000_000, 256))
#: Each peer with its kernel. A number after a name is py-sphviewer2's least number of cells within
#: a kernel. swiftsimio's histogram smooths nothing.
PEERS = {
    "swiftsimio-nested": "wendland",
    "swiftsimio-fast": "wendland",
    "sphviewer2-4": "epanechnikov",
    "pynbody": "spline",
}
MORE_PEERS = {
    "swiftsimio-renormalised": "wendland",
    "swiftsimio-histogram": "wendland",
    "sphviewer2-16": "epanechnikov",
}
#: So slow that only the smallest scene is drawn with it.
SLOW = {"swiftsimio-subsampled": "wendland"}
GOAL = 5.0


def run(*, full: bool = False) -> Iterator[Result]:
    """Each scene against the limit and all peers."""
    missing = []
    with tempfile.TemporaryDirectory() as name:
        for stars, size in SCENES + (MORE_SCENES if full else ()):
            scene = galaxy(stars, size)
            references = {name: kernel.reference(scene) for name, kernel in KERNELS.items()}
            ours = error(draw(scene)[0], references["spline"])
            yield _limit(scene, ours)
            others = PEERS | (MORE_PEERS if full else {})
            others |= SLOW if stars <= SCENES[0][0] else {}
            for code, kernel in others.items():
                try:
                    yield _against(code, scene, Path(name), references[kernel], ours)
                except MissingPeer as why:
                    log(f"benchmark render: not measured: {why}")
                    missing.append(str(why))
    if missing:
        raise MissingPeer("; ".join(dict.fromkeys(missing)))


def draw(scene: Scene) -> np.ndarray:
    """Ours, with the sorting into levels; (C, size, size)."""
    levels = sort_into_levels(scene.support, 1.0)
    return project(scene.positions[None], scene.weights[:, None], levels, size=scene.size)[0]


def _limit(scene: Scene, ours: float) -> Result:
    """Every number read and written once: particles, and pixels that are added to."""
    numbers = [scene.positions, scene.support, scene.weights]
    picture = np.zeros((len(scene.weights), scene.size, scene.size))
    copies = [np.empty_like(values) for values in (*numbers, picture)]

    def move() -> None:
        for copy, values in zip(copies, (*numbers, picture)):
            np.copyto(copy, values)

    pair = alternate(lambda: draw(scene), move)
    moved = sum(values.nbytes for values in copies)
    note = f"{_what(scene)}; limit: their numbers and the pixels moved once by a copy"
    return _result(pair, f"render-{_name(scene)}", scene, None, note, error=ours, bytes=moved)


def _against(code: str, scene: Scene, folder: Path, reference: np.ndarray, ours: float) -> Result:
    with peer("peers", "render_peer") as other:
        theirs = _drawn(other, code, scene, folder / "scene")
        words = {"code": code, "scene": str(folder / "scene.npz"), "size": scene.size}
        repeats = 3 if code in SLOW else 5
        pair = alternate(
            lambda: draw(scene), lambda: other.seconds("work", **words), repeats=repeats
        )
    wrong = error(theirs[0], reference)
    note = (
        f"{_what(scene)}; same particles, kernels of equal second moment, one core; errors "
        f"{100 * ours:.2g} % and {100 * wrong:.2g} %"
    )
    difference = error(theirs, draw(scene))
    goal = None if code.endswith("histogram") else GOAL
    more = {"error": ours, "their_error": wrong, "difference": difference}
    return _result(pair, f"render-{code}-{_name(scene)}", scene, goal, note, **more)


def _drawn(other: Peer, code: str, scene: Scene, path: Path) -> np.ndarray:
    scene.write(path.with_suffix(".npz"))
    out = path.with_suffix(".npy")
    other.ask("work", code=code, scene=str(path.with_suffix(".npz")), size=scene.size, out=str(out))
    return np.load(out)


def _result(
    pair: Pair, name: str, scene: Scene, goal: float | None, note: str, **more: float
) -> Result:
    return pair.result(name, len(scene.support), "particles/s", goal, note, **more)


def _name(scene: Scene) -> str:
    return f"{len(scene.support)}-{scene.size}px"


def _what(scene: Scene) -> str:
    return f"{len(scene.support)} stars, {scene.size} px, {len(scene.weights)} channels"
