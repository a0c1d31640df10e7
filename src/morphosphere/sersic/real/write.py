"""Real images and their PSFs, as files of the form of simulated ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.sersic_real import RealSettings
from morphosphere.errors import InputError
from morphosphere.sersic.real.galsim_catalogue import Catalogue
from morphosphere.sersic.real.labels import ERRORS, fitted
from morphosphere.sersic.real.stamps import Stamps
from morphosphere.sersic.real.taken import Taken, binned, check_psf, padded, square
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import resized
from morphosphere.structure.psf import PSFSet, write_psfs
from morphosphere.structure.psf_files import resample

#: Samples of the PSF across a pixel, and most samples across its picture.
_OVERSAMPLING, _MOST = 4, 255
#: Width of the blank sky on which noise is measured, and of the sums of many pixels of it.
_SKY, _LARGE = 512, 16
#: Fewest pixels across a stamp after binning.
_NARROWEST = 8
_LABELS = (*Space(1).columns, "bulge_radius", "bulge_to_total", *ERRORS)
_ABOUT = {
    "measured_size": {
        "unit": "pixel",
        "description": "Width of the part of the image that was observed",
    },
    "noise_correlation": {
        "description": "Noise of sums of many pixels over that of independent ones, in amplitude",
    },
    "label_source": {"description": "Where the structural parameters come from"},
    "use": {"description": "Whether a model may be adapted to the image, or is tested on it"},
    **{
        name: {"description": f"Error of {name.removesuffix('_label_std')} where it was fitted"}
        for name in ERRORS
    },
    "catalogue_magnitude": {"unit": "mag", "description": "Magnitude in the catalogue"},
}


@dataclass
class Outcome:
    """What was written, and what a reader of the log should know."""

    images: int
    labelled: int
    remarks: list[str]


def open_set(settings: RealSettings) -> Catalogue | Stamps:
    """The images that the settings name.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    return Catalogue(settings) if settings.kind == "real_galaxy_catalog" else Stamps(settings)


def write_real(
    name: str,
    settings: RealSettings,
    found: Catalogue | Stamps,
    folder: Path,
    *,
    seed: int,
    advance: Callable[[int], object] = lambda count: None,
) -> Outcome:
    """Write ``images.h5`` and ``psf.h5``.

    Raises
    ------
    InputError
        If pixel size, zero point, noise or the sampling of a PSF are not known, or differ in a way
        that one set cannot hold.
    """
    outcome = Outcome(0, 0, [])
    rows, images, psfs = [], [], _Psfs(str(folder / "psf.h5"))
    for taken in found:
        random = np.random.default_rng(
            np.random.SeedSequence([seed, int.from_bytes(_hash(taken.name)[:4], "big")])
        )
        image, row, correlation = framed(taken, settings, random)
        labels, source, remark = _labels(taken, settings, found.known, correlation)
        outcome.remarks += [*taken.remarks, *([remark] if remark else [])]
        outcome.labelled += bool(source)
        row |= {label: labels.get(label, np.nan) for label in _LABELS}
        row |= {"label_source": source, "psf": psfs.number(taken, row["pixel_size"])}
        rows.append(row)
        images.append(image)
        advance(1)
    psfs.write()
    library = PSFSet.read(psfs.path)
    for row in rows:
        row |= library.columns(row["psf"], row["pixel_size"])
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    identifiers = np.array([f"{name}-{key}" for key in table.pop("name")], dtype=object)
    table = {"image_id": identifiers, "galaxy_id": identifiers, **table}
    table["source"] = np.array([name] * len(rows), dtype=object)
    uses = [use_of(key) if settings.has_labels else "test" for key in identifiers]
    table["use"] = np.array(uses, dtype=object)
    with ImageSetWriter(
        folder / "images.h5",
        channels=[settings.band],
        size=settings.size,
        unit="electron/s",
        attributes={"components": 1, "kind": "observed"},
        about=_ABOUT,
    ) as out:
        out.append(np.stack(images)[:, None].astype(np.float32), table)
    outcome.images = len(rows)
    return outcome


def use_of(galaxy_id: str) -> str:
    """Half of the galaxies are for adaptation, half for tests, by a hash of the identifier."""
    return "test" if _hash(f"use {galaxy_id}")[0] % 2 else "adapt"


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def framed(
    taken: Taken, settings: RealSettings, random: np.random.Generator
) -> tuple[np.ndarray, dict[str, Any], float]:
    """The picture (size, size), row 0 on top, columns of its row, and the noise's correlation.

    The last is that of the pixels of the stamp, see `_noise`; the picture's is in the row.
    """
    bins, size = settings.bins, settings.size
    # an even width, so that the middle is the same corner of pixels however it is cut or padded
    image = binned(square(taken.image, 2 * bins), bins)
    measured = len(image)
    if measured < _NARROWEST:
        raise InputError(
            f"{taken.name}: its stamp is {measured} pixels wide (of {bins} by {bins}); "
            f"{_NARROWEST} are needed: use a smaller rebin, or leave it out"
        )
    sky, correlation, own = _noise(taken, bins)
    if settings.padding == "noise":
        image = padded(taken, image, size, bins, random)
    width = len(image)
    image = resized(image[::-1], size)
    return (
        image,
        {
            "name": taken.name,
            "zero_point": taken.zero_point,
            "pixel_size": taken.pixel_size * bins,
            "sky_noise": sky,
            "gain": taken.gain,
            "stamp_size": width,
            "measured_size": min(measured, size),
            "noise_correlation": correlation,
            "x_offset": np.nan,
            "y_offset": np.nan,
            **taken.facts,
        },
        own,
    )


def _noise(taken: Taken, bins: int) -> tuple[float, float, float]:
    """Noise of a binned pixel, and how much more that of sums of many is than of independent ones.

    Returns
    -------
    noise : float
    correlation, own : float
        In amplitude, of binned pixels and of those of the stamp.
    """
    if taken.noise is None:
        return taken.sky_noise * bins, 1.0, 1.0
    sky = taken.noise(np.random.default_rng(0), _SKY)
    few = binned(square(sky, bins), bins)
    one, large = float(few.std()), float(binned(sky, _LARGE).std())
    return one, large * bins / (_LARGE * one), large / (_LARGE * float(sky.std()))


def _labels(
    taken: Taken, settings: RealSettings, known: bool, correlation: float
) -> tuple[dict[str, float], str, str]:
    """Structural parameters, where they come from (empty: none), and a remark."""
    if settings.labels == "none":
        return {}, "", ""
    if known:
        labels = dict(taken.labels)
        if all(np.isfinite(labels.get(name, np.nan)) for name in Space(1).columns):
            return labels, "catalogue", ""
        return labels, "", f"{taken.name}: not all structural parameters are in the catalogue"
    labels, reason = fitted(taken, correlation)
    return labels, "fit" if labels else "", f"{taken.name}: no label ({reason})" if reason else ""


class _Psfs:
    """PSFs of a set, each kept once, brought to one sampling."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._images: list[np.ndarray] = []
        self._numbers: dict[bytes, int] = {}
        self._scale = np.nan

    def number(self, taken: Taken, pixel_size: float) -> int:
        check_psf(taken, self.path)
        if np.isnan(self._scale):
            self._scale = pixel_size / _OVERSAMPLING
        key = taken.psf.tobytes() + np.float64(taken.psf_scale).tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._images)
            resampled = resample(
                taken.psf[None], taken.psf_scale, self._scale, name=f"PSF of {taken.name}"
            )
            self._images.append(resampled[0])
        return self._numbers[key]

    def write(self) -> None:
        """Write them in pictures of one size."""
        size = min(max(len(image) for image in self._images), _MOST)
        images = np.stack([_fit_into(image, size) for image in self._images])
        write_psfs(self.path, images, scale=self._scale, oversampling=_OVERSAMPLING)


def _fit_into(image: np.ndarray, size: int) -> np.ndarray:
    """The middle of a picture of odd width in one of another odd width, zeros around it."""
    if len(image) > size:
        cut = (len(image) - size) // 2
        return image[cut : cut + size, cut : cut + size]
    return np.pad(image, (size - len(image)) // 2)
