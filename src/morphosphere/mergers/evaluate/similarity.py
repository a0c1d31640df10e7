"""How much the most similar images are alike: exact and approximate nearest neighbours in z."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from morphosphere.mergers.evaluate.errors import error_key
from morphosphere.posterior import Label

#: Neighbours that the two searches are compared by.
_COMPARED = 10


def measure_similarity(
    z: np.ndarray,
    split: np.ndarray,
    truth: dict[str, np.ndarray],
    labels: tuple[Label, ...],
    *,
    queries: int,
    probes: int,
    seed: int,
) -> dict[str, Any]:
    """Nearest training image of held-out ones, by both searches.

    Parameters
    ----------
    z : ndarray of float32, shape (N, D)
    split : ndarray of str, shape (N,)
    truth : dict
        Label to true values (N,); images without the first label take no part.
    labels : tuple of Label
    queries : int
        Held-out images at most.
    probes : int
        Lists of the inverted file that are looked through.
    seed : int

    Returns
    -------
    dict
        Median absolute differences of the labels between a held-out image and the nearest training
        image, and one at random (``random``); ``recall`` of the approximate search (share of the
        exact ten nearest that it finds) and ``seconds`` of a query of both.
    """
    import faiss

    known = np.isfinite(truth[labels[0].name])
    library, asked = (np.flatnonzero(known & (split == name)) for name in ("train", "test"))
    if not len(library) or not len(asked):
        return {}
    random = np.random.default_rng(seed)
    asked = np.sort(random.permutation(asked)[:queries])
    vectors, query = np.ascontiguousarray(z[library]), np.ascontiguousarray(z[asked])
    exact = faiss.IndexFlatL2(z.shape[1])
    exact.add(vectors)
    lists = max(1, min(int(4 * np.sqrt(len(library))), len(library) // 40))
    quantiser = faiss.IndexFlatL2(z.shape[1])
    rough = faiss.IndexIVFFlat(quantiser, z.shape[1], lists)
    rough.cp.seed = seed % 2**31
    rough.train(vectors)
    rough.add(vectors)
    rough.nprobe = probes
    count = min(_COMPARED, len(library))
    found, seconds = {}, {}
    for name, index in (("exact", exact), ("approximate", rough)):
        began = time.perf_counter()
        found[name] = index.search(query, count)[1]
        seconds[name] = (time.perf_counter() - began) / len(asked)
    shared = [len({*a} & {*b}) / count for a, b in zip(found["exact"], found["approximate"])]
    nearest = library[found["exact"][:, 0]]
    chance = library[random.integers(0, len(library), len(asked))]
    out: dict[str, Any] = {
        "queries": len(asked),
        "library": len(library),
        "recall": float(np.mean(shared)),
        "seconds": seconds,
    }
    for label in labels:
        out[error_key(label)] = {
            "nearest": _median_gap(label, truth, asked, nearest),
            "random": _median_gap(label, truth, asked, chance),
        }
    return out


def _median_gap(
    label: Label, truth: dict[str, np.ndarray], one: np.ndarray, other: np.ndarray
) -> float | None:
    a, b = truth[label.name][one], truth[label.name][other]
    gap = np.abs(np.log10(a / b)) if label.scale == "log10" else np.abs(a - b)
    return float(np.nanmedian(gap)) if np.isfinite(gap).any() else None
