"""A small model of the task ``mergers``, drawn encounters and their predictions, for the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from morphosphere.artefacts.bundle import FORMAT, VERSION, ModelBundle
from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.artefacts.transform import Transform
from morphosphere.learn.export import export_onnx
from morphosphere.posterior import Label, probabilities
from morphosphere.views import VIEWS, view

SIZE, BINS, LATENT = 32, 64, 16
FIELD = 120.0
ENCOUNTERS, MOMENTS, CAMERAS = 10, 9, 2
LABELS = (
    Label("time_since_pericentre", -300, 1300, "linear", "Myr", 1.3, ((0, 0.3, 1), (0, 0.4, 1))),
    Label("mass_ratio", 0.1, 1.0, "log10", "", 0.8),
    Label("size_ratio", 0.2, 2.0, "log10"),
    Label("inclination", 0, 90, "linear", "deg"),
)
LIMITS = {"reconstruction_error": 0.5, "encounter_probability": 0.2}
TRANSFORM = Transform(
    channels=("stellar_mass",), size=SIZE, scale="image", stretch="asinh", softening=0.02
)


class Encoder(nn.Module):
    """Random features of coarse light; the light at the centre tells an encounter."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear((SIZE // 4) ** 2, LATENT))
        self.say = nn.Linear(LATENT, len(LABELS) * BINS)
        bins = torch.arange(BINS) / BINS
        middle = torch.rand(len(LABELS), 1)
        self.bias = nn.Parameter((-((bins - middle) ** 2) / 0.02).reshape(-1))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        z = self.see(images) * 4
        logits = (self.say(z) * 3 + self.bias).reshape(-1, len(LABELS), BINS)
        return z, logits, logits[..., :2] * 0.1, 20 * images.mean(dim=(1, 2, 3)) - 0.5


class Decoder(nn.Module):
    """A blurred picture of z."""

    def __init__(self) -> None:
        super().__init__()
        self.draw = nn.Linear(LATENT, 64)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        small = torch.sigmoid(self.draw(z)).reshape(-1, 1, 8, 8)
        return nn.functional.interpolate(small, size=(SIZE, SIZE), mode="nearest")


@dataclass(frozen=True)
class MergerRun:
    """Paths of a run."""

    folder: Path

    @property
    def images(self) -> Path:
        return self.folder / "images.h5"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def catalogue(self) -> Path:
        return self.folder / "predictions.parquet"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"

    @property
    def site(self) -> Path:
        return self.folder / "site"


def make_merger_run(folder: Path) -> MergerRun:
    """Model, images and predictions; the page itself is for the stage to make."""
    run = MergerRun(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_model(run.model)
    write_images(run.images)
    write_predictions(run)
    metrics = {"time_error_myr": {"median": 31.2}, "coverage": {"68": 0.671}}
    run.metrics.write_text(json.dumps(metrics))
    return run


def arguments(run: MergerRun, settings: dict | None = None, **options: object) -> list[str]:
    """The command line of the stage that makes the page of a run."""
    given = {
        "images": run.images,
        "catalogue": run.catalogue,
        "model": run.model,
        "metrics": run.metrics,
        "output": run.site,
        "settings": json.dumps(settings or {}),
        **options,
    }
    return [text for name, value in given.items() for text in (f"--{name}", str(value))]


def write_model(folder: Path) -> None:
    """A ModelBundle by the contract of the task, with random weights."""
    torch.manual_seed(4)
    folder.mkdir(parents=True)
    export_onnx(
        Encoder(),
        torch.rand(3, 1, SIZE, SIZE),
        folder / "encoder.onnx",
        input_name="images",
        output_names=["z", "logits", "regression", "encounter"],
    )
    export_onnx(
        Decoder(),
        torch.randn(3, LATENT),
        folder / "decoder.onnx",
        input_name="z",
        output_names=["images"],
    )
    TRANSFORM.write(folder / "transform.json")
    info = {
        "format": FORMAT,
        "version": VERSION,
        "task": "mergers",
        "labels": [vars(label) for label in LABELS],
        "outlier": LIMITS,
    }
    (folder / "model.json").write_text(json.dumps(info))
    (folder / "checkpoint.ckpt").touch()


def draw_pair(separation: float, turn: float, ratio: float, size: int = SIZE) -> np.ndarray:
    """Two round galaxies (size, size) of a mass ratio, `separation` kpc apart."""
    axis = ((np.arange(size) + 0.5) / size - 0.5) * FIELD
    x, y = np.meshgrid(axis, -axis)
    image = np.zeros((size, size))
    for mass, side in ((1.0, -ratio / (1 + ratio)), (ratio, 1 / (1 + ratio))):
        dx, dy = side * separation * np.cos(turn), side * separation * np.sin(turn)
        image += mass * np.exp(-np.hypot(x - dx, (y - dy) * 1.6) / (7 * mass**0.4))
    return image.astype(np.float32)


def write_images(path: Path) -> None:
    """Encounters and two single galaxies, each moment seen by two cameras; fluxes."""
    random = np.random.default_rng(8)
    rows = []
    for e in range(ENCOUNTERS + 2):
        single = e >= ENCOUNTERS
        name = f"{'s' if single else 'e'}{e:05d}"
        ratio, inclination = 10 ** random.uniform(-1, 0), random.uniform(0, 180)
        for m in range(1 if single else MOMENTS):
            time = -250.0 + 180 * m
            for c in range(CAMERAS):
                known = (lambda v: np.nan) if single else (lambda v: v)
                rows.append(
                    {
                        "image_id": f"{name}_{m:04d}_c{c}",
                        "galaxy_id": f"{name}_{m:04d}",
                        "encounter_id": name,
                        "source": "drawn",
                        "snapshot": m,
                        "camera": c,
                        "field_of_view": FIELD,
                        "time_since_pericentre": known(time),
                        "mass_ratio": known(ratio),
                        "size_ratio": known(ratio**0.5),
                        "inclination": known(inclination),
                        "separation": known(abs(time) / 20),
                        "phase": "none" if single else ("approach" if m < 2 else "passage"),
                        "is_encounter": float(not single),
                    }
                )
    images = [
        draw_pair(
            0 if np.isnan(r["separation"]) else r["separation"],
            2 * r["camera"],
            0.001 if np.isnan(r["mass_ratio"]) else r["mass_ratio"],
        )
        for r in rows
    ]
    table = {name: np.array([r[name] for r in rows]) for name in rows[0]}
    with ImageSetWriter(path, channels=("stellar_mass",), size=SIZE) as out:
        out.append(np.array(images)[:, None] * 1e7, table)


def read_by_python(model: ModelBundle, seen: np.ndarray) -> dict[str, np.ndarray]:
    """What the model says of transformed images (n, C, S, S): as the contract has it."""
    encoder, decoder = model.session("encoder", 1), model.session("decoder", 1)
    views = [
        encoder.run(["z", "logits", "encounter"], {"images": np.ascontiguousarray(view(seen, k))})
        for k in range(VIEWS)
    ]
    drawn = decoder.run(["images"], {"z": views[0][0]})[0]
    out = {
        "z": views[0][0],
        "all_z": np.stack([v[0] for v in views], axis=1),
        "encounter_probability": np.mean([1 / (1 + np.exp(-v[2])) for v in views], axis=0),
        "reconstruction_error": np.abs(drawn - seen).mean(axis=(1, 2, 3)),
    }
    for k, label in enumerate(LABELS):
        p = probabilities([v[1][:, k] for v in views], label.temperature)
        q = label.quantiles(p, [0.5, 0.16, 0.84, 0.025, 0.975])
        for name, values in zip(("median", "low68", "high68", "low95", "high95"), q.T):
            out[f"{label.name}_{name}"] = values
    return out


def write_predictions(run: MergerRun) -> None:
    """The Catalogue; every fifth encounter and the single galaxies are held out."""
    model = ModelBundle.load(run.model)
    with ImageSet(run.images) as images:
        table = images.table()
        said = read_by_python(model, model.transform(images.read(0, len(images))))
    said.pop("all_z")
    number = np.array([int(e[1:]) for e in table["encounter_id"]])
    held = (number % 5 == 0) | (number >= ENCOUNTERS)
    outlier = (said["reconstruction_error"] > LIMITS["reconstruction_error"]) | (
        said["encounter_probability"] < LIMITS["encounter_probability"]
    )
    split = np.where(held, "test", "train").astype(object)
    with CatalogueWriter(run.catalogue) as out:
        out.append({**table, **said, "outlier": outlier, "split": split})
