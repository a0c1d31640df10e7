"""Stamps of one's own: FITS files, a PSF, and a table of what is known of them."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from morphosphere.config.sersic_real import RealSettings
from morphosphere.errors import InputError
from morphosphere.sersic.real.taken import Taken, border_of
from morphosphere.structure.psf_files import read_fits_psfs


class Stamps:
    """A folder of stamps.

    Raises
    ------
    InputError
        If the folder or the table cannot be read, or nothing is left to read.
    """

    def __init__(self, settings: RealSettings) -> None:
        self._settings, self.path = settings, Path(settings.path)
        if not self.path.is_dir():
            raise InputError(f"{self.path}: no such folder of stamps")
        self._table = read_table(settings.table, settings.table_id) if settings.table else {}
        self._check_columns()
        files = sorted(file for file in self.path.glob(settings.pattern) if file.is_file())
        if not files:
            raise InputError(f"{self.path}: no file is like {settings.pattern} (pattern)")
        if settings.faintest is not None:
            magnitude = settings.columns.get("magnitude")
            if magnitude is None:
                raise InputError(f"{self.path}: faintest needs columns.magnitude")
            files = [f for f in files if self._brighter(f, magnitude)]
            if not files:
                raise InputError(
                    f"{settings.table}: none is brighter than {settings.faintest} mag (faintest)"
                )
        self.files = files[: settings.limit]
        self._psfs: dict[str, tuple[np.ndarray, float]] = {}

    def __len__(self) -> int:
        return len(self.files)

    @property
    def known(self) -> bool:
        """Whether structural parameters are taken from the table."""
        given = self._settings
        return given.labels == "catalogue" or (given.labels == "auto" and given.all_columns)

    def __iter__(self) -> Iterator[Taken]:
        for file in self.files:
            yield self._taken(file)

    def _check_columns(self) -> None:
        known = next(iter(self._table.values()), {})
        for ours, theirs in self._settings.columns.items():
            if theirs not in known:
                raise InputError(
                    f"{self._settings.table}: no column {theirs!r} (columns.{ours}); it has "
                    f"{', '.join(known) or 'none'}"
                )

    def _brighter(self, file: Path, magnitude: str) -> bool:
        row = self._table.get(name_of(file), {})
        return row.get(magnitude, np.nan) <= self._settings.faintest  # NaN is not

    def _taken(self, file: Path) -> Taken:
        settings, name = self._settings, name_of(file)
        image, header = _read(file, settings.hdu)
        known = {**header, **self._table.get(name, {})}

        def number(value: float | str, key: str) -> float:
            found = known.get(value, np.nan) if isinstance(value, str) else value
            try:
                found = float(found)
            except (TypeError, ValueError):
                found = np.nan
            if not np.isfinite(found) or (key != "zero_point" and not found > 0):
                raise InputError(
                    f"{file}: its {key} is unknown: {value!r} is neither in the table nor in the "
                    f"header, or is no sound number; give it in the settings ({key})"
                )
            return found

        if settings.pixel_size is None:
            pixel_size = _scale(header, file)
        else:
            pixel_size = number(settings.pixel_size, "pixel_size")
        level, spread = border_of(image)
        if settings.subtract_sky and np.isfinite(level):
            image = image - level
        noise = spread if settings.sky_noise is None else number(settings.sky_noise, "sky_noise")
        if not noise > 0:
            raise InputError(
                f"{file}: its noise cannot be measured in the border, which has one value or none; "
                "give sky_noise in the settings"
            )
        psf, scale = self._psf(name)
        row = self._table.get(name, {})
        labels = {ours: row.get(theirs, np.nan) for ours, theirs in settings.columns.items()}
        return Taken(
            name=name,
            image=image,
            pixel_size=pixel_size,
            zero_point=number(settings.zero_point, "zero_point"),
            gain=number(settings.gain, "gain"),
            sky_noise=noise,
            psf=psf,
            psf_scale=scale,
            labels=labels if self.known else {},
            facts={},
            remarks=() if row or not self._table else (f"{name}: not in the table",),
        )

    def _psf(self, name: str) -> tuple[np.ndarray, float]:
        settings = self._settings
        path = str(settings.psf).replace("{id}", name)
        if path not in self._psfs:
            images, scale = read_fits_psfs(
                path,
                scale=settings.psf_scale,
                hdu=settings.psf_hdu,
                includes_pixel=settings.psf_includes_pixel,
            )
            if len(images) != 1:
                raise InputError(f"{path}: holds {len(images)} PSFs, where one is expected")
            self._psfs[path] = images[0], scale
        return self._psfs[path]


def name_of(file: Path) -> str:
    """Name of a stamp: that of its file up to ``.fits``."""
    return file.name.partition(".fits")[0]


def read_table(path: str, key: str) -> dict[str, dict[str, float]]:
    """Rows of a CSV table by the column `key`; numbers only, NaN for what is none.

    Raises
    ------
    InputError
        If it cannot be read, has no such column, or names a stamp twice.
    """
    try:
        with open(path, newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a CSV table ({error})") from None
    if not rows or key not in rows[0]:
        raise InputError(f"{path}: no column {key!r} (table_id), or no rows")
    out: dict[str, dict[str, float]] = {}
    for row in rows:
        name = str(row.pop(key)).partition(".fits")[0]
        if name in out:
            raise InputError(f"{path}: names {name} twice")
        out[name] = {column: _float(value) for column, value in row.items() if column}
    return out


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def _read(file: Path, hdu: int) -> tuple[np.ndarray, Mapping[str, object]]:
    try:
        # opened here, because astropy leaves a truncated file open
        with warnings.catch_warnings(), open(file, "rb") as handle:
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(handle, memmap=False) as opened:
                data, header = opened[hdu].data, dict(opened[hdu].header)
    except Exception as error:  # astropy raises many kinds, and every one is the file's fault
        raise InputError(f"{file}: HDU {hdu} cannot be read as FITS ({error})") from None
    if not isinstance(data, np.ndarray) or data.dtype.names or np.squeeze(data).ndim != 2:
        raise InputError(f"{file}: HDU {hdu} holds no picture of one band")
    image = np.squeeze(data).astype(np.float64)
    return np.where(np.isfinite(image), image, np.nan), header


def _scale(header: Mapping[str, object], file: Path) -> float:
    """Arcsec of a pixel by the WCS of a header."""
    from astropy.wcs import WCS
    from astropy.wcs.utils import proj_plane_pixel_scales

    try:
        wcs = WCS({k: v for k, v in header.items() if k and k not in ("COMMENT", "HISTORY")})
        scales = proj_plane_pixel_scales(wcs.celestial) * 3600 if wcs.has_celestial else []
    except Exception:  # astropy raises many kinds, and none of them gives a scale
        scales = []
    if len(scales) != 2 or not np.all(np.asarray(scales) > 0):
        raise InputError(
            f"{file}: its pixel scale is unknown: the header has no celestial WCS; give pixel_size "
            "in the settings"
        )
    if abs(scales[0] / scales[1] - 1) > 0.01:
        raise InputError(f"{file}: its pixels are not square by the WCS; resample it")
    return float(np.mean(scales))
