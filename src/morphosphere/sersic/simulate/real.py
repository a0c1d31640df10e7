"""Real galaxies of a GalSim RealGalaxyCatalog as truth that is no analytic profile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import galsim
import numpy as np

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.errors import InputError
from morphosphere.structure.cosmos import ZERO_POINT, fits_path, read_fits


class RealGalaxies:
    """Images of real galaxies, whose point-spread function can be changed for another.

    Parameters
    ----------
    path : path-like
        The catalogue. Labels are the Sérsic fits of the table beside it.

    Raises
    ------
    InputError
        If the catalogue or its table of fits cannot be read or has no Sérsic fits.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._catalog = galsim.RealGalaxyCatalog(self._path.name, dir=str(self._path.parent))
        except (OSError, KeyError, ValueError, galsim.GalSimError) as error:
            raise InputError(f"{path}: cannot be read as a RealGalaxyCatalog ({error})") from None
        self._labels = read_fits(fits_path(path), self._catalog.ident)
        known = np.logical_and.reduce([np.isfinite(values) for values in self._labels.values()])
        self._rows = np.flatnonzero(known)
        if not len(self._rows):
            raise InputError(f"{fits_path(path)}: no galaxy of {path} has a Sérsic fit")

    def __len__(self) -> int:
        return len(self._rows)

    def label(self, number: int, *, turned: float) -> dict[str, float]:
        """Structural parameters of a galaxy that was turned by an angle in degrees."""
        row = self._rows[number]
        found = {name: float(values[row]) for name, values in self._labels.items()}
        return found | {"position_angle": (found["position_angle"] + turned) % 180}

    def draw(
        self,
        number: int,
        place: Mapping[str, float],
        psf: galsim.GSObject,
        *,
        size: int,
        settings: SimulateSettings,
    ) -> np.ndarray:
        """The galaxy as seen through another point-spread function, (size, size), row 0 on top.

        It is turned by ``position_angle`` of `place`. The noise of the original image is still in
        it.

        Raises
        ------
        InputError
            If its image cannot be read.
        """
        row = int(self._rows[number])
        try:
            seen = galsim.RealGalaxy(self._catalog, index=row)
        except (OSError, galsim.GalSimError) as error:
            raise InputError(f"{self._path}: galaxy {row} cannot be read ({error})") from None
        seen = seen.rotate(place["position_angle"] * galsim.degrees)
        seen = seen.withScaledFlux(10 ** (0.4 * (settings.zero_point - ZERO_POINT)))
        image = galsim.ImageD(size, size, scale=settings.pixel_size)
        offset = (place["x_offset"], place["y_offset"])
        galsim.Convolve(seen, psf).drawImage(image, offset=offset)
        return image.array[::-1].copy()
