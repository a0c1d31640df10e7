"""What the stage reads: images, their catalogue, and the model, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.bundle import unit_vector
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.codes import galaxy_codes
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import LABELS, UNSEEN, split_of
from morphosphere.errors import ConfigError, InputError
from morphosphere.evaluate.regression import Property, as_property, is_property
from morphosphere.predict.placement import Model

_BLOCK = 16384
_SPLIT_NUMBER = {name: number for number, name in enumerate(LABELS)}
#: Splits of images that had no part in training.
HELD_OUT = ("test", UNSEEN)
_NEEDED = (
    "image_id", "galaxy_id", "lon", "lat", "reconstruction_error", "outlier_score", "split",
    "features", "neighbours",
)  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """A finished map, opened for reading.

    Attributes
    ----------
    images : ImageSet
    catalogue : Catalogue
        Row n is image n.
    model : Model
    position : ndarray, shape (N, 3)
        Unit vectors on the sphere.
    galaxies : ndarray of int64, shape (N,)
        The galaxy that each image shows.
    split : ndarray of int8, shape (N,)
        Index into `LABELS`.
    fold : ndarray of int8, shape (N,)
        Index into `SPLITS`: what the galaxy's identifier alone says, for unseen images too. It
        keeps galaxies apart where properties are estimated from neighbours.
    """

    images: ImageSet
    catalogue: Catalogue
    model: Model
    position: np.ndarray
    galaxies: np.ndarray
    split: np.ndarray
    fold: np.ndarray

    @classmethod
    def open(cls, *, images: Path, catalogue: Path, model: Path) -> Inputs:
        """Open and compare the three.

        Raises
        ------
        InputError
            If they do not belong together, or a column is missing.
        """
        pictures, rows = ImageSet(images), Catalogue(catalogue)
        if missing := [name for name in _NEEDED if name not in rows.columns]:
            raise InputError(
                f"{catalogue}: no column {', '.join(missing)}; run the predict stage again"
            )
        if len(pictures) != len(rows):
            raise InputError(
                f"{catalogue}: {len(rows)} rows, but {images} has {len(pictures)} images; "
                "run the predict stage again on these images"
            )
        network = Model.load(model, device="cpu")
        network.check_channels(pictures)
        position = np.empty((len(rows), 3))
        galaxies = np.empty(len(rows), np.int64)
        split = np.empty(len(rows), np.int8)
        fold = np.empty(len(rows), np.int8)
        start = 0
        # Names are compared and forgotten in pieces: numbers alone are kept for all images.
        for batch in rows.batches(["image_id", "galaxy_id", "lon", "lat", "split"], _BLOCK):
            part = slice(start, start + len(batch["lon"]))
            _same_images(pictures, rows, batch["image_id"], start)
            position[part] = unit_vector(batch["lon"], batch["lat"])
            galaxies[part] = galaxy_codes(batch["galaxy_id"])
            split[part] = [_SPLIT_NUMBER.get(name, -1) for name in batch["split"]]
            unseen = split[part] == _SPLIT_NUMBER[UNSEEN]
            fold[part] = split[part]
            fold[part][unseen] = split_of(batch["galaxy_id"][unseen])
            start = part.stop
        return cls(pictures, rows, network, position, galaxies, split, fold)

    def __len__(self) -> int:
        return len(self.position)

    def choose(
        self, splits: tuple[str, ...], maximum: int, seed: int, *, of: np.ndarray | None = None
    ) -> np.ndarray:
        """Rows of some splits (or folds: `of`) in ascending order; at most `maximum`, by `seed`."""
        numbers = self.split if of is None else of
        rows = np.flatnonzero(np.isin(numbers, [_SPLIT_NUMBER[name] for name in splits]))
        if len(rows) > maximum:
            random = np.random.default_rng(seed)
            rows = np.sort(random.choice(rows, maximum, replace=False))
        return rows

    def unseen(self, rows: np.ndarray) -> np.ndarray:
        """Which of `rows` show sources that the model was not trained on, bool (n,)."""
        return self.split[rows] == _SPLIT_NUMBER[UNSEEN]

    def stored(self, rows: np.ndarray) -> np.ndarray:
        """Images at `rows` as stored, shape (n, C, H, W); `rows` ascend without repetition."""
        return self.images.images[rows] if len(rows) else self.images.read(0, 0)

    def transformed(self, rows: np.ndarray, chunk: int = 256) -> np.ndarray:
        """The network's images at `rows`, shape (n, C, S, S), in the order of `rows`."""
        unique, back = np.unique(rows, return_inverse=True)
        transform = self.model.bundle.transform
        out = np.empty(
            (len(unique), len(transform.channels), transform.size, transform.size), np.float32
        )
        for start in range(0, len(unique), chunk):
            part = slice(start, start + chunk)
            out[part] = transform(self.stored(unique[part]))
        return out if np.array_equal(unique, rows) else out[back]

    def columns(self, names: list[str], rows: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of the catalogue at `rows`, in the order of `rows`, read in pieces."""
        unique, back = np.unique(rows, return_inverse=True)
        parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
        start = 0
        for batch in self.catalogue.batches(names, _BLOCK):
            stop = start + len(batch[names[0]])
            here = unique[(unique >= start) & (unique < stop)] - start
            for name in names:
                parts[name].append(batch[name][here])
            start = stop
        return {name: np.concatenate(pieces)[back] for name, pieces in parts.items()}

    def properties(self, wanted: list[str] | None) -> list[Property]:
        """Numeric properties of the galaxies; those in `wanted`, or all that are no identifiers.

        Raises
        ------
        ConfigError
            If a wanted column is missing or not numeric.
        """
        if wanted is not None:
            if unknown := [name for name in wanted if name not in self.catalogue.properties]:
                raise ConfigError(
                    f"evaluate.properties: {', '.join(unknown)}: no numeric column of the "
                    f"catalogue; it has {', '.join(self.catalogue.properties)}"
                )
            names = list(wanted)
        else:
            names = [name for name in self.catalogue.properties if is_property(name)]
        columns = self.catalogue.read(names)
        found = (as_property(name, columns[name]) for name in names)
        return [item for item in found if item is not None]


def _same_images(images: ImageSet, rows: Catalogue, theirs: np.ndarray, start: int) -> None:
    ours = images.column("image_id", slice(start, start + len(theirs)))
    differ = np.flatnonzero(ours.astype(str) != theirs.astype(str))
    if len(differ):
        at = differ[0]
        raise InputError(
            f"{rows.path}: row {start + at} is image {theirs[at]}, but {images.path} has "
            f"{ours[at]} there; run the predict stage again on these images"
        )
