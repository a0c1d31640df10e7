"""A tiny ModelBundle of the task ``classes`` and images for it, for tests of survey stages."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from factories_models import blobs
from morphosphere.artefacts.bundle import FORMAT, VERSION
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.transform import Transform
from morphosphere.files import atomic_directory, write_json
from morphosphere.learn.export import export_onnx
from morphosphere.posterior import Label

CLASSES = ("smooth", "featured")


class TinyClasses(nn.Module):
    """Images (N, C, S, S) -> features (N, F), logits (N, M, K), [type_logits (N, M, B)], distance.

    Parameters
    ----------
    width : int
        F; also sets the work of the network.
    bins : int
        B, 0 for no ordinal target.
    """

    def __init__(
        self, channels: int, *, classes: int, members: int = 4, bins: int = 0, width: int = 8
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.members, self.classes, self.bins = members, classes, bins
        self.head = nn.Linear(width, members * (classes + bins))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def features(self, images: Tensor) -> Tensor:
        """Features in units of their spread over the examples."""
        return (self.body(images).mean(dim=(2, 3)) - self.mean) / self.scale

    def fit(self, examples: Tensor) -> None:
        """Take mean and spread of the features from examples."""
        with torch.no_grad():
            found = self.features(examples)
            self.mean.copy_(found.mean(0))
            self.scale.copy_(found.std(0).clamp_min(1e-6))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        features = self.features(images)
        said = self.head(features).unflatten(1, (self.members, self.classes + self.bins))
        logits = said[..., : self.classes]
        types = (said[..., self.classes :],) if self.bins else ()
        return features, logits, *types, (features**2).mean(dim=1)


def write_class_bundle(
    path: str | Path,
    *,
    classes: Sequence[str] = CLASSES,
    channels: Sequence[str] = ("i", "r", "g"),
    size: int = 32,
    members: int = 4,
    bins: int = 0,
    width: int = 8,
    seed: int = 0,
    **info: Any,
) -> Path:
    """An untrained bundle whose numbers depend on the image; `info` changes model.json."""
    torch.manual_seed(seed)
    examples = blobs(32, len(channels), size)
    network = TinyClasses(
        len(channels), classes=len(classes), members=members, bins=bins, width=width
    )
    network.fit(examples)
    label = Label("type", -5.0, 10.0)
    outputs = ["features", "logits", *(["type_logits"] if bins else []), "distance"]
    transform = Transform(
        channels=tuple(channels), size=size, scale="image", stretch="asinh", softening=0.05
    )
    share = 1 / len(classes)
    with atomic_directory(path) as folder:
        export_onnx(
            network,
            examples[:3],
            folder / "encoder.onnx",
            input_name="images",
            output_names=outputs,
        )
        transform.write(folder / "transform.json")
        torch.save({"weights": network.state_dict()}, folder / "checkpoint.ckpt")
        write_json(
            folder / "model.json",
            {
                "format": FORMAT,
                "version": VERSION,
                "task": "classes",
                "channels": list(channels),
                "image_size": size,
                "classes": list(classes),
                "priors": [share] * len(classes),
                "calibration": {"temperature": 1.0, "bias": [0.0] * len(classes)},
                "decision": "balanced",
                "members": members,
                "type": dataclasses.asdict(label) if bins else None,
                "domain": {"limit": 3.0},
                "settings": {"split": {"validation": 0.1, "test": 0.33}},
                "training": {"images": len(examples)},
                **info,
            },
        )
    return Path(path)


def write_survey(
    path: str | Path,
    count: int = 40,
    *,
    channels: Sequence[str] = ("i", "r", "g"),
    size: int = 32,
    seed: int = 0,
    labels: bool = True,
    **columns: Any,
) -> Path:
    """An ImageSet of drawn galaxies at random places of a field, with labels for some of them.

    `columns` adds to the table or changes it.
    """
    random = np.random.default_rng(seed)
    images = blobs(count, len(channels), size).numpy() * 1000
    numbers = np.arange(count)
    table: dict[str, Any] = {
        "image_id": [f"b{n:05d}" for n in numbers],
        "galaxy_id": [f"g{n:05d}" for n in numbers],
        "source": ["drawn"] * count,
        "ra": random.uniform(150, 154, count),
        "dec": random.uniform(1, 4, count),
        "magnitude": random.uniform(14, 18, count),
    }
    if labels:
        known = random.uniform(size=count) < 0.5
        table["object"] = [f"o{n:05d}" for n in numbers]
        table["label"] = np.where(known, random.integers(0, 2, count), np.nan)
        table["label_weight"] = np.ones(count, np.float32)
        table["confident_label"] = np.where(known, 1.0, np.nan).astype(np.float32)
        table["label_origin"] = np.where(known, "match", "").tolist()
        table["matched_id"] = [f"a{n:05d}" if k else "" for n, k in zip(numbers, known)]
        table["match_separation"] = np.where(known, 0.3, np.nan).astype(np.float32)
    table.update(columns)
    about = {"ra": {"unit": "deg"}, "dec": {"unit": "deg"}, "magnitude": {"unit": "mag"}}
    with ImageSetWriter(path, channels=channels, size=size, about=about) as out:
        out.append(images.astype(np.float32), table)
    return Path(path)
