"""The check as a whole: embed, group, compare, and place every galaxy of the survey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.progress import log, progress
from morphosphere.surveys.clusters import agreement, embedding, grouping
from morphosphere.surveys.clusters.grouping import Groups
from morphosphere.surveys.clusters.members import (
    Members,
    draw_members,
    feature_batches,
)
from morphosphere.surveys.clusters.whitening import Whitening, fit_whitening

#: Neighbours by which the mixing of two surveys is told.
_MIXED = 15
#: Galaxies of which the mixing is measured, at most.
_MEASURED = 5000


@dataclass(frozen=True)
class Found:
    """What was found on the drawn galaxies.

    Attributes
    ----------
    target : Members
    labelled : Members or None
        Of the labelled survey, embedded with those of the target.
    whitening : Whitening
    whitened : ndarray of float32, shape (n, d)
        Of the target.
    positions : ndarray of float32, shape (n, 2)
    labelled_positions : ndarray of float32, shape (m, 2)
    clusters : Groups
        Of the target.
    components : Groups
        One component for each class; `code` is the class that it was given.
    classes : list of str
    metrics : dict
    """

    target: Members
    labelled: Members | None
    whitening: Whitening
    whitened: np.ndarray
    positions: np.ndarray
    labelled_positions: np.ndarray
    clusters: Groups
    components: Groups
    classes: list[str]
    metrics: dict[str, Any]


def measure(
    catalogue: Catalogue,
    labelled: Catalogue | None,
    classes: list[str],
    settings: SurveyClustersSettings,
    seed: int,
) -> Found:
    """Embed and group drawn galaxies of the target; compare with labels and predictions."""
    target, bad = draw_members(catalogue, classes, settings.points, seed)
    other = None
    if labelled is not None and settings.labelled_points:
        other = draw_members(labelled, classes, settings.labelled_points, seed)[0]
    features = [target.features] if other is None else [target.features, other.features]
    whitening = fit_whitening(
        np.concatenate(features),
        components=settings.components,
        variance=settings.variance,
        power=settings.whitening,
    )
    whitened = [whitening(part) for part in features]
    with progress("embed the features", 1) as advance:
        positions, about = embedding.embed(np.concatenate(whitened), settings, seed)
        advance(1)
    here, there = positions[: len(target)], positions[len(target) :]
    points = here if settings.cluster_on == "embedding" else whitened[0]
    clusters = grouping.find_clusters(points, settings, seed)
    components, without = without_labels(target, classes, settings, seed)
    metrics: dict[str, Any] = {
        "n": len(catalogue),
        "used": len(target),
        "not_finite": bad,
        "classes": classes,
        "features": int(target.features.shape[1]),
        "components": int(whitening.axes.shape[1]),
        "variance": whitening.variance,
        "embedding": about,
        "clusters": {
            "method": settings.clusters,
            "on": settings.cluster_on,
            "number": clusters.count,
            "noise_share": float(np.mean(clusters.code == grouping.NOISE)),
            "items": agreement.describe(
                clusters, target.predicted, target.label, target.confidence, classes
            ),
        },
        "agreement": {
            name: agreement.agreement(clusters, known, len(classes))
            for name, known in known_classes(target).items()
        },
        "without_labels": without,
        "mixing": None if other is None else mixing(*whitened, seed),
    }
    metrics["said"] = answer(without, classes)
    log(metrics["said"])
    return Found(
        target, other, whitening, whitened[0], here, there, clusters, components, classes, metrics
    )  # fmt: skip


def known_classes(members: Members) -> dict[str, np.ndarray]:
    """Classes to compare with; -1 where they are not known: labels, those held out, predictions."""
    return {
        "labels": members.label,
        "test_labels": np.where(members.test, members.label, -1),
        "predicted": members.predicted,
    }


def without_labels(
    target: Members,
    classes: list[str],
    settings: SurveyClustersSettings,
    seed: int,
) -> tuple[Groups, dict[str, Any]]:
    """Whether a mixture with a component for each of K classes tells the classes by itself.

    The K means of a network's features lie in K - 1 dimensions once it tells the classes apart, so
    that the mixture is found on the first K components; its Gaussians have one covariance, for
    otherwise it describes the core and the tail of the largest class and not two classes. Labels
    name the Gaussians and have no part in finding them; where none are known, predictions do.
    """
    count = len(classes)
    leading = fit_whitening(target.features, components=count, variance=1, power=1)(target.features)
    one, mixture = (
        grouping.fit_mixture(leading, number, starts=settings.starts, seed=seed, covariance="tied")
        for number in (1, count)
    )
    found = grouping.groups_of(mixture, leading)
    known = known_classes(target)
    by = "labels" if (known["labels"] >= 0).any() else "predicted"
    given = agreement.assign(agreement.table_of(found.code, known[by], (count, count)))
    named = Groups(given[found.code], found.probability, found.count)
    scores = {
        name: agreement.assigned_scores(found.code, classes_, given)
        for name, classes_ in known.items()
    }
    gain = one.bic(leading) - mixture.bic(leading)
    return named, {
        "components": count,
        "named_by": by,
        "shares": {
            name: float(np.mean(named.code == number)) for number, name in enumerate(classes)
        },
        "bic_gain_per_galaxy": float(gain / len(leading)),
        **scores,
    }


def mixing(target: np.ndarray, labelled: np.ndarray, seed: int) -> dict[str, Any]:
    """How well galaxies of two surveys mix among the features.

    ``ratio`` is the share of labelled galaxies among the nearest neighbours of galaxies of the
    target, over their share among all: 1 if the surveys look the same to the network, 0 if they lie
    apart.
    """
    some = np.sort(np.random.default_rng(seed).permutation(len(target))[:_MEASURED])
    both = np.concatenate([target, labelled])
    count = min(_MIXED, len(both) - 1)
    rows, _ = embedding.nearest(both, target[some], count + 1)
    others = rows != some[:, None]
    share = float(np.mean((rows >= len(target))[others]))
    return {
        "labelled": len(labelled),
        "neighbours": count,
        "ratio": share / (len(labelled) / (len(both) - 1)),
    }


def answer(without: dict[str, Any], classes: list[str]) -> str:
    """In a sentence: does the survey fall into the classes without its labels?"""
    named = {
        "test_labels": "labels that had no part in training",
        "labels": "labels",
        "predicted": "predicted classes",
    }
    which = next(name for name in named if without[name])
    scores = without[which]
    balanced = scores["balanced_accuracy"]
    text = (
        f"A mixture of {without['components']} components, found without labels, agrees with "
        f"{100 * scores['accuracy']:.1f} % of {scores['n']:,} {named[which]} (always the most "
        f"frequent class: {100 * scores['majority_share']:.1f} %)"
    )
    return text + (f"; balanced {100 * balanced:.1f} %" if balanced is not None else "")


def placed_batches(
    catalogue: Catalogue, found: Found, settings: SurveyClustersSettings
) -> Iterator[dict[str, np.ndarray]]:
    """Rows of the embedding for every galaxy of the target, in batches and in order.

    Galaxies that were not drawn take the weighted mean place of their nearest neighbours among
    those that were, and the group most frequent among them.
    """
    drawn = np.full(len(catalogue), -1, dtype=np.int64)
    drawn[found.target.rows] = np.arange(len(found.target))
    for first, names, features in feature_batches(catalogue):
        place = drawn[first : first + len(features)]
        positions = np.full((len(features), 2), np.nan, dtype=np.float32)
        codes = {"cluster": found.clusters, "component": found.components}
        columns: dict[str, np.ndarray] = {}
        fitted = place >= 0
        positions[fitted] = found.positions[place[fitted]]
        rest = np.flatnonzero(~fitted & np.isfinite(features).all(axis=1))
        if len(rest):
            rows, distances = embedding.nearest(
                found.whitened, found.whitening(features[rest]), settings.neighbours
            )
            positions[rest] = embedding.place_by_neighbours(found.positions, rows, distances)
        for name, groups in codes.items():
            code = np.full(len(features), grouping.NOISE, dtype=np.int32)
            probability = np.zeros(len(features), dtype=np.float32)
            code[fitted] = groups.code[place[fitted]]
            probability[fitted] = groups.probability[place[fitted]]
            if len(rest):
                code[rest], probability[rest] = grouping.of_neighbours(groups.code, rows)
            columns |= {name: code, f"{name}_probability": probability}
        yield {
            "image_id": names,
            "x": positions[:, 0],
            "y": positions[:, 1],
            **columns,
            "fitted": fitted,
        }
