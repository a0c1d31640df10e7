"""What is told of labels and matches: counts, and a line for all that has no label."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.config.survey_label import LabelSettings
from morphosphere.files import write_text
from morphosphere.progress import log
from morphosphere.surveys.label import match
from morphosphere.surveys.label.classes import Labels
from morphosphere.surveys.label.survey import Survey
from morphosphere.surveys.label.table import Found, Reject

MATCH_COLUMNS = ("labelled_id", "target_id", "separation", "second_separation", "kind")
REJECT_COLUMNS = ("survey", "id", "reason", "detail")


def all_rejects(
    a: Survey, b: Survey, labels: Labels, found: Found, settings: LabelSettings
) -> list[Reject]:
    """A line for every image of A without a label, image that is not matched, and row unused."""
    rejects = [
        Reject("labelled", str(a.ids[row]), str(labels.reason[row]), str(labels.detail[row]))
        for row in np.flatnonzero(~labels.known)
    ]
    if settings.overlap:
        for name, survey in (("labelled", a), ("target", b)):
            ra, dec = survey.sky
            rejects += [
                Reject(
                    name,
                    str(survey.ids[row]),
                    "not matched: no position",
                    f"{ra[row]:g}, {dec[row]:g}",
                )
                for row in np.flatnonzero(~match.usable(ra, dec))
            ]
    return rejects + found.rejects


def match_lines(
    a: Survey, b: Survey, matched: match.Match | None
) -> Iterable[tuple[str, str, str, str, str]]:
    """Lines of matches.csv: every pair within the radius, in `MATCH_COLUMNS`."""
    if matched is None:
        return
    pairs = matched.pairs
    second = match.second_nearest(a.sky, b.sky, pairs.b)
    for row_a, row_b, apart, next_one, kind in zip(
        pairs.a, pairs.b, pairs.separation, second, matched.kind
    ):
        text = f"{next_one:.4f}" if np.isfinite(next_one) else ""
        yield a.ids[row_a], b.ids[row_b], f"{apart:.4f}", text, kind


def report_of(
    a: Survey,
    b: Survey,
    labels: Labels,
    carried: Labels,
    matched: match.Match | None,
    rejects: Sequence[Reject],
    settings: LabelSettings,
) -> dict[str, Any]:
    """Numbers of labels, matches and rejects."""
    classes = {
        name: {
            "labelled": int((labels.label == k).sum()),
            "labelled_confident": int(((labels.label == k) & (labels.confident == 1)).sum()),
            "target": int((carried.label == k).sum()),
            "target_confident": int(((carried.label == k) & (carried.confident == 1)).sum()),
        }
        for k, name in enumerate(settings.classes)
    }
    reasons: dict[str, dict[str, int]] = {}
    for (source, reason), n in Counter((r.source, r.reason) for r in rejects).most_common():
        reasons.setdefault(source, {})[reason] = n
    report: dict[str, Any] = {
        "classes": classes,
        "labelled": {"images": len(a.ids), "labels": int(labels.known.sum())},
        "target": {"images": len(b.ids), "labels": int(carried.known.sum())},
        "rejects": reasons,
    }
    if labels.type is not None:
        known = labels.type[np.isfinite(labels.type)]
        report["type"] = {"labels": len(known)}
        if len(known):
            low, middle, high = np.quantile(known, [0, 0.5, 1])
            report["type"] |= {"least": low, "median": middle, "greatest": high}
    if matched is not None:
        report["matches"] = _match_report(a, b, labels, matched, settings)
    return report


def _match_report(
    a: Survey, b: Survey, labels: Labels, matched: match.Match, settings: LabelSettings
) -> dict[str, Any]:
    rows = np.flatnonzero(matched.partner >= 0)
    kinds = Counter(matched.kind)
    partner = matched.partner[rows]
    several = len(set(matched.pairs.b[matched.kind == match.AMBIGUOUS]))
    report: dict[str, Any] = {
        "matched": len(rows),
        "matched_without_label": int((~labels.known[partner]).sum()),
        "pairs": {k: kinds.get(k, 0) for k in (match.UNIQUE, match.AMBIGUOUS, match.DUPLICATE)},
        "target_images_ambiguous": several,
        "by_chance": match.chance_matches(a.sky, b.sky, settings.radius),
    }
    if len(rows):
        east, north = match.offsets(a.sky, b.sky, partner, rows)
        report |= {
            "median_separation_arcsec": float(np.median(matched.separation[rows])),
            "median_offset_arcsec": [float(np.median(east)), float(np.median(north))],
        }
    return report


def write_csv(path: Path, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Write a CSV file in one step."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    write_text(path, text.getvalue())


def say(report: dict[str, Any]) -> None:
    """Log what the report tells."""
    words = ", ".join(
        f"{name} {n['labelled']} (in the other survey {n['target']})"
        for name, n in report["classes"].items()
    )
    log(f"labels: {words}")
    for source, reasons in report["rejects"].items():
        text = ", ".join(f"{n} {reason}" for reason, n in reasons.items())
        log(f"  {source}, in rejects.csv: {text}")
    if found := report.get("matches"):
        log(
            f"matches: {found['matched']}; {found['target_images_ambiguous']} images have several "
            f"galaxies within the radius, {found['pairs']['duplicate']} pairs are duplicates, "
            f"{found['by_chance']:.1f} are expected by chance"
        )
