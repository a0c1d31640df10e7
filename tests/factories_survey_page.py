"""Drawn galaxies of a survey with predictions and features, for clusters and page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.artefacts.imageset import ImageSetWriter

CLASSES = ["round", "spiral", "edge_on"]
SIZE, FEATURES = 24, 20
#: Share of the galaxies that people gave a label.
LABELLED = 0.3


@dataclass(frozen=True)
class SurveyRun:
    """Paths of a run."""

    folder: Path

    @property
    def images(self) -> Path:
        return self.folder / "target.h5"

    @property
    def predictions(self) -> Path:
        return self.folder / "target.parquet"

    @property
    def labelled(self) -> Path:
        return self.folder / "labelled.parquet"

    @property
    def embedding(self) -> Path:
        return self.folder / "embedding.parquet"

    @property
    def clusters(self) -> Path:
        return self.folder / "clusters.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"

    @property
    def recursion(self) -> Path:
        return self.folder / "recursion.json"

    @property
    def site(self) -> Path:
        return self.folder / "site"


def kinds(n: int) -> np.ndarray:
    """What the galaxies of the target are, shape (n,): indices into `CLASSES`."""
    return np.random.default_rng(5).choice(3, n, p=[0.25, 0.55, 0.2])


def draw(kind: np.ndarray, seed: int) -> np.ndarray:
    """Pictures (n, 3, SIZE, SIZE) of uint8: round ones, spirals, thin discs, at any angle."""
    random = np.random.default_rng(seed)
    n = len(kind)
    line = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    turn = random.uniform(0, 2 * np.pi, n)[:, None, None]
    x = line[None, None, :] * np.cos(turn) + line[None, :, None] * np.sin(turn)
    y = line[None, :, None] * np.cos(turn) - line[None, None, :] * np.sin(turn)
    y = np.where(kind[:, None, None] == 2, y * 4, y)
    r = np.hypot(x, y)
    light = np.exp(-r / random.uniform(0.2, 0.32, n)[:, None, None])
    arms = 0.5 + 0.5 * np.cos(2 * (np.arctan2(y, x) - 3.2 * np.log(r + 0.05)))
    spiral = np.exp(-2 * r) * arms + 0.8 * np.exp(-((r / 0.15) ** 2))
    light = np.where(kind[:, None, None] == 1, spiral, light)
    tint = np.array([[1.0, 0.8, 0.55], [0.65, 0.8, 1.0], [0.95, 0.85, 0.7]])[kind]
    noise = random.normal(0, 0.02, (n, 3, SIZE, SIZE))
    return (np.clip(light[:, None] * tint[:, :, None, None] + noise, 0, 1) * 255).astype(np.uint8)


def features_of(kind: np.ndarray, seed: int, shift: float = 0.0) -> np.ndarray:
    """Features (n, FEATURES) with a group for each class and three directions that tell nothing."""
    random = np.random.default_rng(seed)
    axes = np.random.default_rng(99).normal(0, 1, (5, FEATURES))
    middle = np.eye(3)[kind] @ np.array([[2.6, 0.0], [-1.4, 2.0], [-1.4, -2.0]])
    hidden = np.concatenate([middle, np.zeros((len(kind), 3))], axis=1)
    hidden += random.normal(0, [0.45, 0.45, 0.6, 0.5, 0.4], hidden.shape)
    hidden[:, 4] += shift
    return (hidden @ axes + random.normal(0, 0.1, (len(kind), FEATURES))).astype(np.float32)


def table_of(prefix: str, kind: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Identifiers, positions, labels of some galaxies and their origin."""
    random = np.random.default_rng(seed)
    n = len(kind)
    origin = np.full(n, "", dtype=object)
    origin[random.uniform(size=n) < LABELLED] = "match"
    origin[(origin == "") & (random.uniform(size=n) < 0.1)] = "pseudo"
    ids = np.array([f"{prefix}_{k:06d}" for k in random.permutation(n)], dtype=object)
    return {
        "image_id": ids,
        "galaxy_id": ids,
        "source": np.full(n, prefix, dtype=object),
        "ra": random.uniform(0, 360, n),
        "dec": random.uniform(-60, 60, n),
        "label": np.where(origin != "", kind, np.nan).astype(np.float64),
        "label_origin": origin,
    }


def said_of(kind: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """What a network that is right nine times of ten says, and how sure it is."""
    random = np.random.default_rng(seed)
    n, count = len(kind), len(CLASSES)
    logits = random.normal(0, 1, (n, count)) + 2.6 * np.eye(count)[kind]
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    std = 0.15 * np.sqrt(p * (1 - p)) * random.uniform(0.5, 1.5, (n, 1))
    distance = random.chisquare(20, n) / 20
    median = random.normal(2, 3, n)
    return {
        **{f"p_{name}": p[:, k].astype(np.float32) for k, name in enumerate(CLASSES)},
        **{f"p_{name}_std": std[:, k].astype(np.float32) for k, name in enumerate(CLASSES)},
        "predicted": np.array(CLASSES, dtype=object)[p.argmax(axis=1)],
        "confidence": p.max(axis=1).astype(np.float32),
        "spread": std.max(axis=1).astype(np.float32),
        "domain_distance": distance.astype(np.float32),
        "domain_outlier": distance > 1.7,
        **{
            f"type_{name}": (median + step).astype(np.float32)
            for name, step in (
                ("median", 0),
                ("low68", -1),
                ("high68", 1),
                ("low95", -2),
                ("high95", 2),
            )
        },
        "split": random.choice(["train", "validation", "test"], n, p=[0.57, 0.1, 0.33]),
        "model_version": np.full(n, "0123456789ab", dtype=object),
    }


def write_predictions(path: Path, prefix: str, kind: np.ndarray, seed: int, shift: float) -> dict:
    """Write predictions of a survey; return their table."""
    table = table_of(prefix, kind, seed)
    with CatalogueWriter(path) as out:
        out.append(
            table | said_of(kind, seed + 1) | {"features": features_of(kind, seed + 2, shift)}
        )
    return table


def make_survey_run(folder: Path, n: int = 480) -> SurveyRun:
    """Images and predictions of a target survey, predictions of a labelled one."""
    run = SurveyRun(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind = kinds(n)
    table = write_predictions(run.predictions, "deep", kind, 10, 0.0)
    with ImageSetWriter(
        run.images,
        channels=("i", "r", "g"),
        size=SIZE,
        dtype=np.uint8,
        attributes={"classes": CLASSES},
    ) as out:
        for start in range(0, n, 5000):
            part = slice(start, start + 5000)
            rows = {name: values[part] for name, values in table.items()}
            out.append(draw(kind[part], start), rows)
    other = np.random.default_rng(6).choice(3, max(n // 3, 40))
    write_predictions(run.labelled, "wide", other, 20, 0.4)
    return run


def write_numbers(run: SurveyRun) -> None:
    """metrics.json and recursion.json as the stages before the page write them."""
    scores = {"accuracy": 0.913, "balanced_accuracy": 0.902, "roc_auc": 0.9871, "ece": 0.013}
    metrics = {
        **scores,
        "n": 158,
        "precision": 0.9,
        "recall": 0.902,
        "f1": 0.901,
        "log_loss": None,
        "confident_half": {**scores, "accuracy": 1.0, "n": 79},
        "intervals": {"accuracy": [0.87, 0.95], "confident_half": {"accuracy": [0.96, 1.0]}},
        "per_class": {
            name: {"n": 50, "precision": 0.9, "recall": 0.9, "f1": 0.9} for name in CLASSES
        },
        "ece_before_temperature": 0.041,
        "train_seconds": 312.4,
    }
    recursion = {
        "kept": 1,
        "rounds": [
            {"round": 0, "labels_added": {}},
            {"round": 1, "labels_added": {"round": 31, "spiral": 1065}},
        ],
        "before": {"accuracy": 0.9, "balanced_accuracy": 0.88, "n": 158},
        "after": {"accuracy": 0.913, "balanced_accuracy": 0.902, "n": 158},
        "worse": False,
        "said": "round 1 is kept: it is better on validation",
    }
    run.metrics.write_text(json.dumps(metrics))
    run.recursion.write_text(json.dumps(recursion))


def write_embedding(run: SurveyRun) -> None:
    """An embedding and clusters.json without the work: a disc for each drawn class.

    The galaxy of the first row has no place; of those in odd rows none was embedded directly.
    """
    names = Catalogue(run.predictions).read(["image_id"])["image_id"]
    n = len(names)
    kind = kinds(n)
    random = np.random.default_rng(3)
    angle, radius = random.uniform(0, 2 * np.pi, n), np.sqrt(random.uniform(0, 1, n))
    middle = np.array([[2.5, -0.5], [-1.5, 1.0], [-0.5, -2.5]])[kind]
    x = middle[:, 0] + radius * np.cos(angle)
    x[0] = np.nan
    cluster = np.where(radius > 0.95, -1, kind).astype(np.int32)
    with CatalogueWriter(run.embedding) as out:
        out.append(
            {
                "image_id": names,
                "x": x.astype(np.float32),
                "y": (middle[:, 1] + radius * np.sin(angle)).astype(np.float32),
                "cluster": cluster,
                "cluster_probability": np.ones(n, np.float32),
                "component": kind.astype(np.int32),
                "component_probability": np.ones(n, np.float32),
                "fitted": np.arange(n) % 2 == 0,
            }
        )
    scores = {"n": 48, "accuracy": 0.97, "balanced_accuracy": 0.96, "majority_share": 0.55}
    clusters = {
        "used": n // 2,
        "embedding": {"method": "tsne"},
        "clusters": {"number": 3, "noise_share": 0.09},
        "agreement": {"predicted": {"purity": 0.9, "adjusted_rand": 0.8}},
        "without_labels": {"test_labels": scores, "labels": scores, "predicted": None},
        "mixing": {"ratio": 0.82},
        "said": "A mixture of 3 components agrees with 97.0 % of 48 labels",
    }
    run.clusters.write_text(json.dumps(clusters))


def cluster_arguments(run: SurveyRun, settings: dict | None = None, **more: object) -> list[str]:
    """The command line of surveys.clusters."""
    return _arguments(
        {
            "predictions": run.predictions,
            "images": run.images,
            "metrics": run.clusters,
            "embedding": run.embedding,
            "figures": run.folder / "figures",
            "settings": json.dumps({"iterations": 250, "starts": 2, "dpi": 50} | (settings or {})),
        }
        | more
    )


def page_arguments(run: SurveyRun, settings: dict | None = None, **more: object) -> list[str]:
    """The command line of surveys.page."""
    return _arguments(
        {
            "predictions": run.predictions,
            "images": run.images,
            "embedding": run.embedding,
            "metrics": run.metrics,
            "clusters": run.clusters,
            "recursion": run.recursion,
            "output": run.site,
            "settings": json.dumps(
                {"overview": 32, "sheet": 4, "sheet_side": 6} | (settings or {})
            ),
        }
        | more
    )


def _arguments(given: dict[str, object]) -> list[str]:
    """Options with values; those that are None are left out."""
    return [
        text
        for name, value in given.items()
        if value is not None
        for text in (f"--{name}", str(value))
    ]
