"""Catalogues with positions by hand, for tests of what stands on a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of


def random_positions(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees, denser towards (60, 30)."""
    random = np.random.default_rng(seed)
    vectors = random.normal((0.5, 0.7, 0.4), size=(count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    return lon, np.degrees(np.arcsin(vectors[:, 2]))


def make_catalogue(
    path: str | Path,
    images: str | Path,
    *,
    lon: np.ndarray | None = None,
    lat: np.ndarray | None = None,
    seed: int = 0,
    **columns: np.ndarray,
) -> Path:
    """Write a Catalogue of an ImageSet with given or random places, poses and scores."""
    path = Path(path)
    with ImageSet(images) as source:
        table = source.table()
    count = len(table["image_id"])
    random = np.random.default_rng(seed)
    if lon is None or lat is None:
        lon, lat = random_positions(count, seed)
    features = random.normal(size=(count, 8)).astype(np.float32)
    predicted = {
        "lon": np.asarray(lon, np.float64),
        "lat": np.asarray(lat, np.float64),
        "concentration": random.uniform(50, 500, count).astype(np.float32),
        "angle": random.uniform(0, 360, count).astype(np.float32),
        "flip": random.uniform(size=count) < 0.5,
        "reconstruction_error": random.uniform(0.01, 0.1, count).astype(np.float32),
        "outlier_score": random.uniform(0.9, 3, count).astype(np.float32),
        "split": np.asarray(SPLITS)[split_of(table["galaxy_id"])],
        "features": features,
        "neighbours": random.integers(0, count, (count, 4)),
        "neighbour_distances": np.sort(random.uniform(size=(count, 4)).astype(np.float32)),
    }
    with CatalogueWriter(path) as out:
        out.append({**table, **predicted, **columns})
    return path
