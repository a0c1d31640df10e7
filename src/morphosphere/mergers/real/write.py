"""Real images of mergers into an ImageSet, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.collect import Table
from morphosphere.collect.fault import Fault
from morphosphere.collect.items import Item, Reject, find
from morphosphere.config.collect import SurveySettings
from morphosphere.config.merger_sources import RealMergersSettings
from morphosphere.errors import InputError
from morphosphere.mergers.real.image import Frame, frame_image
from morphosphere.mergers.real.known import Known, known_of, table_of
from morphosphere.mergers.real.masses import mass_ratio
from morphosphere.mergers.real.models import NONE, Models, read_models

#: Columns that real images have only where a table says them.
LABELS = (
    "time_since_pericentre",
    "size_ratio",
    "separation",
    "pericentre",
    "eccentricity",
    "time_of_coalescence",
    "inclination",
)
_ABOUT = {
    "separation_projected": ("kpc", "Distance of the nuclei on the sky"),
    "separation_light": ("kpc", "Distance on the sky of the two brightest compact peaks of light"),
    "mass_ratio_low": ("", "Lower bound of mass_ratio"),
    "mass_ratio_high": ("", "Upper bound of mass_ratio"),
    "masses_within_bounds": ("", "Whether both masses lie within their stated bounds"),
    "nuclei_in_image": ("", "How many of the stated nuclei lie in the file's image"),
    "nuclei_on_light": ("", "Whether there is light at both stated nuclei"),
    "nucleus_1_x": ("pix", "First nucleus, from the left edge of the image"),
    "nucleus_1_y": ("pix", "First nucleus, from the top edge of the image"),
    "nucleus_2_x": ("pix", "Second nucleus, from the left edge of the image"),
    "nucleus_2_y": ("pix", "Second nucleus, from the top edge of the image"),
    "covered": ("", "Share of the frame that the file's image covers; the rest is zero"),
    "masked": ("", "Share of the file's pixels that were taken out as stars or other objects"),
    "bad_pixels": ("", "Fraction of the file's pixels that are NaN or infinite"),
    "model_count": ("", "Number of best-scored encounter models that count"),
    "model_score": ("", "Least score among these encounter models"),
    "model_time": ("Myr", "Time since closest approach, median of the encounter models"),
    "model_mass_ratio": ("", "Mass ratio, median of the encounter models"),
    "model_pericentre": ("kpc", "Distance at closest approach, median of the encounter models"),
}


@dataclass
class Outcome:
    """What became of the images of a folder."""

    images: int = 0
    files: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def write_images(
    name: str,
    settings: RealMergersSettings,
    frame: Frame,
    output: Path,
    advance: Callable[[int], None] = lambda n: None,
) -> Outcome:
    """Write all images of a folder; those that cannot be used become rejects.

    Raises
    ------
    InputError
        If there is no image, or none can be used.
    """
    outcome = Outcome()
    items = items_of(settings, outcome)
    table = table_of(settings)
    attributes = {
        "source": name,
        "simulation": name,
        "pixel_scale_unit": "kpc",
        "flux": _assumption(settings),
    }
    about = {key: {"unit": unit, "description": text} for key, (unit, text) in _ABOUT.items()}
    for key in ("model_time", "model_mass_ratio", "model_pericentre"):
        for end, text in (("low", "16th percentile"), ("high", "84th percentile")):
            unit = about[key]["unit"]
            about[f"{key}_{end}"] = {"unit": unit, "description": f"{key}, {text}"}
    about |= table.about if table is not None else {}
    made = 0
    with ImageSetWriter(
        output,
        channels=frame.channels,
        size=frame.size,
        unit="nmgy/arcsec2" if settings.pixels == "magnitudes" else "",
        attributes=attributes,
        about=about,
    ) as writer:
        for item in items:
            try:
                known = known_of(item, table, settings)
                image, facts = frame_image(item, known, settings, frame)
                row = _row(name, item, known, facts, table, settings)
                writer.append(image[None], {key: [value] for key, value in row.items()})
                made += 1
                _remark(item, row, outcome)
            except (Fault, OSError) as fault:
                outcome.rejects.append(Reject(item.files[0], item.id, " ".join(str(fault).split())))
            advance(1)
        if not made:
            first = outcome.rejects[0]
            raise InputError(
                f"{settings.path}: none of {len(outcome.rejects)} images can be used; the first, "
                f"{first.file}: {first.reason}"
            )
    outcome.images = made
    return outcome


def items_of(settings: RealMergersSettings, outcome: Outcome) -> list[Item]:
    """The images of the folder, as the collect stage finds them.

    Raises
    ------
    InputError
        If there is none.
    """
    survey = SurveySettings(
        path=settings.path,
        pattern=settings.pattern,
        bands=settings.bands,
        limit=settings.limit,
    )
    found = find(survey)
    outcome.rejects += found.rejects
    items = [item for item in found.items if item.kind != "hdf5"]
    if not items:
        raise InputError(f"{settings.path}: no image that matches pattern {settings.pattern!r}")
    outcome.files = [file for item in items for file in item.files]
    return items


def _assumption(settings: RealMergersSettings) -> str:
    if settings.pixels == "magnitudes":
        return "from magnitudes, zero point 22.5"
    if settings.lupton_q is not None:
        return f"the stretch asinh(Q I)/Q of pictures, Q = {settings.lupton_q:g}, is undone"
    return "values of the file, taken as linear in flux"


def _row(
    name: str,
    item: Item,
    known: Known,
    facts: dict[str, Any],
    table: Table | None,
    settings: RealMergersSettings,
) -> dict[str, Any]:
    identifier = f"{name}_{item.id}"
    ratio = mass_ratio(known, settings)
    encounter = settings.is_encounter
    row: dict[str, Any] = {
        "image_id": identifier,
        "galaxy_id": identifier,
        "encounter_id": identifier,
        "source": name,
        "file": str(Path(item.files[0]).relative_to(settings.path)),
        "is_encounter": np.nan if encounter is None else float(encounter),
        "phase": "",
        **dict.fromkeys(LABELS, np.nan),
        **facts,
        "mass_ratio": ratio.ratio,
        "mass_ratio_low": ratio.low,
        "mass_ratio_high": ratio.high,
        "masses_within_bounds": ratio.consistent,
    }
    if settings.encounter_models is not None:
        row |= _models(item, settings)
    if table is not None:
        for key, column in table.columns.items():
            value = column[int(table.rows_of([item.id])[0])]
            # what was measured in the frame stays: a table's pixel scale is that of the file
            place = f"table_{key}" if key in facts and key != "redshift" else key
            row[place] = str(value) if column.dtype.kind == "O" else float(value)
    return row


def _models(item: Item, settings: RealMergersSettings) -> dict[str, Any]:
    text = str(settings.encounter_models).replace("{id}", item.id)
    path = Path(item.files[0]).parent / text
    models: Models = read_models(path, settings.best_models) if path.is_file() else NONE
    out: dict[str, Any] = {"model_count": models.count, "model_score": models.score}
    for key, values in (
        ("model_time", models.time),
        ("model_mass_ratio", models.mass_ratio),
        ("model_pericentre", models.distance),
    ):
        out[key], out[f"{key}_low"], out[f"{key}_high"] = values
    return out


def _remark(item: Item, row: dict[str, Any], outcome: Outcome) -> None:
    """Say what does not fit in an image that is used all the same."""
    if row["nuclei_in_image"] < 2:
        outcome.remarks.append(
            f"{item.id}: {2 - int(row['nuclei_in_image'])} of the stated nuclei lie outside of the "
            "image; their separation is left out"
        )
    if row["nuclei_on_light"] == 0:
        outcome.remarks.append(f"{item.id}: there is no light at one of the stated nuclei")
    if row["masses_within_bounds"] == 0:
        outcome.remarks.append(
            f"{item.id}: a mass lies outside of its own bounds; the bounds of mass_ratio are "
            "widened to hold the ratio of the masses"
        )
    if row["covered"] < 0.5:
        outcome.remarks.append(
            f"{item.id}: the image covers {row['covered']:.0%} of the frame; the rest is zero"
        )
