"""All forms of the catalogue, one after the other, from the one that is Parquet."""

from __future__ import annotations

from pathlib import Path

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.config.sersic_catalogue import SersicCatalogueSettings
from morphosphere.sersic.catalogue.table import Contents
from morphosphere.tables.fits import write_fits
from morphosphere.tables.records import Layout
from morphosphere.tables.votable import write_votable

#: Where each form lies below the output, and what writes it.
FORMS = {"fits": ("catalogue.fits", write_fits), "votable": ("catalogue.vot", write_votable)}


def make_catalogue(
    *, predictions: Path, output: Path, settings: SersicCatalogueSettings
) -> dict[str, object]:
    """Write all forms below `output`; return facts for the run record.

    Parameters
    ----------
    predictions : Path
        Of sersic.predict.
    output : Path
        A folder. Forms that an earlier run made and that are not asked for are removed.
    settings : SersicCatalogueSettings

    Raises
    ------
    InputError
        If the predictions are of another stage.
    ConfigError
        If a column that the settings name cannot be had.
    """
    path = output / "catalogue.parquet"
    facts = Contents(Catalogue(predictions), settings).write(path)
    catalogue = Catalogue(path)
    layout = Layout.of(catalogue) if settings.formats else None
    for form, (name, write) in FORMS.items():
        if layout and form in settings.formats:
            write(output / name, catalogue, layout, settings.title)
        else:
            (output / name).unlink(missing_ok=True)
    return facts
