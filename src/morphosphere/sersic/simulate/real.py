"""Real galaxies of a GalSim RealGalaxyCatalog as truth that is no analytic profile.

Labels are from the column ``sersicfit`` of the table of fits: of the fitted profile I, the
half-light radius R along the major axis in pixels of 0.03 arcsec, n and q are numbers 0 to 3, and
the angle in radians from the x axis is number 7 (Mandelbaum et al. 2012, MNRAS 420, 1518; format as
in `galsim.COSMOSCatalog`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import galsim
import numpy as np

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.errors import InputError

_FIT_PIXEL = 0.03


class RealGalaxies:
    """Images of real galaxies, whose point-spread function can be changed for another.

    Raises
    ------
    InputError
        If the catalogue or its table of fits cannot be read or has no Sérsic fits.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        fits_path = path.with_name(f"{path.stem}_fits{path.suffix}")
        try:
            self._catalog = galsim.RealGalaxyCatalog(str(path))
        except (OSError, KeyError, ValueError, galsim.GalSimError) as error:
            raise InputError(f"{path}: cannot be read as a RealGalaxyCatalog ({error})") from None
        self._labels = _labels(fits_path, self._catalog.ident)
        #: Rows of the catalogue whose fit succeeded.
        self.rows = np.flatnonzero(np.isfinite(self._labels).all(axis=1))
        if not len(self.rows):
            raise InputError(f"{fits_path}: no galaxy of {path} has a Sérsic fit")

    def __len__(self) -> int:
        return len(self.rows)

    def label(self, number: int, *, turned: float) -> dict[str, float]:
        """Structural parameters of a galaxy that was turned by an angle in degrees."""
        magnitude, radius, index, axis_ratio, angle = self._labels[self.rows[number]]
        return {
            "magnitude": float(magnitude),
            "radius": float(radius),
            "sersic_index": float(index),
            "axis_ratio": float(axis_ratio),
            "position_angle": float((angle + turned) % 180),
        }

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
        """
        row = int(self.rows[number])
        flux = 10 ** (-0.4 * (self._labels[row][0] - settings.zero_point))
        seen = galsim.RealGalaxy(self._catalog, index=row, flux=flux)
        seen = seen.rotate(place["position_angle"] * galsim.degrees)
        image = galsim.ImageD(size, size, scale=settings.pixel_size)
        offset = (place["x_offset"], place["y_offset"])
        galsim.Convolve(seen, psf).drawImage(image, offset=offset)
        return image.array[::-1].copy()


def _labels(path: Path, identifiers: np.ndarray) -> np.ndarray:
    """Magnitude, radius, index, axis ratio and angle in degrees (n, 5); NaN where not fitted."""
    from astropy.io import fits

    try:
        with fits.open(path) as file:
            table = file[1].data
    except (OSError, IndexError) as error:
        raise InputError(f"{path}: the table of fits cannot be read ({error})") from None
    names = [] if table is None else list(table.names)
    if lacking := [n for n in ("IDENT", "mag_auto", "sersicfit") if n not in names]:
        raise InputError(
            f"{path}: no column {', '.join(lacking)}, so that the labels of its galaxies are not "
            "known; use a catalogue with Sérsic fits, or set real.catalog to null"
        )
    rows = {int(name): row for row, name in enumerate(table["IDENT"])}
    out = np.full((len(identifiers), 5), np.nan)
    for number, identifier in enumerate(identifiers):
        if (row := rows.get(int(identifier))) is None:
            continue
        fit = np.asarray(table["sersicfit"][row], dtype=np.float64)
        if fit[1] > 0 and fit[2] > 0 and 0 < fit[3] <= 1:
            out[number] = (
                table["mag_auto"][row],
                fit[1] * _FIT_PIXEL,
                fit[2],
                fit[3],
                np.rad2deg(fit[7]),
            )
    return out
