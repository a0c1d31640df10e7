"""All metrics of a finished map, with the samples behind them that the figures show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from morphosphere.artefacts.bundle import lonlat
from morphosphere.artefacts.splits import SPLITS
from morphosphere.config.evaluate import EvaluateSettings
from morphosphere.evaluate import reconstruction as drawn
from morphosphere.evaluate import regression, rotation, sphere
from morphosphere.evaluate.inputs import HELD_OUT, Inputs
from morphosphere.evaluate.regression import Property
from morphosphere.progress import progress

#: Streams of random numbers, so that a change of one measurement leaves the others as they are.
_ROTATED, _HELD_OUT, _TRAIN, _SCORED, _REFERENCE, _RANDOM, _PAIRS = range(7)


@dataclass(frozen=True)
class Results:
    """What was measured.

    Attributes
    ----------
    metrics : dict
        The contents of ``metrics.json``.
    angles : ndarray
        Degrees on the sphere between held-out images and their turned copies; may be empty.
    properties : list of Property
    held_out : ndarray of int
        Rows of the held-out images that were drawn again.
    """

    metrics: dict[str, Any]
    angles: np.ndarray
    properties: list[Property]
    held_out: np.ndarray


@dataclass
class _Measurement:
    """Shared by the measurements: inputs, settings, seed, and remarks on what is missing."""

    inputs: Inputs
    settings: EvaluateSettings
    seed: int
    notes: dict[str, str] = field(default_factory=dict)

    def random(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream])

    def stream_seed(self, stream: int) -> int:
        return int(np.random.SeedSequence([self.seed, stream]).generate_state(1)[0])


def measure(inputs: Inputs, settings: EvaluateSettings, *, seed: int) -> Results:
    """Measure everything; what cannot be measured is None, with the reason among the notes."""
    todo = _Measurement(inputs, settings, seed)
    angles = _rotation_angles(todo)
    held_out = inputs.choose(HELD_OUT, settings.max_held_out, todo.stream_seed(_HELD_OUT))
    properties = inputs.properties(settings.properties)
    reconstruction, sources = _reconstruction(todo, held_out)
    metrics = {
        "rotation_scatter_deg": _rotation_scatter(angles),
        "sphere_entropy": _entropy(todo),
        "reconstruction": reconstruction,
        "reconstruction_by_source": sources,
        "knn_r2": _knn(todo, properties),
        "view_angle_deg": _view_angles(todo),
        "notes": todo.notes,
    }
    return Results(metrics, angles, properties, held_out)


def _rotation_angles(todo: _Measurement) -> np.ndarray:
    inputs, settings = todo.inputs, todo.settings
    rows = inputs.choose(HELD_OUT, settings.max_rotated, todo.stream_seed(_ROTATED))
    if not len(rows):
        todo.notes["rotation_scatter_deg"] = "no held-out galaxies: more galaxies are needed"
        return np.empty((0, settings.copies))
    transform = inputs.model.bundle.transform

    def encode(images: np.ndarray) -> np.ndarray:
        return inputs.model.encode(transform(images))[0].astype(np.float64)

    turns = todo.random(_ROTATED).uniform(0, 360, (len(rows), settings.copies))
    out = []
    with progress("turn held-out images", len(rows)) as advance:
        for start in range(0, len(rows), settings.chunk):
            part = slice(start, start + settings.chunk)
            out.append(rotation.rotation_scatter(inputs.stored(rows[part]), turns[part], encode))
            advance(len(out[-1]))
    todo.notes["rotation_scatter_deg"] = (
        f"{_how_many(inputs, rows)}, {settings.copies} copies each, every other one mirrored"
    )
    return np.concatenate(out)


def _how_many(inputs: Inputs, rows: np.ndarray) -> str:
    unseen = int(inputs.unseen(rows).sum())
    beside = f" ({unseen} of them of sources that the model was not trained on)" if unseen else ""
    return f"{len(rows)} held-out images{beside}"


def _rotation_scatter(angles: np.ndarray) -> dict[str, float | None]:
    if not angles.size:
        return {"median": None, "p90": None}
    return {"median": float(np.median(angles)), "p90": float(np.percentile(angles, 90))}


def _entropy(todo: _Measurement) -> float:
    place = todo.inputs.catalogue.read(["lon", "lat"])
    order = sphere.occupancy_order(len(todo.inputs))
    counts = sphere.occupancy(place["lon"], place["lat"], order)
    value = sphere.normalised_entropy(counts)
    even = sphere.random_sphere(len(todo.inputs), todo.random(_RANDOM))
    ideal = sphere.normalised_entropy(sphere.occupancy(*lonlat(even), order))
    todo.notes["sphere_entropy"] = (
        f"{len(todo.inputs)} images in {len(counts)} HEALPix cells of order {order}, "
        f"{np.count_nonzero(counts)} of them occupied; as many images placed at random: {ideal:.3f}"
    )
    return value


def _reconstruction(
    todo: _Measurement, rows: np.ndarray
) -> tuple[dict[str, float | None], dict[str, dict[str, float | int | bool]]]:
    """Over all held-out images, and of each source; trained on or not apart."""
    inputs, settings = todo.inputs, todo.settings
    keys = ["l1", "ssim", *(f"pca{n}_l1" for n in drawn.COMPONENTS)]
    out: dict[str, float | None] = dict.fromkeys(keys)
    if not len(rows):
        todo.notes["reconstruction"] = "no held-out galaxies: more galaxies are needed"
        return out, {}
    train = inputs.choose(("train",), settings.max_train, todo.stream_seed(_TRAIN))
    components = None
    if len(train) > 2:
        components = drawn.fit_components(
            inputs.transformed(train), seed=todo.stream_seed(_TRAIN) % 2**31
        )
    sums = dict.fromkeys(keys, 0.0)
    counted = {"l1", "ssim"}
    each = np.empty((len(rows), 2))
    done = 0
    with progress("draw held-out images", len(rows)) as advance:
        for start in range(0, len(rows), settings.chunk):
            images = inputs.transformed(rows[start : start + settings.chunk])
            placed = inputs.model.place(images)
            part = each[done : done + len(images)]
            part[:, 0] = placed.reconstruction_error
            part[:, 1] = drawn.similarity(images, placed.reconstruction)
            done += len(images)
            for count, again in drawn.drawn_by_components(components, images) if components else ():
                sums[f"pca{count}_l1"] += float(drawn.mean_absolute_difference(images, again).sum())
                counted.add(f"pca{count}_l1")
            advance(len(images))
    sums["l1"], sums["ssim"] = each.sum(axis=0).tolist()
    out.update({key: sums[key] / len(rows) for key in keys if key in counted})
    todo.notes["reconstruction"] = (
        f"{_how_many(inputs, rows)}; PCA fitted on {len(train)} training images"
        + ("" if len(counted) == len(keys) else ", too few for the components that are missing")
    )
    return out, _by_source(inputs, rows, each)


def _by_source(
    inputs: Inputs, rows: np.ndarray, each: np.ndarray
) -> dict[str, dict[str, float | int | bool]]:
    """Means of l1 and ssim of each source, of images that were held out and of unseen ones."""
    source, unseen = inputs.columns(["source"], rows)["source"].astype(str), inputs.unseen(rows)
    out: dict[str, dict[str, float | int | bool]] = {}
    for name in np.unique(source):
        for new in (False, True):
            here = each[(source == name) & (unseen == new)]
            if len(here):
                l1, ssim = here.mean(axis=0).tolist()
                facts = {"images": len(here), "trained_on": not new, "l1": l1, "ssim": ssim}
                out[f"{name}, unseen" if new else name] = facts
    return out


def _knn(todo: _Measurement, properties: list[Property]) -> dict[str, dict[str, float | None]]:
    inputs, settings = todo.inputs, todo.settings
    seeds = todo.stream_seed(_REFERENCE), todo.stream_seed(_SCORED)
    fold = inputs.fold
    reference = inputs.choose(SPLITS[:2], settings.max_reference, seeds[0], of=fold)
    scored = inputs.choose(SPLITS[2:], settings.max_scored, seeds[1], of=fold)
    rows = np.sort(np.concatenate([reference, scored]))
    chosen = [Property(p.name, p.values[rows], p.logarithmic) for p in properties]
    spaces = {
        "sphere": inputs.position[rows],
        "features": inputs.columns(["features"], rows)["features"],
        "random": sphere.random_sphere(len(rows), todo.random(_RANDOM)),
    }
    scores, reasons = regression.neighbour_scores(
        spaces,
        chosen,
        reference=np.searchsorted(rows, reference),
        scored=np.searchsorted(rows, scored),
        count=settings.neighbours,
    )
    logarithmic = [p.name for p in properties if p.logarithmic]
    todo.notes["knn_r2"] = (
        f"{settings.neighbours} neighbours among {len(reference)} images of other galaxies, scored "
        f"on {_how_many(inputs, scored)}"
        + (f"; log10 of {', '.join(logarithmic)}" if logarithmic else "")
        + ("" if properties else "; no numeric property")
    )
    todo.notes.update({f"knn_r2.{name}": reason for name, reason in reasons.items()})
    return scores


def _view_angles(todo: _Measurement) -> dict[str, float | None]:
    inputs = todo.inputs
    rows = inputs.choose(HELD_OUT, 20 * todo.settings.max_scored, todo.stream_seed(_PAIRS))
    which = _how_many(inputs, rows)
    if len(np.unique(inputs.galaxies[rows])) < 2:
        rows, which = np.arange(len(inputs)), f"all {len(inputs)} images"
    same, other = sphere.view_pairs(inputs.galaxies[rows], todo.random(_PAIRS))
    out: dict[str, float | None] = {}
    for name, pairs in (("same", same), ("other", other)):
        ends = inputs.position[rows[pairs]]
        angles = sphere.angle_between(ends[:, 0], ends[:, 1])
        out[name] = float(np.median(angles)) if len(angles) else None
    remarks = [f"{len(same)} and {len(other)} pairs of {which}"]
    if out["same"] is None:
        remarks.append("every galaxy has one image")
    if out["other"] is None:
        remarks.append("there is one galaxy only")
    todo.notes["view_angle_deg"] = "; ".join(remarks)
    return out
