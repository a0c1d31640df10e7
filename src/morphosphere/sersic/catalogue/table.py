"""What the catalogue holds: one row per galaxy, written as Parquet."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import numpy as np
from astropy import units

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.config.sersic_catalogue import SersicCatalogueSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.progress import log, progress
from morphosphere.structure.intervals import interval_columns
from morphosphere.structure.parameters import Space
from morphosphere.tables.names import check_distinct, plain_name

#: Rows in memory at a time.
ROWS = 16384
_ABOUT = {
    "id": {"description": "Identifier of the image", "ucd": "meta.id;meta.main"},
    "galaxy_id": {"description": "Identifier of the galaxy", "ucd": "meta.id"},
    "ra": {"unit": "deg", "description": "Right ascension (ICRS)", "ucd": "pos.eq.ra;meta.main"},
    "dec": {"unit": "deg", "description": "Declination (ICRS)", "ucd": "pos.eq.dec;meta.main"},
}
_AFTER = (
    "flags", "sound", "neighbour_share", "neighbour_noise", "domain_distance", "split",
    "model_version", "covariance",
)  # fmt: skip


class Contents:
    """The columns of a catalogue and where they come from.

    Parameters
    ----------
    predictions : Catalogue
        Of sersic.predict.
    settings : SersicCatalogueSettings

    Raises
    ------
    InputError
        If the predictions are of another stage.
    ConfigError
        If `settings.columns` names a column that cannot be had.
    """

    def __init__(self, predictions: Catalogue, settings: SersicCatalogueSettings) -> None:
        self._predictions, self._settings = predictions, settings
        if predictions.metadata.get("task") != "sersic":
            raise InputError(
                f"{predictions.path}: no structural parameters; give what sersic.predict wrote"
            )
        space = Space(int(predictions.metadata["components"]))
        # Name in the catalogue to name in the predictions.
        self._from = {"id": "image_id", "galaxy_id": "galaxy_id", **self._positions()}
        names = [*interval_columns(space), *_AFTER]
        if missing := [name for name in names if name not in predictions.columns]:
            raise InputError(
                f"{predictions.path}: no column {missing[0]!r}; predict these images again"
            )
        self._from |= {name: name for name in names}
        self._from |= self._extra()
        check_distinct(
            list(self._from), predictions.path, "leave one out of sersic.catalogue.columns"
        )
        self.about = {new: predictions.about(old) for new, old in self._from.items()}
        self.about |= {name: about for name, about in _ABOUT.items() if name in self._from}

    def write(self, path: Path) -> dict[str, object]:
        """Write the table; return facts of it."""
        known = self._predictions.metadata
        metadata = {name: known[name] for name in ("model_version", "band", "components")}
        metadata |= {"title": self._settings.title, "creator": self._settings.creator}
        facts = dict.fromkeys(("rows", "sound", "without_position"), 0)
        with (
            CatalogueWriter(path, metadata) as out,
            progress("catalogue", len(self._predictions)) as advance,
        ):
            read = list(dict.fromkeys(self._from.values()))
            for batch in self._predictions.batches(read, ROWS):
                count = len(batch["image_id"])
                columns = {new: batch[old] for new, old in self._from.items()}
                if "ra" in columns:
                    columns |= self._sky(columns["ra"], columns["dec"])
                    lost = ~(np.isfinite(columns["ra"]) & np.isfinite(columns["dec"]))
                    facts["without_position"] += int(lost.sum())
                if not self._settings.flagged:
                    kept = columns["sound"].astype(bool)
                    columns = {name: values[kept] for name, values in columns.items()}
                facts["rows"] += len(columns["id"])
                facts["sound"] += int(columns["sound"].sum())
                if len(columns["id"]):
                    out.append(columns, self.about)
                advance(count)
            if not facts["rows"]:
                raise InputError(
                    f"{self._predictions.path}: no galaxy is sound, so the catalogue would be "
                    "empty; look at their flags, or set sersic.catalogue.flagged to true"
                )
        if "ra" not in self._from:
            facts.pop("without_position")
        elif facts["without_position"]:
            log(f"{facts['without_position']} galaxies have no position on the sky")
        return {**facts, "model_version": metadata["model_version"]}

    def _positions(self) -> dict[str, str]:
        names = {"ra": self._settings.ra, "dec": self._settings.dec}
        return names if set(names.values()) <= set(self._predictions.columns) else {}

    def _sky(self, ra: np.ndarray, dec: np.ndarray) -> dict[str, np.ndarray]:
        """Positions in degrees, NaN where there is none; right ascension from 0 to 360."""
        found = {}
        for name, values in (("ra", ra), ("dec", dec)):
            unit = self._predictions.about(self._from[name]).get("unit") or "deg"
            values = units.Quantity(np.asarray(values, np.float64), unit).to_value(units.deg)
            found[name] = np.where(np.isfinite(values), values, np.nan)
        if (np.abs(found["dec"]) > 90).any():
            raise InputError(
                f"{self._predictions.path}: {self._from['dec']} is beyond 90 degrees; correct the "
                "table of the images"
            )
        return {"ra": found["ra"] % 360.0, "dec": found["dec"]}

    def _extra(self) -> dict[str, str]:
        """Columns that are carried over, those whose name is taken as ``input_<name>``."""
        known = self._predictions.columns
        for name in self._settings.columns:
            if name not in known:
                near = get_close_matches(name, known) or known
                raise ConfigError(
                    f"sersic.catalogue.columns: {self._predictions.path} has no column {name!r}; "
                    f"did you mean {', '.join(near)}?"
                )
            if name in self._from or name == "image_id":
                raise ConfigError(
                    f"sersic.catalogue.columns: {name!r} is in the catalogue anyway; leave it out"
                )
        return {plain_name(name): name for name in self._settings.columns}
