"""From pictures of simulated galaxies to a survey: those in its footprint, with positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.config.survey_mock import MockSurveySettings
from morphosphere.errors import InputError
from morphosphere.progress import progress
from morphosphere.surveys import expressions
from morphosphere.surveys.mock.sky import inside, place, scattered
from morphosphere.surveys.mock.votes import sureness, vote

CHUNK = 256
#: Unit of pixels of which apparent magnitudes are taken, and the magnitude of one.
FLUX_UNIT, ZERO_POINT = "nmgy", 22.5
ABOUT = {
    "ra": {"unit": "deg", "description": "Right ascension (ICRS)", "ucd": "pos.eq.ra;meta.main"},
    "dec": {"unit": "deg", "description": "Declination (ICRS)", "ucd": "pos.eq.dec;meta.main"},
    "magnitude": {
        "unit": "mag",
        "description": "AB magnitude of all light in the image, in the band r or the first",
        "ucd": "phot.mag",
    },
    "truth": {
        "description": "What the galaxy is: smooth or featured; for checks, nothing learns it",
        "ucd": "meta.code.class",
    },
    "p_smooth": {"description": "Share of the votes for smooth", "ucd": "stat.value"},
    "p_featured": {"description": "Share of the votes for featured", "ucd": "stat.value"},
    "p_artifact": {"description": "Share of the votes for artefact", "ucd": "stat.value"},
    "votes": {"description": "Number of votes", "ucd": "meta.number"},
}
#: Attributes that hold of the whole set of pictures, not of those that a survey sees.
_OF_THE_WHOLE = ("format", "version", "channels", "unit", "source", "n_parts", "parts_digest")


def observe(
    images: Path, output: Path, *, survey: str, settings: MockSurveySettings, seed: int
) -> dict[str, Any]:
    """Write the survey's ImageSet; return counts for the record.

    Parameters
    ----------
    images : Path
        ImageSet of rendered galaxies, of which the survey sees those in its footprint.
    output : Path
    survey : str
        ``labelled`` or ``target``.
    settings : MockSurveySettings
    seed : int
        Of votes and astrometric errors; the sky is the same for all seeds.

    Raises
    ------
    InputError
        If no image is in the footprint, or the class of a galaxy is not known.
    """
    with ImageSet(images) as source:
        names = _objects(source)
        ra, dec = place(names, settings.sky)
        seen = inside(ra, dec, getattr(settings, survey))
        both = inside(ra, dec, settings.labelled) & inside(ra, dec, settings.target)
        if not seen.any():
            raise InputError(
                f"{images}: none of its {len(names)} images is in the footprint of the {survey} "
                f"survey; make `{survey}` larger, or `sky` smaller"
            )
        featured = _truth(source, settings.featured)
        made = _columns(source, names, featured, survey, settings, seed)
        made["ra"], made["dec"] = ra, dec
        if survey == "target" and settings.astrometric_error:
            made["ra"], made["dec"] = scattered(
                ra, dec, names, error=settings.astrometric_error, seed=seed
            )
        _copy(source, output, seen, made, survey)
    return {
        "survey": survey,
        "images": int(seen.sum()),
        "of": len(names),
        "overlap": int(both.sum()),
        "featured": int(featured[seen].sum()),
    }


def _objects(source: ImageSet) -> list[str]:
    """Name of the object on the sky that each image shows: a galaxy, seen by a camera."""
    if "camera" not in source.columns:
        return list(source.column("image_id"))
    pairs = zip(source.column("galaxy_id"), source.column("camera"))
    return [f"{galaxy}/{camera}" for galaxy, camera in pairs]


def _truth(source: ImageSet, expression: str) -> np.ndarray:
    key = "featured"
    expressions.check_names(expression, source.columns, key=key, where=source.path)
    columns = {name: source.column(name) for name in expressions.names_of(expression)}
    for name, values in columns.items():
        if unknown := int(expressions.missing(values).sum()):
            raise InputError(
                f"{source.path}: {unknown} images have no value of {name!r}, so that their class "
                f"is not known; give another expression for `{key}` ({expression})"
            )
    if not columns:
        raise InputError(f"{key}: {expression!r} names no column; use some, as in 'sfr > 0.1'")
    return expressions.condition(expression, columns, key=key)


def _columns(
    source: ImageSet,
    names: list[str],
    featured: np.ndarray,
    survey: str,
    settings: MockSurveySettings,
    seed: int,
) -> dict[str, np.ndarray]:
    """What the survey says of every object; the labelled one has votes."""
    ids = np.array([f"{survey}_{name}" for name in source.column("image_id")], dtype=object)
    made = {
        "image_id": ids,
        "source": np.full(len(ids), survey, dtype=object),
        "truth": np.where(featured, "featured", "smooth").astype(object),
    }
    if survey == "labelled":
        none = np.full(len(ids), np.nan)
        known = [
            source.column(name) if name in source.columns else none
            for name in ("stellar_mass", "half_light_radius")
        ]
        made |= vote(
            names,
            featured,
            sureness(*known, settings.sureness),
            volunteers=settings.volunteers,
            artifact=settings.artifact,
            seed=seed,
        )
    return made


def _copy(
    source: ImageSet, output: Path, seen: np.ndarray, made: dict[str, np.ndarray], survey: str
) -> None:
    """Write the rows that are seen, chunk by chunk."""
    about = {name: source.column_attributes(name) for name in source.columns} | ABOUT
    unit = str(source.attributes.get("unit", ""))
    measured = ("magnitude",) if unit == FLUX_UNIT else ()
    kept = [name for name in source.columns if name not in (*made, *measured)]
    band = source.channels.index("r") if "r" in source.channels else 0
    own = {k: value for k, value in source.attributes.items() if k not in _OF_THE_WHOLE}
    with (
        ImageSetWriter(
            output,
            channels=source.channels,
            size=source.size,
            dtype=source.images.dtype,
            unit=unit,
            attributes=own | {"source": survey},
            about=about,
        ) as out,
        progress("copy images", len(source)) as advance,
    ):
        for start, images in source.chunks(CHUNK):
            rows = slice(start, start + len(images))
            take = seen[rows]
            advance(len(images))
            if not take.any():
                continue
            table = {name: source.column(name, rows)[take] for name in kept}
            table |= {name: values[rows][take] for name, values in made.items()}
            if measured:
                table["magnitude"] = _magnitude(images[take, band])
            out.append(images[take], table)


def _magnitude(images: np.ndarray) -> np.ndarray:
    """AB magnitude of the flux in nanomaggies of images (n, H, W); NaN where it is not positive."""
    flux = images.sum(axis=(1, 2), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(flux > 0, ZERO_POINT - 2.5 * np.log10(flux), np.nan).astype(np.float32)
