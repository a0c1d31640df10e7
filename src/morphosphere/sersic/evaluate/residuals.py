"""Images beside the models that told parameters describe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import InputError
from morphosphere.sersic.evaluate.scored import Scored
from morphosphere.structure.model import draw
from morphosphere.structure.noise import variance
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import own_part
from morphosphere.structure.psf import PSFSet

#: Steps towards the centre of the galaxy, which the network does not tell.
_STEPS = 2
#: Parameters of an image that is compared with a model.
_NEEDED = ("zero_point", "pixel_size", "sky_noise", "gain", "psf")


@dataclass(frozen=True)
class Compared:
    """An image, the model of it and the difference over the noise, without padding.

    Attributes
    ----------
    data, model, residual : ndarray, shape (S, S)
        Of the image and the residual, masked pixels are NaN.
    sky_noise : float
    chi2 : float
        Mean of the squared residual.
    place : int
        Which of the galaxies it is.
    """

    data: np.ndarray
    model: np.ndarray
    residual: np.ndarray
    sky_noise: float
    chi2: float
    place: int


def compare(
    images: ImageSet, psfs: Path, scored: Scored, places: np.ndarray, space: Space
) -> list[Compared]:
    """Models from the told medians, at the centre where they leave the least residual.

    Parameters
    ----------
    images : ImageSet
    psfs : Path
        File of the PSFs that column ``psf`` counts.
    scored : Scored
        Galaxies of these images.
    places : ndarray of int
        Which of them; those of which not all is told or known are left out.
    space : Space

    Raises
    ------
    InputError
        If the table of the images lacks a column.
    """
    if missing := [name for name in _NEEDED if name not in scored.about]:
        raise InputError(f"{images.path}: no column {missing[0]!r}, which drawing a model needs")
    library = PSFSet.read(psfs)
    out = []
    for k in places:
        values = {c: float(scored.told[c]["median"][k]) for c in space.columns}
        about = {name: float(scored.about[name][k]) for name in _NEEDED}
        if not np.isfinite([*values.values(), *about.values()]).all():
            continue
        stored = images.images[int(scored.rows[k])][0].astype(np.float64)
        stamp = float(scored.about["stamp_size"][k]) if "stamp_size" in scored.about else np.nan
        out.append(_compared(own_part(stored, stamp), values, about, library, space, int(k)))
    return out


def _compared(
    data: np.ndarray,
    values: dict[str, float],
    about: dict[str, float],
    library: PSFSet,
    space: Space,
    place: int,
) -> Compared:
    psf = library.galsim(int(about["psf"]))

    def model_at(x: float, y: float) -> np.ndarray:
        return draw(
            values | {"x_offset": x, "y_offset": y}, psf, pixel_size=about["pixel_size"],
            size=len(data), zero_point=about["zero_point"], components=space.components,
        )  # fmt: skip

    centre = np.zeros(2)
    model = model_at(*centre)
    for _ in range(_STEPS):  # of Gauss and Newton
        noise = np.sqrt(variance(model, about["sky_noise"], about["gain"]))
        down, right = np.gradient(model)
        seen = np.isfinite(data)
        slopes = np.stack([-(right / noise)[seen], (down / noise)[seen]], axis=1)
        step = np.linalg.lstsq(slopes, ((data - model) / noise)[seen], rcond=None)[0]
        centre = np.clip(centre + np.clip(step, -1, 1), -3, 3)
        model = model_at(*centre)
    residual = (data - model) / np.sqrt(variance(model, about["sky_noise"], about["gain"]))
    return Compared(
        data, model, residual, about["sky_noise"], float(np.nanmean(residual**2)), place
    )
