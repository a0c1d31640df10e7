"""Images in FITS files: any HDU, cubes, several HDUs or several files."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.io import fits

from morphosphere.collect.fault import Fault


def image_hdus(path: str) -> list[int]:
    """Indices of the HDUs of a file that hold images."""
    with open(path, "rb") as handle, fits.open(handle, memmap=False) as hdus:
        return [i for i, hdu in enumerate(hdus) if _is_image(hdu)]


def read_fits(
    path: str, hdu: int | str | list[int | str] | None, *, wcs: bool = False
) -> tuple[np.ndarray, dict[str, Any]]:
    """Image of shape (C, H, W), float32, row 0 on top, and what its header says.

    Parameters
    ----------
    path : str
    hdu : int, str, list or None
        One HDU, one for each channel, or None for the first with an image.
    wcs : bool
        Whether ``ra`` and ``dec`` (degrees) of the centre are wanted.

    Returns
    -------
    pixels : ndarray
    facts : dict
        ``unit`` (BUNIT), and ``ra`` and ``dec`` if wanted.

    Raises
    ------
    Fault
        If the file or the HDU cannot be read.
    """
    try:
        # opened here, because astropy leaves a truncated file open
        with open(path, "rb") as handle, fits.open(handle, memmap=False) as hdus:
            chosen = [_choose(hdus, which) for which in (hdu if isinstance(hdu, list) else [hdu])]
            planes = [_planes(each) for each in chosen]
            if len({p.shape[1:] for p in planes}) > 1:
                raise Fault("its HDUs have images of different sizes")
            facts: dict[str, Any] = {"unit": str(chosen[0].header.get("BUNIT", "")).strip()}
            if wcs:
                facts.update(_centre(chosen[0]))
            return np.concatenate(planes), facts
    except Fault:
        raise
    except Exception as error:  # astropy raises many kinds, and every one is the file's fault
        raise Fault(f"unreadable: {error}") from None


def _is_image(hdu: Any) -> bool:
    return hdu.is_image and len(hdu.shape) >= 2 and 0 not in hdu.shape


def _choose(hdus: fits.HDUList, which: int | str | None) -> Any:
    if which is None:
        for hdu in hdus:
            if _is_image(hdu):
                return hdu
        raise Fault("no HDU holds an image")
    try:
        hdu = hdus[which]
    except (KeyError, IndexError):
        raise Fault(f"no HDU {which!r}") from None
    if not _is_image(hdu):
        raise Fault(f"HDU {which!r} holds no image")
    return hdu


def _planes(hdu: Any) -> np.ndarray:
    data = hdu.data
    while data.ndim > 3 and data.shape[0] == 1:
        data = data[0]
    if data.ndim > 3:
        raise Fault(f"image of {data.ndim} axes {data.shape}; at most three are understood")
    data = data[None] if data.ndim == 2 else data
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(data[:, ::-1], dtype=np.float32)


def _centre(hdu: Any) -> dict[str, float]:
    from astropy.wcs import WCS

    nowhere = {"ra": np.nan, "dec": np.nan}
    try:
        celestial = WCS(hdu.header, naxis=2)
        if not celestial.has_celestial:
            return nowhere
        height, width = hdu.shape[-2:]
        sky = celestial.celestial.pixel_to_world((width - 1) / 2, (height - 1) / 2).icrs
        return {"ra": float(sky.ra.deg), "dec": float(sky.dec.deg)}
    except Exception:  # a header that is no WCS: the image is sound, its place is not known
        return nowhere
