"""Drawn surveys with predictions of a known quality, written as the stages before write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factories_classes import write_class_bundle
from factories_images import draw_galaxies, galaxy_parameters
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.posterior import QUANTILES
from morphosphere.surveys.evaluate.scored import Scored

#: Calibration of the model: what the network says is too sure, and leans to the first class.
TEMPERATURE, BIAS = 1.8, 0.3
_CHANNELS = ("i", "r", "g")


@dataclass(frozen=True)
class Files:
    """A drawn survey on disk, with its probabilities and labels."""

    images: Path
    predictions: Path
    table: dict[str, np.ndarray]


def probabilities(disc: np.ndarray, classes: int, sharpness: float) -> np.ndarray:
    """Probability of each class (n, K): classes follow each other with the disc."""
    centre = (np.arange(classes) + 0.5) / classes
    logits = -sharpness * classes * (disc[:, None] - centre) ** 2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def draw_survey(
    folder: Path,
    name: str,
    galaxies: int,
    *,
    classes: tuple[str, ...] = ("smooth", "featured"),
    labelled: float = 1.0,
    origin: str = "survey",
    views: int = 2,
    sharpness: float = 6.0,
    shift: float = 0.0,
    types: bool = True,
    size: int = 32,
    seed: int = 0,
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Files:
    """Write an ImageSet and its predictions.

    Labels are drawn from the probabilities, which are right therefore. `labelled` is the share of
    galaxies with a label; `shift` adds to the log of the domain distance; `change` may change the
    columns before they are written.
    """
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(galaxies), views)
    drawn = galaxy_parameters(galaxies, seed)
    disc = (0.95 - drawn["bulge_to_total"]) / 0.9
    magnitude = random.uniform(15, 17, galaxies)
    ease = sharpness * np.exp(0.5 * (16 - magnitude))
    p = np.concatenate([probabilities(b[None], len(classes), e) for b, e in zip(disc, ease)])
    truth = (p.cumsum(axis=1) < random.random((galaxies, 1))).sum(axis=1)
    known = random.random(galaxies) < labelled
    sure = p.max(axis=1) > 0.9
    hubble = np.clip(np.round(15 * disc - 5), -5, 10)
    ids = np.array([f"{name}_{n:05d}" for n in range(galaxies)], dtype=object)
    images = draw_galaxies({k: v[of] for k, v in drawn.items()}, size, 3)
    images *= 10 ** (-0.4 * (magnitude[of] - 16))[:, None, None, None]
    images += 0.05 * random.standard_normal(images.shape, dtype=np.float32)
    table: dict[str, Any] = {
        "image_id": np.array([f"{ids[g]}_c{k % views}" for k, g in enumerate(of)], dtype=object),
        "galaxy_id": ids[of],
        "source": np.array([name] * len(of), dtype=object),
        "magnitude": magnitude[of],
        "object": ids[of],
        "label": np.where(known, truth, np.nan)[of].astype(np.float64),
        "label_weight": np.ones(len(of), np.float32),
        "confident_label": np.where(known, sure, np.nan)[of].astype(np.float32),
        "label_origin": np.where(known, origin, "")[of].astype(object),
    }
    if types:
        table["type"] = np.where(known, hubble, np.nan)[of]
    said: dict[str, Any] = {f"p_{c}": p[of, k].astype(np.float32) for k, c in enumerate(classes)}
    told = p.argmax(axis=1)
    confidence = p.max(axis=1)
    said |= {f"p_{c}_std": (0.2 * (1 - confidence))[of].astype(np.float32) for c in classes}
    said["predicted"] = np.array(classes, dtype=object)[told[of]]
    said["confidence"] = confidence[of].astype(np.float32)
    said["spread"] = said[f"p_{classes[0]}_std"]
    distance = np.exp(0.25 * random.standard_normal(len(of)) + shift).astype(np.float32)
    said["domain_distance"], said["domain_outlier"] = distance, distance > 2
    if types:
        middle = hubble[of] + 0.8 * random.standard_normal(len(of))
        for key, at in QUANTILES.items():
            offset = {0.5: 0, 0.16: -0.8, 0.84: 0.8, 0.025: -1.6, 0.975: 1.6}[at]
            said[f"type_{key}"] = (middle + offset).astype(np.float32)
    split = np.array(SPLITS, dtype=object)[split_of(ids, validation=0.1, test=0.33)]
    said["split"] = split[of]
    said["model_version"] = np.array(["0123456789ab"] * len(of), dtype=object)
    said["features"] = random.standard_normal((len(of), 4)).astype(np.float32)
    whole = {**table, **said}
    if change:
        change(whole)
        table = {key: whole[key] for key in table if key in whole}
    folder.mkdir(parents=True, exist_ok=True)
    with ImageSetWriter(folder / f"{name}.h5", channels=_CHANNELS, size=size) as out:
        out.append(images, table)
    with CatalogueWriter(folder / f"{name}.parquet") as out:
        out.append(whole)
    return Files(folder / f"{name}.h5", folder / f"{name}.parquet", whole)


def write_model(path: Path, classes: tuple[str, ...] = ("smooth", "featured"), **more: Any) -> Path:
    """A tiny bundle with a calibration that does something."""
    bias = [-BIAS] + [0.0] * (len(classes) - 1)
    facts = {
        "calibration": {"temperature": TEMPERATURE, "bias": bias},
        "decision": "most_probable",
        "domain": {"limit": 2.0},
        "training": {"images": 32, "seconds": 12.5},
        **more,
    }
    return write_class_bundle(path, classes=classes, **facts)


def rounds() -> dict[str, Any]:
    """What surveys.settle writes of two rounds, the second of which is kept."""
    found = []
    for k, (right, loss) in enumerate(((0.91, 0.24), (0.935, 0.19))):
        told = {"accuracy": right, "balanced_accuracy": right - 0.02, "roc_auc": right + 0.05,
                "log_loss": loss, "n": 200}  # fmt: skip
        added = 150 * k
        found.append({"round": k, "validation": told, "test": told, "labels_added": added})
    ends = {"before": found[0]["test"], "after": found[1]["test"]}
    return {"kept": 1, "rounds": found, **ends, "worse": False, "said": "round 1 is kept"}


def scored_of(
    truth: np.ndarray, probability: np.ndarray, objects: np.ndarray | None = None
) -> Scored:
    """Test images of the classes c0, c1, … with these probabilities; the most probable is told."""
    n, count = probability.shape
    return Scored(
        classes=tuple(f"c{k}" for k in range(count)),
        rows=np.arange(n),
        objects=np.arange(n) if objects is None else objects,
        truth=np.asarray(truth),
        predicted=probability.argmax(axis=1),
        probability=probability,
        confident=np.ones(n, bool),
        spread=np.zeros(n),
        distance=np.ones(n),
        outlier=np.zeros(n, bool),
    )
