"""How long it takes to read an image, and to simulate the encounter that it shows."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from morphosphere.mergers.reading import MergerModel


def time_inference(model: MergerModel, images: np.ndarray) -> dict[str, float]:
    """Seconds of reading an image: transformed already, one view, and all that is said of it.

    Parameters
    ----------
    model : MergerModel
    images : ndarray, shape (n, C, S, S)
        Transformed.

    Returns
    -------
    dict
        ``one_by_one`` (median) and ``in_batches`` of all of them, seconds per image.
    """
    model.read(images[:2], 1)  # what happens once
    single = []
    for image in images:
        began = time.perf_counter()
        model.read(image[None], 1)
        single.append(time.perf_counter() - began)
    began = time.perf_counter()
    model.read(images, 1)
    together = (time.perf_counter() - began) / len(images)
    return {"one_by_one": float(np.median(single)), "in_batches": together}


def speedup(
    model: MergerModel, images: np.ndarray, *, particles: int, steps: int, seed: int
) -> dict[str, Any]:
    """Inference against an N-body simulation of the same encounter, on this machine.

    Returns
    -------
    dict
        ``speedup_over_nbody``: seconds of the simulation over seconds of reading one image after
        the other; ``inference_seconds``, ``nbody``.
    """
    seconds = time_inference(model, images)
    out: dict[str, Any] = {"speedup_over_nbody": None, "inference_seconds": seconds}
    if steps:
        from morphosphere.mergers.nbody import seconds_per_run, two_galaxies

        bodies = two_galaxies(number=particles // 2, seed=seed)
        cost = seconds_per_run(bodies, steps=steps)
        out["nbody"] = asdict(cost)
        out["speedup_over_nbody"] = cost.seconds / seconds["one_by_one"]
    return out
