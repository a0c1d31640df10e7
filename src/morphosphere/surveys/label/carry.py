"""From two surveys to two labelled ImageSets, with a line for all that has no label."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_label import LabelSettings
from morphosphere.errors import InputError
from morphosphere.files import write_json
from morphosphere.surveys.label import match
from morphosphere.surveys.label.classes import Labels, label_rows, needed
from morphosphere.surveys.label.columns import with_columns
from morphosphere.surveys.label.report import (
    MATCH_COLUMNS,
    REJECT_COLUMNS,
    all_rejects,
    match_lines,
    report_of,
    say,
    write_csv,
)
from morphosphere.surveys.label.survey import (
    Survey,
    check_bands,
    check_pixels,
    read_survey,
)
from morphosphere.surveys.label.table import find_labels

FILES = ("labelled.h5", "target.h5", "matches.csv", "rejects.csv", "report.json")


def carry(labelled: Path, target: Path, output: Path, settings: LabelSettings) -> dict[str, Any]:
    """Label survey A, carry its labels to survey B, and write `FILES`; return the report.

    Parameters
    ----------
    labelled, target : Path
        ImageSets of A and B.
    output : Path
        Folder.
    settings : LabelSettings

    Raises
    ------
    InputError
        If the two surveys have other bands, an id stands twice, a column is missing, a class has
        too few members, or B is to be matched and no galaxy of it is in A.
    """
    with ImageSet(labelled) as images_a, ImageSet(target) as images_b:
        check_bands(images_a, images_b)
        check_pixels(images_a, images_b)
        a, b = (read_survey(images, settings) for images in (images_a, images_b))
        wanted = needed(settings)
        found = find_labels(images_a, settings, wanted, a.position)
    labels = label_rows(found.columns, settings, given=found.given, why=found.why)
    _check_members(labels, a, settings)
    matched = _match(a, b, settings) if settings.overlap else None
    objects = _objects(a, b, settings, matched)
    carried = _carried(labels, matched, len(b.ids))
    if matched is not None:
        _check_carried(carried, b, settings)
    rejects = all_rejects(a, b, labels, found, settings)
    report = report_of(a, b, labels, carried, matched, rejects, settings)
    back = _backwards(matched, len(a.ids))
    attributes = {"classes": list(settings.classes)}
    partners = np.full(len(b.ids), -1) if matched is None else matched.partner
    apart = np.full(len(b.ids), np.nan, np.float32) if matched is None else matched.separation
    own = _columns(labels, objects[0], "survey", b.ids, *back)
    with_columns(labelled, output / FILES[0], own, attributes=attributes)
    other = _columns(carried, objects[1], "match", a.ids, partners, apart)
    with_columns(target, output / FILES[1], other, attributes=attributes)
    write_csv(output / FILES[2], MATCH_COLUMNS, match_lines(a, b, matched))
    lines = ((r.source, r.id, r.reason, r.detail) for r in rejects)
    write_csv(output / FILES[3], REJECT_COLUMNS, lines)
    write_json(output / FILES[4], report)
    say(report)
    return report


def _check_members(labels: Labels, survey: Survey, settings: LabelSettings) -> None:
    """Several images of one galaxy are one member."""
    counts = {
        name: len(set(survey.galaxies[labels.label == k]))
        for k, name in enumerate(settings.classes)
    }
    few = {name: n for name, n in counts.items() if n < settings.least_members}
    if not few:
        return
    total = sum(counts.values())
    why = Counter(labels.reason[labels.reason != ""]).most_common(3)
    because = "; ".join(f"{n} {reason}" for reason, n in why) or "no other label"
    source = settings.table.path if settings.table else survey.path
    if total and max(counts.values()) == total:
        only = next(name for name, n in counts.items() if n)
        said = f"all {total} labelled galaxies are of the class {only!r}: nothing to tell apart"
    elif not total:
        said = f"none of {len(labels.label)} images gets a label"
    else:
        said = " and ".join(
            f"the class {name!r} has {n} member{'s' * (n != 1)}" for name, n in few.items()
        )
    rules = "; ".join(
        f"{name}: {rule.where or rule.votes}"
        for name, rule in settings.classes.items()
        if name in few
    )
    raise InputError(
        f"{source}: {said} (at least {settings.least_members} of each are needed). Without a "
        f"label: {because}. Correct transfer.label.classes ({rules})"
    )


def _check_carried(carried: Labels, survey: Survey, settings: LabelSettings) -> None:
    """The model of survey B learns from the galaxies that both have: some of each class."""
    for k, name in enumerate(settings.classes):
        number = len(set(survey.galaxies[carried.label == k]))
        if number < settings.least_members:
            raise InputError(
                f"{survey.path}: of the class {name!r}, {number} labelled galaxies are matched "
                f"(at least {settings.least_members} of each are needed). Widen "
                "transfer.label.radius, or say overlap: false to learn from the labelled survey "
                "alone"
            )


def _match(a: Survey, b: Survey, settings: LabelSettings) -> match.Match:
    for survey in (a, b):
        if not match.usable(*survey.sky).any():
            raise InputError(
                f"{survey.path}: no image has a position ({settings.ra!r} and {settings.dec!r} in "
                "degrees); give transfer.label.ra and dec, or overlap: false"
            )
    pairs = match.pairs_within(a.sky, b.sky, settings.radius)
    if not len(pairs.a):
        nearest = match.nearest(a.sky, b.sky)
        raise InputError(
            f"{b.path}: no image is within {settings.radius:g} arcsec of one of {a.path}; the "
            f"nearest two are {nearest:.3g} arcsec apart. Widen transfer.label.radius, or say "
            "overlap: false to learn from the labelled survey alone"
        )
    return match.resolve(
        pairs, a.galaxies, b.galaxies, nearest_counts=settings.ambiguous == "nearest"
    )


def _objects(
    a: Survey, b: Survey, settings: LabelSettings, matched: match.Match | None
) -> tuple[np.ndarray, np.ndarray]:
    """What stays together, also within a survey that has a galaxy twice.

    Where positions are known, that holds of surveys whose labels are not carried, too: the galaxy
    of a test image must not be learnt from its image in the other survey.
    """
    links = []
    if matched is not None:
        pairs = matched.pairs
        links.append((a.galaxies[pairs.a], b.galaxies[pairs.b]))
    elif a.position is not None and b.position is not None:
        pairs = match.pairs_within(a.position, b.position, settings.radius)
        links.append((a.galaxies[pairs.a], b.galaxies[pairs.b]))
    for survey in (a, b):
        if survey.position is not None:
            own = match.pairs_within(survey.position, survey.position, settings.radius)
            apart = own.a < own.b
            links.append((survey.galaxies[own.a[apart]], survey.galaxies[own.b[apart]]))
    return match.together(a.galaxies, b.galaxies, *links)


def _carried(labels: Labels, matched: match.Match | None, count: int) -> Labels:
    """Labels of B: those of the partners in A."""
    partner = np.full(count, -1) if matched is None else matched.partner
    has = partner >= 0

    def of(values: np.ndarray) -> np.ndarray:
        return np.where(has, values[partner], np.nan).astype(values.dtype)

    kinds = None if labels.type is None else of(labels.type)
    return replace(labels, label=of(labels.label), confident=of(labels.confident), type=kinds)


def _backwards(matched: match.Match | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same match seen from A: row in B of the nearest partner, and its separation."""
    row, apart = np.full(count, -1), np.full(count, np.nan, np.float32)
    if matched is not None:
        found = np.flatnonzero(matched.partner >= 0)
        found = found[np.argsort(-matched.separation[found], kind="stable")]
        row[matched.partner[found]] = found  # the nearest is written last
        apart[matched.partner[found]] = matched.separation[found]
    return row, apart


def _columns(
    labels: Labels,
    objects: np.ndarray,
    origin: str,
    other_ids: np.ndarray,
    partner: np.ndarray,
    separation: np.ndarray,
) -> dict[str, np.ndarray]:
    """The columns that are added to a survey's table."""
    columns = {
        "object": objects,
        "label": labels.label,
        "label_weight": np.ones(len(objects), np.float32),
        "confident_label": labels.confident,
    }
    if labels.type is not None:
        columns["type"] = labels.type
    matched = np.where(partner >= 0, other_ids[partner], "").astype(object)
    return columns | {
        "label_origin": np.where(labels.known, origin, "").astype(object),
        "matched_id": matched,
        "match_separation": separation.astype(np.float32),
    }
