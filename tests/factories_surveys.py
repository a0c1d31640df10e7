"""Labelled images that a small network tells apart, and settings to do it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.class_learn import ClassLearnSettings


def class_settings(**changes: Any) -> ClassLearnSettings:
    """Settings of a small and quick network."""
    value: dict[str, Any] = {
        "classes": ["round", "flat"],
        "transform": {"size": 24, "scale": "image"},
        "split": {"validation": 0.2, "test": 0.2},
        "encoder": {"width": 4, "maps": 3},
        "hidden": 16,
        "features": 4,
        "members": 2,
        "masks": 2,
        "epochs": 2,
        "batch_size": 16,
        "learning_rate": 0.01,
        "precision": "32-true",
    }
    return ClassLearnSettings.model_validate(value | changes)


def labelled_images(count: int, *, seed: int = 0, size: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Round (0) and flat (1) blobs with noise: images (N, 1, size, size) and labels (N,)."""
    random = np.random.default_rng(seed)
    label = np.arange(count) % 2
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    turn = random.uniform(0, np.pi, count)[:, None, None]
    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    ratio = np.where(label == 0, random.uniform(0.85, 1, count), random.uniform(0.2, 0.4, count))
    radius = np.hypot(along, across / ratio[:, None, None])
    images = np.exp(-radius / 3) + 0.02 * random.normal(size=radius.shape)
    return images[:, None].astype(np.float32), label


def write_labelled(path: Path, count: int = 160, *, seed: int = 0, **columns: Any) -> Path:
    """An ImageSet with the columns of labels."""
    images, label = labelled_images(count, seed=seed)
    names = [f"g{seed}_{k:04d}" for k in range(count)]
    table = {
        "image_id": names,
        "galaxy_id": names,
        "source": ["blobs"] * count,
        "object": names,
        "label": label.astype(np.float64),
        "label_weight": np.ones(count, np.float32),
        "label_origin": ["survey"] * count,
        "confident_label": np.ones(count, np.float32),
        "type": label * 6.0 - 3.0,
        **columns,
    }
    with ImageSetWriter(path, channels=["r"], size=images.shape[-1]) as out:
        out.append(images, table)
    return path
