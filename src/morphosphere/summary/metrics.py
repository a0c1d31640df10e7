"""The metrics of a run as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from morphosphere.summary.html import Markup, page, table, text
from morphosphere.summary.sersic_metrics import is_of_sersic, sersic_sections
from morphosphere.summary.survey_metrics import is_of_survey, survey_sections
from morphosphere.summary.values import notes_on, number

#: Title of a metric, and what its numbers are.
_ABOUT = {
    "rotation_scatter_deg": (
        "Rotation scatter",
        "Degrees on the sphere between a held-out image and its turned and mirrored copies; "
        "smaller is better.",
    ),
    "sphere_entropy": (
        "Sphere entropy",
        "How evenly the sphere is used: 1 if all cells hold equally many images, 0 if one has all.",
    ),
    "reconstruction": (
        "Reconstruction",
        "Of held-out images: mean absolute difference to the drawing (l1, brightness from 0 to 1) "
        "and structural similarity (ssim); pcaN_l1 is the l1 of a principal component analysis "
        "with N numbers for each image.",
    ),
    "reconstruction_by_source": ("Reconstruction by source", "The same for each source."),
    "knn_r2": (
        "R² of nearest neighbours",
        "How well the neighbours of a held-out galaxy tell its properties: 1 is exact, 0 no better "
        "than the mean. Neighbours on the sphere, in the feature vector, at random places.",
    ),
    "time_error_myr": (
        "Time since pericentre",
        "Absolute error in Myr of the posterior's median on held-out encounters, with a 95 % "
        "interval of its median (low, high); constant is that of always saying the same.",
    ),
    "mass_ratio_error_dex": ("Mass ratio", "The same of the mass ratio, in dex."),
    "coverage": (
        "Coverage",
        "Share of true values inside the central 68 and 95 % intervals: of all labels, of each.",
    ),
    "by_phase": ("By phase", "Median errors and coverage for the phases of the merger."),
    "by_camera": ("By camera", "The same by the inclination of the camera against the orbit."),
    "leaky_split": ("Split by snapshot", "The same network under a split that leaks."),
    "real": (
        "Runs and real images",
        "Median errors on sets that the network was not made for, as far as truth is known.",
    ),
    "view_angle_deg": (
        "View angle",
        "Median degrees on the sphere between two views of one held-out galaxy (same) and between "
        "images of two galaxies (other).",
    ),
}
#: Metrics whose inner keys are the rows of their table.
_BY_INNER = {"knn_r2"}


def metrics_page(metrics: dict[str, Any], run: str) -> str:
    """The contents of ``metrics.json`` as a page: a section for each metric, with its notes."""
    return page(f"Metrics of the run {run}", _body(metrics))


def _body(metrics: dict[str, Any]) -> Iterator[str]:
    yield '<p class="quiet">A dash stands for a value that is missing; the notes say why.</p>'
    notes = metrics.get("notes", {})
    told = {"notes"}
    if is_of_survey(metrics):
        sections, told = survey_sections(metrics)
        yield from sections
    elif is_of_sersic(metrics):
        sections, told = sersic_sections(metrics)
        yield from sections
    for key, value in metrics.items():
        if key in told:
            continue
        title, about = _ABOUT.get(key, (key.replace("_", " ").capitalize(), ""))
        yield Markup(f"<h2>{text(title)} <code class='quiet'>{text(key)}</code></h2>")
        if about:
            yield f"<p>{about}</p>"
        yield _table(key, value)
        yield from notes_on(key, notes)


def _table(key: str, value: Any) -> Markup:
    if not isinstance(value, dict):
        return table(["", "value"], [[key, number(value)]], numbers=[1])
    if not any(isinstance(inner, dict) for inner in value.values()):
        return table(["", "value"], [[k, number(v)] for k, v in value.items()], numbers=[1])
    grid = {
        name: inner if isinstance(inner, dict) else {"": inner} for name, inner in value.items()
    }
    columns = list(dict.fromkeys(name for inner in grid.values() for name in inner))
    if key in _BY_INNER:
        grid = {row: {name: grid[name].get(row) for name in grid} for row in columns}
        columns = list(value)
    rows = [[name, *(number(inner.get(c)) for c in columns)] for name, inner in grid.items()]
    return table(["", *columns], rows, numbers=range(1, len(columns) + 1))
