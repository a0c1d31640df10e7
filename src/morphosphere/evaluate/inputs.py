"""What the stage reads: images, their catalogue, and the model, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.bundle import unit_vector
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import ConfigError, InputError
from morphosphere.evaluate.regression import NOT_PROPERTIES, Property, as_property
from morphosphere.predict.placement import Model, Placed

_BLOCK = 65536
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
    galaxies : ndarray of int, shape (N,)
        Number of the galaxy that each image shows.
    split : ndarray of str, shape (N,)
    """

    images: ImageSet
    catalogue: Catalogue
    model: Model
    position: np.ndarray
    galaxies: np.ndarray
    split: np.ndarray

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
        _same_images(pictures, rows)
        network = Model.load(model, device="cpu")
        network.check_channels(pictures)
        place = rows.read(["lon", "lat", "split", "galaxy_id"])
        return cls(
            images=pictures,
            catalogue=rows,
            model=network,
            position=unit_vector(place["lon"], place["lat"]),
            galaxies=np.unique(place["galaxy_id"].astype(str), return_inverse=True)[1],
            split=place["split"].astype(str),
        )

    def __len__(self) -> int:
        return len(self.position)

    def choose(self, splits: tuple[str, ...], maximum: int, seed: int) -> np.ndarray:
        """Rows of some splits in ascending order; at most `maximum`, chosen by `seed`."""
        rows = np.flatnonzero(np.isin(self.split, splits))
        if len(rows) > maximum:
            random = np.random.default_rng(seed)
            rows = np.sort(random.choice(rows, maximum, replace=False))
        return rows

    def stored(self, rows: np.ndarray) -> np.ndarray:
        """Images at `rows` as stored, shape (n, C, H, W); `rows` ascend without repetition."""
        return self.images.images[rows] if len(rows) else self.images.read(0, 0)

    def transformed(self, rows: np.ndarray, chunk: int = 256) -> np.ndarray:
        """The network's images at `rows`, shape (n, C, S, S), in the order of `rows`."""
        unique, back = np.unique(rows, return_inverse=True)
        transform = self.model.bundle.transform
        out = [transform(self.stored(unique[i : i + chunk])) for i in range(0, len(unique), chunk)]
        shape = (0, len(transform.channels), transform.size, transform.size)
        return np.concatenate(out)[back] if out else np.empty(shape, np.float32)

    def placed(self, rows: np.ndarray) -> Placed:
        """What the model says of the images at `rows`."""
        return self.model.place(self.transformed(rows))

    def features(self, rows: np.ndarray) -> np.ndarray:
        """Feature vectors at ascending `rows`, read in pieces, shape (n, F)."""
        out, start = [], 0
        for batch in self.catalogue.batches(["features"], _BLOCK):
            block = batch["features"]
            here = rows[(rows >= start) & (rows < start + len(block))]
            out.append(block[here - start])
            start += len(block)
        return np.concatenate(out)

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
            names = [n for n in self.catalogue.properties if n.lower() not in NOT_PROPERTIES]
        columns = self.catalogue.read(names)
        found = (as_property(name, columns[name]) for name in names)
        return [item for item in found if item is not None]


def _same_images(images: ImageSet, rows: Catalogue) -> None:
    start = 0
    for batch in rows.batches(["image_id"], _BLOCK):
        theirs = batch["image_id"]
        ours = images.column("image_id", slice(start, start + len(theirs)))
        differ = np.flatnonzero(ours.astype(str) != theirs.astype(str))
        if len(differ):
            at = differ[0]
            raise InputError(
                f"{rows.path}: row {start + at} is image {theirs[at]}, but {images.path} has "
                f"{ours[at]} there; run the predict stage again on these images"
            )
        start += len(theirs)
