"""All forms of the catalogue, one after the other, from the one that is Parquet."""

from __future__ import annotations

import shutil
from pathlib import Path

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_catalogue import CatalogueSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.surveys.catalogue.hats import write_hats
from morphosphere.surveys.catalogue.hips import OnSphere, write_hips
from morphosphere.surveys.catalogue.table import Contents
from morphosphere.surveys.facts import ModelFacts
from morphosphere.tables.fits import write_fits
from morphosphere.tables.records import Layout
from morphosphere.tables.votable import write_votable

#: Where each form lies below the output.
PLACES = {
    "fits": "catalogue.fits",
    "votable": "catalogue.vot",
    "hats": "hats",
    "hips_sky": "hips_sky",
    "hips_sphere": "hips_sphere",
}


def make_catalogue(
    *,
    images: Path,
    predictions: Path,
    model: Path,
    placed: Path | None,
    output: Path,
    settings: CatalogueSettings,
) -> dict[str, object]:
    """Write all forms below `output`; return facts for the run record.

    Parameters
    ----------
    images : Path
        ImageSet of the target survey, with what is known of its galaxies.
    predictions : Path
        Of surveys.predict, for the same images in the same order.
    model : Path
        The ModelBundle that made them.
    placed : Path or None
        A Catalogue with lon and lat of the same images on the sphere of morphology.
    output : Path
        A folder. Forms that an earlier run made and that are not asked for are removed.
    settings : CatalogueSettings

    Raises
    ------
    InputError
        If the inputs do not belong together, or positions are missing.
    ConfigError
        If a column that the settings name cannot be had.
    """
    path = output / "catalogue.parquet"
    with ImageSet(images) as source:
        contents = Contents(
            source, Catalogue(predictions), ModelFacts.load(model), placed, settings
        )
        if settings.hips:
            _check_rank(settings.hips_rank, contents.numbers)
        facts = contents.write(path)
    made = list(settings.formats)
    if facts["without_position"] == facts["rows"] and (settings.hips or "hats" in made):
        raise InputError(
            f"{images}: no galaxy has a position on the sky ({settings.ra}, {settings.dec}); "
            "correct them, or set transfer.catalogue.hips to false and take hats out of its formats"
        )
    catalogue = Catalogue(path)
    if {"fits", "votable"} & set(made):
        layout = Layout.of(catalogue)
        if "fits" in made:
            write_fits(output / PLACES["fits"], catalogue, layout, settings.title)
        if "votable" in made:
            write_votable(output / PLACES["votable"], catalogue, layout, settings.title)
    if "hats" in made:
        facts["hats_partitions"] = write_hats(
            output / PLACES["hats"], path, title=settings.title, limit=settings.hats_rows
        )
    if settings.hips:
        for name, on in OnSphere.all(path, placed is not None).items():
            facts[f"{name}_order"] = write_hips(output / PLACES[name], on, name, settings.of_hips)
            made.append(name)
    for name in PLACES.keys() - set(made):
        _remove(output / PLACES[name])
    return facts


def _check_rank(rank: str, numbers: list[str]) -> None:
    if rank.removeprefix("-") not in numbers:
        raise ConfigError(
            f"transfer.catalogue.hips_rank: {rank!r} is no number of the catalogue; "
            f"choose one of {', '.join(numbers)}"
        )


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
