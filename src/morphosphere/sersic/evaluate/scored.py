"""Galaxies with their true parameters and with what a network or a fitter tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from scipy.linalg import solve_triangular

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError
from morphosphere.sersic.evaluate.quantities import ANGLE, ROUND, Quantity
from morphosphere.structure.parameters import Space

#: What is told of each parameter: columns ``<parameter>_<key>`` of the predictions.
TOLD = ("median", "std", "low68", "high68", "low95", "high95")
#: Columns about the image, read where they are there.
ABOUT = ("snr", "zero_point", "pixel_size", "sky_noise", "gain", "psf", "stamp_size", "neighbours")


@dataclass(frozen=True)
class Scored:
    """Galaxies with truth and with what is told of them.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the ImageSet.
    ids : ndarray of str, shape (n,)
        ``image_id``.
    truth : dict
        Column to true values (n,); NaN where not known.
    told : dict
        Column to {key of `TOLD`: values (n,)}; NaN where nothing is told.
    about : dict
        Those of `ABOUT` that are known, and ``use`` of real images.
    flags : ndarray of int, shape (n,)
        Bits of `morphosphere.structure.flags`.
    latent : ndarray, shape (n, P)
        Means of the posteriors of the latent parameters (`morphosphere.structure.parameters`).
    covariance : ndarray, shape (n, P, P)
        Of these posteriors; NaN in both where nothing is told.
    """

    rows: np.ndarray
    ids: np.ndarray
    truth: dict[str, np.ndarray]
    told: dict[str, dict[str, np.ndarray]]
    about: dict[str, np.ndarray]
    flags: np.ndarray
    latent: np.ndarray
    covariance: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def sound(self) -> np.ndarray:
        """Whether no flag is set, shape (n,)."""
        return self.flags == 0

    def take(self, chosen: np.ndarray) -> Scored:
        """Some of the galaxies, by a mask or by their places."""
        return Scored(
            self.rows[chosen],
            self.ids[chosen],
            {name: values[chosen] for name, values in self.truth.items()},
            {
                name: {key: values[chosen] for key, values in told.items()}
                for name, told in self.told.items()
            },
            {name: values[chosen] for name, values in self.about.items()},
            self.flags[chosen],
            self.latent[chosen],
            self.covariance[chosen],
        )

    def error(self, quantity: Quantity) -> np.ndarray:
        """Told median minus truth on the quantity's scale, shape (n,); NaN where not known.

        Of the position angle, galaxies with a true axis ratio above `ROUND` have no error.
        """
        error = quantity.difference(
            self.told[quantity.column]["median"], self.truth[quantity.column]
        )
        if quantity is ANGLE:
            return np.where(self.truth["axis_ratio"] <= ROUND, error, np.nan)
        return error

    def told_of(self, quantity: Quantity) -> np.ndarray:
        """Whether something is told of galaxies whose truth is known, else NaN; shape (n,)."""
        told = np.isfinite(quantity.value(self.told[quantity.column]["median"]))
        return np.where(np.isfinite(quantity.value(self.truth[quantity.column])), told, np.nan)

    def inside(self, column: str, interval: str) -> np.ndarray:
        """1 where an interval holds the truth, 0 where not, NaN where one is not known.

        Intervals of the position angle are measured from the median, the shorter way, so that one
        across 0 is no other than elsewhere.
        """
        true, told = self.truth[column], self.told[column]
        low, high, middle = (told[key] for key in (f"low{interval}", f"high{interval}", "median"))
        if column == ANGLE.column:
            low, high, true = (ANGLE.difference(end, middle) for end in (low, high, true))
            low, high = np.where(low > 0, low - 180, low), np.where(high < 0, high + 180, high)
        known = np.isfinite(low) & np.isfinite(high) & np.isfinite(true)
        return np.where(known, (low <= true) & (true <= high), np.nan)

    def deviation(self, space: Space) -> np.ndarray:
        """Told minus true latent parameters, shape (n, P); NaN where one of them is not known."""
        if not {"zero_point", "pixel_size"} <= self.about.keys():
            return np.full_like(self.latent, np.nan)
        scale = (self.about[key].astype(np.float64) for key in ("zero_point", "pixel_size"))
        return self.latent - space.to_latent(self.truth, *scale)


def mahalanobis(away: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance of vectors (n, P) for covariances (n, P, P), shape (n,).

    NaN where one of them is not finite, or the covariance is not positive definite.
    """
    out = np.full(len(away), np.nan)
    known = np.isfinite(away).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2))
    for k in np.flatnonzero(known):
        try:
            factor = np.linalg.cholesky(covariance[k])
        except np.linalg.LinAlgError:
            continue
        out[k] = np.sum(solve_triangular(factor, away[k], lower=True) ** 2)
    return out


def read_scored(path: Path, space: Space, *, test_only: bool = True) -> Scored:
    """Galaxies of a table of predictions: those of the split ``test``, or all of them.

    Raises
    ------
    InputError
        If the table lacks a column: it is of another stage, or of other parameters.
    """
    catalogue = Catalogue(path)
    told = {c: [f"{c}_{key}" for key in TOLD] for c in space.columns}
    needed = [
        *chain.from_iterable(told.values()),
        "image_id",
        "flags",
        "split",
        "latent",
        "covariance",
    ]
    if missing := [name for name in needed if name not in catalogue.columns]:
        raise InputError(
            f"{path}: no column {missing[0]!r}; predict the images with a model of "
            f"{space.components} component{'s' * (space.components > 1)}"
        )
    there = [n for n in (*space.columns, *ABOUT, "use") if n in catalogue.columns]
    found = catalogue.read([*needed, *there])
    if test_only:
        rows = np.flatnonzero(found["split"] == "test")
        found = {name: values[rows] for name, values in found.items()}
    else:
        rows = np.arange(len(catalogue))
    nothing, size = np.full(len(rows), np.nan), len(space.latents)
    return Scored(
        rows=rows,
        ids=found["image_id"].astype(str),
        truth={c: found.get(c, nothing).astype(np.float64) for c in space.columns},
        told={
            c: {key: found[name].astype(np.float64) for key, name in zip(TOLD, names)}
            for c, names in told.items()
        },
        about={name: found[name] for name in (*ABOUT, "use") if name in found},
        flags=found["flags"].astype(np.int64),
        latent=found["latent"].astype(np.float64),
        covariance=found["covariance"].astype(np.float64).reshape(len(rows), size, size),
    )
