"""What the catalogue holds: one row per image of the target survey, written as Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from astropy import units

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_catalogue import CatalogueSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.progress import log, progress
from morphosphere.surveys.catalogue.places import Places
from morphosphere.surveys.facts import ModelFacts, type_columns
from morphosphere.tables.names import check_distinct, plain_name

#: Rows in memory at a time.
ROWS = 16384
#: Columns of what surveys.label adds, with what the catalogue says of them.
_KNOWN = {
    "type": {"description": "Known type", "ucd": "src.morph.type"},
    "label_origin": {
        "description": "Where the known class comes from: survey, match (carried over from the "
        "labelled survey), pseudo (of recursion), empty for none",
        "ucd": "meta.code",
    },
    "confident_label": {
        "description": "1 if the known class passes the high-confidence cut, 0 if not",
        "ucd": "meta.code",
    },
    "matched_id": {"description": "Identifier in the labelled survey", "ucd": "meta.id.cross"},
    "match_separation": {
        "unit": "arcsec",
        "description": "Distance to the matched galaxy of the labelled survey",
        "ucd": "pos.angDistance",
    },
}
_PREDICTED = ("confidence", "spread", "domain_distance", "domain_outlier")
_SKY = {
    "ra": {"unit": "deg", "description": "Right ascension (ICRS)", "ucd": "pos.eq.ra;meta.main"},
    "dec": {"unit": "deg", "description": "Declination (ICRS)", "ucd": "pos.eq.dec;meta.main"},
}
_PLACE = {
    "lon": {"unit": "deg", "description": "Longitude on the morphology sphere", "ucd": "pos"},
    "lat": {"unit": "deg", "description": "Latitude on the morphology sphere", "ucd": "pos"},
}


class Contents:
    """The columns of a catalogue and where they come from.

    Parameters
    ----------
    images : ImageSet
    predictions : Catalogue
        Of the same images in the same order.
    model : ModelFacts
    placed : Path or None
        Catalogue with places on the sphere.
    settings : CatalogueSettings

    Raises
    ------
    InputError
        If they do not belong together, or there are no positions where they are needed.
    ConfigError
        If `settings.columns` names a column that cannot be had.
    """

    def __init__(
        self,
        images: ImageSet,
        predictions: Catalogue,
        model: ModelFacts,
        placed: Path | None,
        settings: CatalogueSettings,
    ) -> None:
        self._images, self._predictions, self._model = images, predictions, model
        self._settings = settings
        self.about: dict[str, dict[str, str]] = {}
        self._from_predictions: dict[str, str] = {}
        self._check_inputs()
        self._positions = self._check_positions()
        self._places = Places(placed) if placed else None
        self._extra = self._check_extra()
        self._describe()
        check_distinct(
            list(self.about),
            predictions.path,
            "rename the class, or leave the column out of transfer.catalogue.columns",
        )

    @property
    def numbers(self) -> list[str]:
        """Names of the columns that are numbers, without identifiers and words."""
        first = next(self.rows())
        return [name for name, x in first.items() if np.asarray(x).dtype.kind in "fiu"]

    def rows(self) -> Iterator[dict[str, np.ndarray]]:
        """The table in pieces of at most `ROWS` rows, by column."""
        start = 0
        for batch in self._predictions.batches(list(self._from_predictions.values()), ROWS):
            rows = slice(start, start + len(batch["image_id"]))
            self._check_batch(batch, rows)
            yield self._columns(batch, rows)
            start = rows.stop

    def write(self, path: Path) -> dict[str, object]:
        """Write the table; return facts of it."""
        predicted: dict[str, int] = dict.fromkeys(self._model.classes, 0)
        facts = dict.fromkeys(("rows", "labelled", "without_position", "outliers"), 0)
        unplaced = 0
        metadata = {
            "title": self._settings.title,
            "creator": self._settings.creator,
            "model_version": self._model.version,
            "classes": ", ".join(self._model.classes),
        }
        with (
            CatalogueWriter(path, metadata) as out,
            progress("catalogue", len(self._predictions)) as advance,
        ):
            for columns in self.rows():
                out.append(columns, self.about)
                for name, count in zip(*np.unique(columns["predicted"], return_counts=True)):
                    predicted[name] += int(count)
                facts["rows"] += len(columns["id"])
                facts["labelled"] += int((columns["label"] != "").sum())
                facts["without_position"] += int((~np.isfinite(columns["ra"])).sum())
                facts["outliers"] += int(columns["domain_outlier"].sum())
                if self._places:
                    unplaced += int((~np.isfinite(columns["lon"])).sum())
                advance(len(columns["id"]))
            if unplaced == facts["rows"]:
                raise InputError(
                    f"{self._places.path}: has a place for none of the images of "
                    f"{self._images.path}; give the Catalogue of the same images"
                )
        for count, what in ((facts["without_position"], "the sky"), (unplaced, "the sphere")):
            if count:
                log(f"{count} of {facts['rows']} galaxies have no position on {what}")
        if self._places:
            facts["without_place"] = unplaced
        return {**facts, "predicted": predicted, "model_version": self._model.version}

    def _columns(self, batch: dict[str, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
        made = {
            "ra": self._position(0, rows),
            "dec": self._position(1, rows),
            "label": self._labels(rows),
        }
        if self._places:
            made["lon"], made["lat"] = self._places.of(batch["image_id"])
        made.update({name: batch[old] for name, old in self._from_predictions.items()})
        return {
            name: made[name] if name in made else self._images.column(name, rows)
            for name in self.about
        }

    def _labels(self, rows: slice) -> np.ndarray:
        if "label" not in self._images.columns:
            return np.full(rows.stop - rows.start, "", dtype=object)
        known = self._images.column("label", rows).astype(np.float64)
        names = np.array([*self._model.classes, ""], dtype=object)
        wrong = np.isfinite(known) & ~np.isin(known, np.arange(len(names) - 1))
        if wrong.any():
            row = rows.start + int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{self._images.path}: label {known[wrong][0]:g} in row {row} is none of the "
                f"{len(names) - 1} classes; label the survey again"
            )
        return names[np.where(np.isfinite(known), known, -1).astype(int)]

    def _position(self, axis: int, rows: slice) -> np.ndarray:
        if not self._positions:
            return np.full(rows.stop - rows.start, np.nan)
        name = self._positions[axis]
        unit = self._images.column_attributes(name).get("unit") or "deg"
        values = np.asarray(self._images.column(name, rows), dtype=np.float64)
        values = units.Quantity(values, unit).to_value(units.deg)
        values = np.where(np.isfinite(values), values, np.nan)
        if axis == 0:
            return values % 360.0
        if (np.abs(values) > 90).any():
            row = rows.start + int(np.flatnonzero(np.abs(values) > 90)[0])
            raise InputError(
                f"{self._images.path}: {name} in row {row} is {values[row - rows.start]:g}, beyond "
                "90 degrees; correct the table"
            )
        return values

    def _check_inputs(self) -> None:
        images, predictions, classes = self._images, self._predictions, self._model.classes
        wanted = ["image_id", *(f"p_{name}" for name in classes), *_PREDICTED, "model_version"]
        if not len(images):
            raise InputError(f"{images.path}: holds no images; look at the stages before")
        if missing := [name for name in wanted if name not in predictions.columns]:
            raise InputError(
                f"{predictions.path}: no column {missing[0]!r}; give what surveys.predict wrote "
                f"with {self._model.bundle.path}"
            )
        if len(images) != len(predictions):
            raise InputError(
                f"{predictions.path}: {len(predictions)} rows, but {images.path} holds "
                f"{len(images)} images; predict these images again"
            )
        told = images.attributes.get("classes")
        if told is not None and tuple(map(str, told)) != classes:
            raise InputError(
                f"{images.path}: labels of the classes {', '.join(map(str, told))}, but "
                f"{self._model.bundle.path} tells {', '.join(classes)}; train or label again"
            )

    def _check_batch(self, batch: dict[str, np.ndarray], rows: slice) -> None:
        different = batch["image_id"] != self._images.column("image_id", rows)
        if different.any():
            row = rows.start + int(np.flatnonzero(different)[0])
            raise InputError(
                f"{self._predictions.path}: row {row} is of another image than in "
                f"{self._images.path}; predict these images again"
            )
        others = set(batch["model_version"]) - {self._model.version}
        if others:
            raise InputError(
                f"{self._predictions.path}: predictions of model {sorted(others)[0]}, but "
                f"{self._model.bundle.path} is {self._model.version}; predict again"
            )

    def _check_positions(self) -> tuple[str, str] | None:
        names = self._settings.ra, self._settings.dec
        missing = [name for name in names if name not in self._images.columns]
        if not missing:
            return names
        if self._settings.hips or "hats" in self._settings.formats:
            key = "ra" if self._settings.ra in missing else "dec"
            raise InputError(
                f"{self._images.path}: no column {missing[0]!r} (transfer.catalogue.{key}), so the "
                f"galaxies have no place on the sky; it has {', '.join(self._images.columns)}. "
                "Name the column, or set transfer.catalogue.hips to false and take hats out of its "
                "formats"
            )
        return None

    def _check_extra(self) -> list[str]:
        known = self._images.columns
        for name in self._settings.columns:
            if name not in known:
                near = get_close_matches(name, known) or known
                raise ConfigError(
                    f"transfer.catalogue.columns: {self._images.path} has no column {name!r}; "
                    f"did you mean {', '.join(near)}?"
                )
        return list(dict.fromkeys(self._settings.columns))

    def _describe(self) -> None:
        """Fill `about` with all columns in their order, and say which come from predictions."""
        about, known = self.about, self._images.columns
        about["id"] = {
            "description": "Identifier of the galaxy in the target survey",
            "ucd": "meta.id;meta.main",
        }
        if "galaxy_id" in known:
            about["galaxy_id"] = {"description": "Identifier of the galaxy", "ucd": "meta.id"}
        about.update(_SKY)
        about.update(_PLACE if self._places else {})
        classes = self._model.classes
        said = ["predicted", *(f"p_{name}{end}" for end in ("", "_std") for name in classes)]
        said += [*_PREDICTED, *(x for x in type_columns() if x in self._predictions.columns)]
        about.update({plain_name(name): self._predictions.about(name) for name in said})
        about["label"] = {"description": "Known class, empty for none", "ucd": "src.class"}
        about.update({name: facts for name, facts in _KNOWN.items() if name in known})
        last = ["split", "model_version"]
        about.update({name: self._predictions.about(name) for name in last})
        self._from_predictions = {
            "id": "image_id",
            **{plain_name(name): name for name in said + last},
        }
        for name in self._extra:
            if name in about:
                raise ConfigError(
                    f"transfer.catalogue.columns: {name!r} is in the catalogue anyway; leave it out"
                )
            about[name] = self._images.column_attributes(name)
