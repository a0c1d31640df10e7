"""Pictures of smoothed particles by swiftsimio, pynbody and py-sphviewer2.

A scene is a file of `numpy.savez` with ``positions`` (N, 2) in pixels from the top left corner,
``support`` (N,), the radius of the cubic spline's support in pixels, and ``weights`` (C, N). Each
code has a kernel of its own, here given the second moment of the projected cubic spline.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from serve import serve

#: Standard deviation along an axis of each projected kernel, over the radius of its support.
SPREAD = {"spline": 0.2738613, "wendland": 0.2635231, "epanechnikov": 0.3779645}
#: For swiftsimio, the radius of the support over the smoothing length.
GAMMA = 1.897367


def work(code: str, scene: str, size: int, out: str | None = None) -> dict[str, Any]:
    """Draw all channels; preparation that a code allows to be done once is not counted."""
    draw = _prepared(code, scene, size)
    start = time.perf_counter()
    images = draw()
    seconds = time.perf_counter() - start
    if out is not None:
        np.save(out, np.asarray(images))
    return {"seconds": seconds}


@lru_cache(maxsize=1)
def _prepared(code: str, scene: str, size: int) -> Callable[[], list[np.ndarray]]:
    with np.load(scene) as file:
        positions, support, weights = (file[name] for name in ("positions", "support", "weights"))
    make = _swiftsimio if code.startswith("swiftsimio") else {
        "pynbody": _pynbody, "sphviewer2": _sphviewer2
    }[code.partition("-")[0]]  # fmt: skip
    return make(code.partition("-")[2], positions, support, weights, size)


def _swiftsimio(
    backend: str, positions: np.ndarray, support: np.ndarray, weights: np.ndarray, size: int
) -> Callable[[], list[np.ndarray]]:
    """A picture is a call; all arrays are as its own front end hands them over."""
    from swiftsimio.visualisation.projection_backends import backends

    scatter = backends[backend]
    x, y = (np.ascontiguousarray(places / size) for places in positions.T)
    radius = support * SPREAD["spline"] / SPREAD["wendland"]
    h = (radius / GAMMA / size).astype(np.float32)
    masses = [np.ascontiguousarray(one, dtype=np.float32) for one in weights]
    return lambda: [scatter(x=x, y=y, m=m, h=h, res=size).T / size**2 for m in masses]


def _pynbody(
    _: str, positions: np.ndarray, support: np.ndarray, weights: np.ndarray, size: int
) -> Callable[[], list[np.ndarray]]:
    import pynbody
    from pynbody.array import SimArray
    from pynbody.sph.renderers import make_render_pipeline

    snapshot = pynbody.new(star=len(support))
    places = np.column_stack([positions - size / 2, np.zeros(len(support))])
    snapshot["pos"] = SimArray(places, "kpc")
    snapshot["smooth"] = SimArray(support / 2, "kpc")
    snapshot["mass"] = SimArray(np.ones(len(support)), "Msol")
    # a projection is the sum of mass / rho times the quantity: of the weights, with these
    snapshot["rho"] = SimArray(np.ones(len(support)), "Msol kpc**-3")
    for number, one in enumerate(weights):
        snapshot[f"weight{number}"] = SimArray(one.copy(), "Msol kpc**-3")
    options = {
        "width": size,
        "resolution": size,
        "out_units": "Msol kpc**-2",
        "threaded": False,
        "approximate_fast": False,
        "denoise": False,
    }
    pipelines = [
        make_render_pipeline(snapshot, f"weight{number}", **options)
        for number in range(len(weights))
    ]
    return lambda: [np.asarray(pipeline.render()) for pipeline in pipelines]


def _sphviewer2(
    cells: str, positions: np.ndarray, support: np.ndarray, weights: np.ndarray, size: int
) -> Callable[[], list[np.ndarray]]:
    """`cells` are the least cells of a level's grid within the radius of a kernel."""
    from sphviewer2 import Camera, Particles, Projector

    order = size.bit_length() - 1
    h = support * SPREAD["spline"] / SPREAD["epanechnikov"]
    deep = np.full(len(support), size / 2)
    particles = [Particles(*positions.T, deep, h, one) for one in weights]

    def draw() -> list[np.ndarray]:
        images = []
        for one in particles:
            camera = Camera(size, periodic=False, target_cells_per_h=int(cells), r_max=order)
            projector = Projector(camera)
            projector.project(one, num_threads=1)
            images.append(projector.collapse())
        return images

    return draw


serve({"work": work})
