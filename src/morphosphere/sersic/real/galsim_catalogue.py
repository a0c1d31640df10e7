"""Galaxies of a RealGalaxyCatalog of GalSim (COSMOS), as HST saw them.

Images are in electron/s of pixels of 0.03 arcsec; the noise of neighbouring pixels is correlated by
the drizzling, as a picture of it in the catalogue says. The PSFs hold the pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table

from morphosphere.config.sersic_real import RealSettings
from morphosphere.errors import InputError
from morphosphere.sersic.real.taken import Taken, border_of
from morphosphere.structure.cosmos import NAMES, fits_path, read_fits
from morphosphere.structure.psf_files import without_pixel

_NEEDED = (
    "IDENT",
    "MAG",
    "GAL_FILENAME",
    "GAL_HDU",
    "PSF_FILENAME",
    "PSF_HDU",
    "PIXEL_SCALE",
    "NOISE_VARIANCE",
)
#: The catalogue's noise is not believed where that of the border differs by more than this factor.
_TRUST = 1.5


class Catalogue:
    """A RealGalaxyCatalog and its table of fits.

    Attributes
    ----------
    rows : ndarray of int
        Galaxies that the settings ask for.

    Raises
    ------
    InputError
        If a file or a column is missing.
    """

    def __init__(self, settings: RealSettings) -> None:
        self._settings, self.path = settings, Path(settings.path)
        self._table = _table(self.path)
        for column in ("GAL_FILENAME", "PSF_FILENAME"):
            for name in sorted({str(v).strip() for v in self._table[column]}):
                if not (self.path.parent / name).is_file():
                    raise InputError(
                        f"{self.path}: its file {name} is not beside it; get all files of the "
                        "catalogue"
                    )
        try:
            self._galaxies = galsim.RealGalaxyCatalog(self.path.name, dir=str(self.path.parent))
        except (OSError, KeyError, ValueError, galsim.GalSimError) as error:
            raise InputError(
                f"{self.path}: cannot be read as a RealGalaxyCatalog ({error})"
            ) from None
        self._labels = self._read_labels()
        rows = np.arange(len(self._table))
        if settings.faintest is not None:
            rows = rows[np.asarray(self._table["MAG"])[rows] <= settings.faintest]
        self.rows = rows[: settings.limit]
        if not len(self.rows):
            raise InputError(
                f"{self.path}: none of its {len(self._table)} galaxies is brighter than "
                f"{settings.faintest} mag (faintest)"
            )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def known(self) -> bool:
        """Whether the catalogue has structural parameters."""
        return self._labels is not None

    def __iter__(self) -> Iterator[Taken]:
        for row in self.rows:
            yield self._taken(int(row))

    def _read_labels(self) -> dict[str, np.ndarray] | None:
        if self._settings.labels in ("fit", "none"):
            return None
        path = Path(self._settings.fits or fits_path(self.path))
        if self._settings.labels == "auto" and not _has_fits(path):
            return None
        return read_fits(path, np.asarray(self._table["IDENT"]))

    def _taken(self, row: int) -> Taken:
        one = self._table[row]
        try:
            image = np.asarray(self._galaxies.getGalImage(row).array, dtype=np.float64)
            psf = np.asarray(self._galaxies.getPSFImage(row).array, dtype=np.float64)
        except (OSError, IndexError, galsim.GalSimError) as error:
            raise InputError(
                f"{self.path}: galaxy {one['IDENT']} cannot be read ({error})"
            ) from None
        scale = float(one["PIXEL_SCALE"])
        if not scale > 0:
            raise InputError(
                f"{self.path}: galaxy {one['IDENT']} has no pixel scale (column PIXEL_SCALE)"
            )
        noise, remarks = self._noise(float(one["NOISE_VARIANCE"]), image, str(one["IDENT"]))
        labels = self._labels or {}
        return Taken(
            name=str(one["IDENT"]),
            image=image,
            pixel_size=scale,
            zero_point=_number(self._settings.zero_point, "zero_point"),
            gain=_number(self._settings.gain, "gain"),
            sky_noise=noise,
            psf=without_pixel(psf / psf.sum()),
            psf_scale=scale,
            noise=self._draws(row, noise),
            labels={name: float(labels[name][row]) for name in NAMES if name in labels},
            facts={
                "catalogue_magnitude": float(one["MAG"]),
                **({"ra": float(one["RA"]), "dec": float(one["DEC"])} if _sky(one) else {}),
            },
            remarks=remarks,
        )

    def _noise(
        self, variance: float, image: np.ndarray, name: str
    ) -> tuple[float, tuple[str, ...]]:
        """Noise of a pixel: of the settings, else of the catalogue where the border agrees."""
        if self._settings.sky_noise is not None:
            return _number(self._settings.sky_noise, "sky_noise"), ()
        told, seen = np.sqrt(variance) if variance > 0 else np.nan, border_of(image)[1]
        if told > 0 and not (seen > 0 and (told > _TRUST * seen or seen > _TRUST * told)):
            return float(told), ()
        remark = (
            f"{name}: noise {told:.2g} in the catalogue, {seen:.2g} in the border, which counts"
        )
        return float(seen), (remark,)

    def _draws(self, row: int, sky_noise: float) -> Callable | None:
        try:
            correlated = self._galaxies.getNoise(row).withVariance(sky_noise**2)
        except (OSError, ValueError, galsim.GalSimError):
            return None

        def draw(random: np.random.Generator, size: int) -> np.ndarray:
            seeded = galsim.BaseDeviate(int(random.integers(1, 2**31 - 1)))
            image = galsim.ImageD(size, size, scale=float(self._table["PIXEL_SCALE"][row]))
            image.addNoise(correlated.copy(rng=seeded))
            return image.array

        return draw


def _table(path: Path) -> Table:
    try:
        with fits.open(path, memmap=False) as file:
            table = Table(file[1].data)
    except (OSError, IndexError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a RealGalaxyCatalog ({error})") from None
    if lacking := [name for name in _NEEDED if name not in table.colnames]:
        raise InputError(
            f"{path}: no column {', '.join(lacking)}; give the catalogue itself, not its tables of "
            "fits or selections"
        )
    return table


def _has_fits(path: Path) -> bool:
    try:
        with fits.open(path) as file:
            return "sersicfit" in file[1].columns.names
    except (OSError, IndexError, AttributeError):
        return False


def _number(value: float | str, key: str) -> float:
    if isinstance(value, str):
        raise InputError(f"{key}: {value!r} is a name; for a RealGalaxyCatalog give a number")
    return float(value)


def _sky(one: Table.Row) -> bool:
    return {"RA", "DEC"} <= set(one.colnames)
