"""All metrics of a model of mergers, and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.merger_evaluate import MergerEvaluateSettings
from morphosphere.errors import InputError
from morphosphere.mergers.evaluate import errors, figures
from morphosphere.mergers.evaluate.held import Held, from_catalogue, from_images
from morphosphere.mergers.evaluate.show import strip_caption, truth_caption
from morphosphere.mergers.evaluate.similarity import measure_similarity
from morphosphere.mergers.evaluate.speed import speedup
from morphosphere.mergers.evaluate.tested import measure_test
from morphosphere.mergers.reading import MergerModel
from morphosphere.posterior import Label
from morphosphere.progress import log

#: Images of a test set that its figure shows.
_SHOWN = 8


def evaluate(
    *,
    images: Path,
    model: Path,
    catalogue: Path,
    leaky: Path | None,
    tests: dict[str, tuple[Path, Path]],
    settings: MergerEvaluateSettings,
    folder: Path,
    seed: int,
) -> tuple[dict[str, Any], list[Path]]:
    """Measure and draw.

    Parameters
    ----------
    images, model, catalogue : Path
        ImageSet, ModelBundle and the predictions of these images.
    leaky : Path, optional
        ModelBundle that was trained under another split.
    tests : dict
        Name to ImageSet and predictions.
    settings : MergerEvaluateSettings
    folder : Path
        Folder.
    seed : int

    Returns
    -------
    metrics : dict
        The contents of ``metrics.json``.
    paths : list of Path
        Of the figures.

    Raises
    ------
    InputError
        If inputs do not belong together, or no image is held out.
    """
    network = MergerModel.load(model)
    labels = network.labels
    everything = from_catalogue(catalogue, labels)
    with ImageSet(images) as source:
        network.check_channels(source)
        if len(Catalogue(catalogue)) != len(source):
            raise InputError(f"{catalogue}: not of the images of {images}; predict them again")
        held = everything.encounters
        if not len(held):
            raise InputError(f"{images}: no encounter is held out for tests; add encounters")
        log(f"evaluate {len(held)} held-out images")
        metrics = errors.measure(held, labels, bootstrap=settings.bootstrap, seed=seed)
        metrics["by_phase"] = errors.by_group(held, labels, errors.phases_of(held))
        metrics["by_camera"] = errors.by_group(held, labels, errors.cameras_of(held))
        metrics["outliers"] = outliers(everything)
        metrics["similarity"] = _similarity(catalogue, labels, settings, seed)
        if leaky is not None:
            metrics["leaky_split"] = leaky_split(source, leaky, settings, seed)
        shown = _shown(held, settings.shown, seed)
        rows = _similar_rows(source, network, catalogue, held, shown)
        timed = held.rows[: settings.timed]
        metrics |= speedup(
            network,
            network.bundle.transform(source.images[timed]),
            particles=settings.nbody_particles,
            steps=settings.nbody_steps,
            seed=seed,
        )
    metrics["real"], drawn = {}, {}
    for name, (pictures, said) in tests.items():
        found = from_catalogue(said, labels, test_only=False)
        metrics["real"][name] = measure_test(found, labels)
        with ImageSet(pictures) as source:
            some = np.unique(np.linspace(0, len(found) - 1, _SHOWN).astype(int))
            drawn[name] = found.take(some), network.bundle.transform(source.images[some])
    metrics["notes"] = notes(metrics, labels)
    paths = _draw(held, labels, metrics, rows, drawn, folder, settings.dpi)
    return metrics, paths


def leaky_split(
    source: ImageSet, leaky: Path, settings: MergerEvaluateSettings, seed: int
) -> dict[str, Any]:
    """The same measures of the network that was trained under the split by snapshot.

    Its test images are of snapshots that it has not seen, of encounters that it has.
    """
    network = MergerModel.load(leaky)
    split_by = network.bundle.info["settings"]["split_by"]
    held = from_images(source, network, split_by=split_by).encounters
    found = errors.measure(held, network.labels, bootstrap=settings.bootstrap, seed=seed)
    found["by_phase"] = errors.by_group(held, network.labels, errors.phases_of(held))
    return found | {"split_by": split_by}


def outliers(held: Held) -> dict[str, Any]:
    """Shares of held-out images that are told to be unlike encounters of the training."""
    single = held.about.get("is_encounter")
    if single is None:
        return {"encounters": float(held.outlier.mean())}
    groups = {"encounters": single != 0, "single_galaxies": single == 0}
    return {k: float(held.outlier[m].mean()) if m.any() else None for k, m in groups.items()}


def _similarity(
    catalogue: Path, labels: tuple[Label, ...], settings: MergerEvaluateSettings, seed: int
) -> dict[str, Any]:
    rows = Catalogue(catalogue)
    names = [label.name for label in labels if label.name in rows.columns]
    found = rows.read(["z", "split", *names])
    unknown = np.full(len(found["split"]), np.nan)
    truth = {label.name: found.get(label.name, unknown).astype(np.float64) for label in labels}
    return measure_similarity(
        found["z"],
        found["split"],
        truth,
        labels,
        queries=settings.queries,
        probes=settings.probes,
        seed=seed,
    )


def _shown(held: Held, count: int, seed: int) -> np.ndarray:
    """Some held-out images, spread over the first label."""
    first = next(iter(held.truth.values()))
    random = np.random.default_rng(seed)
    order = np.argsort(first, kind="stable")[: int(np.isfinite(first).sum()) or None]
    parts = np.array_split(order, min(count, len(order)))
    return np.array([random.choice(part) for part in parts])


def _similar_rows(
    source: ImageSet, model: MergerModel, catalogue: Path, held: Held, shown: np.ndarray
) -> list[list[tuple[np.ndarray, str]]]:
    """For the figure: an image, what is drawn of its z, and the most similar training images."""
    rows = Catalogue(catalogue)
    names = [label.name for label in model.labels if label.name in rows.columns]
    table = rows.read(["z", "neighbours", "split", *names])
    truth = {name: table[name] for name in names}
    labels = tuple(label for label in model.labels if label.name in names)
    out = []
    for k in shown:
        row = held.rows[k]
        near = [n for n in table["neighbours"][row] if n >= 0 and table["split"][n] == "train"][:4]
        drawn = model.decode(table["z"][row][None])[0]
        line = [(_transformed(source, model, row), strip_caption(held, k, labels)), (drawn, "")]
        line += [(_transformed(source, model, n), truth_caption(truth, n, labels)) for n in near]
        out.append(line)
    return out


def _transformed(source: ImageSet, model: MergerModel, row: int) -> np.ndarray:
    return model.bundle.transform(source.read(row, row + 1))[0]


def notes(metrics: dict[str, Any], labels: tuple[Label, ...]) -> dict[str, str]:
    """What is missing, and why; and what two numbers that can be mistaken mean."""
    found = {}
    for label in labels:
        if metrics.get(errors.error_key(label)) is None:
            found[errors.error_key(label)] = f"{label.name} is not known of the held-out images"
    if "leaky_split" in metrics:
        found["leaky_split"] = (
            "The same network on test images that leak: other snapshots of their encounters were "
            "trained on. It is here to be compared with, not to be quoted."
        )
    else:
        found["leaky_split"] = "mergers.leaky_split is false: not measured"
    if metrics.get("speedup_over_nbody") is None:
        found["speedup_over_nbody"] = "mergers.evaluate.nbody_steps is 0: not measured"
    if not metrics.get("real"):
        found["real"] = "the configuration names no runs and no real images (mergers.runs, real)"
    return found


def _draw(
    held: Held,
    labels: tuple[Label, ...],
    metrics: dict[str, Any],
    rows: list[list[tuple[np.ndarray, str]]],
    tests: dict[str, tuple[Held, np.ndarray]],
    folder: Path,
    dpi: int,
) -> list[Path]:
    second = labels[1] if len(labels) > 1 else labels[0]
    drawn = {
        "times": figures.told_and_true(held, labels[0], "Held-out encounters"),
        "mass_ratios": figures.told_and_true(held, second, "Held-out encounters"),
        "phases": figures.phases(held, labels, metrics),
        "calibration": figures.calibration(held, labels),
        "cameras": figures.cameras(held, labels[0]),
        "similar": figures.similar(rows),
        "splits": figures.splits(metrics, labels),
        "tests": figures.tests(tests, labels),
    }
    return figures.write_figures(drawn, folder, dpi)
