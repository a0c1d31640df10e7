"""Images that had no part in training, with what is true of them and what the model says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, UNSEEN, split_of
from morphosphere.errors import InputError
from morphosphere.mergers.predict.catalogue import quantiles_of
from morphosphere.mergers.reading import MergerModel
from morphosphere.posterior import QUANTILES, Label

#: Columns that are read where they are there.
_ABOUT = (
    "image_id", "galaxy_id", "encounter_id", "phase", "camera", "inclination", "snapshot",
    "separation", "is_encounter", "mass_ratio_low", "mass_ratio_high",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Images with truth and posterior.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the ImageSet.
    truth : dict
        Label to true values (n,); NaN where not known.
    said : dict
        Label to {quantile name of `posterior.QUANTILES`: values (n,)}.
    about : dict
        Other columns, as far as they are there.
    outlier : ndarray of bool, shape (n,)
    """

    rows: np.ndarray
    truth: dict[str, np.ndarray]
    said: dict[str, dict[str, np.ndarray]]
    about: dict[str, np.ndarray]
    outlier: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> Held:
        """Some of the images."""
        return Held(
            self.rows[chosen],
            {name: values[chosen] for name, values in self.truth.items()},
            {
                name: {key: values[chosen] for key, values in said.items()}
                for name, said in self.said.items()
            },
            {name: values[chosen] for name, values in self.about.items()},
            self.outlier[chosen],
        )

    @property
    def encounters(self) -> Held:
        """Those that show encounters, or of which it is not known."""
        shown = self.about.get("is_encounter")
        return self if shown is None else self.take(~(shown == 0))


def from_catalogue(path: str, labels: tuple[Label, ...], *, test_only: bool = True) -> Held:
    """Held-out images of a Catalogue of predictions, or all of its images.

    Raises
    ------
    InputError
        If it is not a Catalogue of predictions of mergers.
    """
    catalogue = Catalogue(path)
    names = [label.name for label in labels]
    quantiles = [f"{name}_{key}" for name in names for key in QUANTILES]
    there = [name for name in (*names, *_ABOUT) if name in catalogue.columns]
    wanted = list(dict.fromkeys([*quantiles, *there, "outlier", "split"]))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    rows, start = [], 0
    for batch in catalogue.batches(wanted):
        n = len(batch["split"])
        kept = np.isin(batch["split"], ["test", UNSEEN]) if test_only else np.ones(n, bool)
        rows.append(start + np.flatnonzero(kept))
        for name in wanted:
            parts[name].append(batch[name][kept])
        start += n
    found = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    unknown = np.full(len(found["split"]), np.nan)
    return Held(
        rows=np.concatenate(rows),
        truth={name: found.get(name, unknown).astype(np.float64) for name in names},
        said={name: {key: found[f"{name}_{key}"] for key in QUANTILES} for name in names},
        about={name: found[name] for name in _ABOUT if name in found},
        outlier=found["outlier"].astype(bool),
    )


def from_images(images: ImageSet, model: MergerModel, *, split_by: str, chunk: int = 256) -> Held:
    """Test images of a split by some column, read by a model; `chunk` of them at a time.

    Raises
    ------
    InputError
        If there are none.
    """
    split = split_of(images.column(split_by))
    rows = np.flatnonzero(split == SPLITS.index("test"))
    if not len(rows):
        raise InputError(
            f"{images.path}: no image is held out under the split by {split_by}; add encounters, "
            "or set mergers.leaky_split to false"
        )
    names = [label.name for label in model.labels]
    said: dict[str, list[np.ndarray]] = {}
    outlier = []
    for part, pictures in pieces(images, rows, chunk):
        reading = model.read(model.bundle.transform(pictures))
        for name, values in quantiles_of(reading, model.labels).items():
            said.setdefault(name, []).append(values)
        outlier.append(reading.outlier)
        del part
    joined = {name: np.concatenate(values) for name, values in said.items()}
    unknown = np.full(len(images), np.nan)
    truth = {n: images.column(n) if n in images.columns else unknown for n in names}
    return Held(
        rows=rows,
        truth={name: np.asarray(values, dtype=np.float64)[rows] for name, values in truth.items()},
        said={name: {key: joined[f"{name}_{key}"] for key in QUANTILES} for name in names},
        about={name: images.column(name)[rows] for name in _ABOUT if name in images.columns},
        outlier=np.concatenate(outlier),
    )


def pieces(
    images: ImageSet, rows: np.ndarray, chunk: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Stored images at `rows` (ascending), `chunk` at a time, with their rows."""
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        low, high = int(part[0]), int(part[-1]) + 1
        if high - low <= 4 * len(part):  # a long piece is quicker than many short ones
            yield part, images.read(low, high)[part - low]
        else:
            yield part, images.images[part]
