"""Is a downloaded file what was asked for? A server can answer 200 and send anything."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np

from morphosphere.download.faults import Blank, Temporary


def check_cutout(path: Path, *, snapshot: int, subhalo: int) -> None:
    """Check a cutout: an HDF5 file with a header, of this subhalo, its datasets readable.

    What the header does not say is not checked.

    Raises
    ------
    Temporary
        If it is not.
    """
    try:
        with h5py.File(path, "r") as file:
            if "Header" not in file:
                raise Temporary("the HDF5 file has no group Header")
            header = file["Header"].attrs
            for name, expected in (("SnapshotNumber", snapshot), ("CutoutID", subhalo)):
                if name in header and (found := _plain(header[name])) != expected:
                    raise Temporary(f"the header says {name} {found}, not {expected}")
            for group in (g for name, g in file.items() if name.startswith("PartType")):
                _check_rows(group)
    except (OSError, KeyError, RuntimeError) as error:
        raise Temporary(f"not a whole HDF5 file ({_begin(path)}; {type(error).__name__})") from None


def _check_rows(group: h5py.Group) -> None:
    """All datasets of a group have the same number of rows, and the last can be read."""
    rows = {len(dataset) for dataset in group.values() if isinstance(dataset, h5py.Dataset)}
    if len(rows) > 1:
        raise Temporary(f"datasets of {group.name} have different numbers of rows")
    for dataset in group.values():
        if isinstance(dataset, h5py.Dataset) and len(dataset):
            dataset[-1]


def _plain(value: object) -> object:
    """An attribute as a Python number or string."""
    array = np.asarray(value)
    value = array.reshape(-1)[0] if array.size == 1 else value
    value = value.decode() if isinstance(value, bytes) else value
    return value.item() if isinstance(value, np.generic) else value


def check_fits(path: Path, *, size: int, max_blank: float) -> None:
    """Check a FITS image: `size` pixels wide and high, and with data.

    Pixels without data are NaN, infinite, or the header's BLANK.

    Raises
    ------
    Temporary
        If it is no such image.
    Blank
        If all pixels are alike, or more than the fraction `max_blank` is without data.
    """
    from astropy.io import fits

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # astropy warns of truncated files
            with fits.open(path, memmap=False) as hdus:
                data = next((h.data for h in hdus if h.is_image and h.data is not None), None)
    except Exception as error:  # its readers raise many kinds, and every one is the file's fault
        raise Temporary(f"not a whole FITS file ({_begin(path)}; {type(error).__name__})") from None
    if data is None or data.ndim < 2 or data.shape[-2:] != (size, size):
        shape = "no image" if data is None else f"shape {data.shape}"
        raise Temporary(f"the FITS file has {shape}, not {size} x {size} pixels")
    good = np.isfinite(data)
    if not good.any() or np.ptp(data[good].astype(np.float64)) == 0:
        raise Blank("outside the survey: the image is blank")
    if (fraction := 1 - good.mean()) > max_blank:
        raise Blank(f"at the survey's edge: {fraction:.0%} of the image is without data")


def check_jpeg(path: Path, *, size: int) -> None:
    """Check a JPEG: decodes as a whole, `size` pixels wide and high, not of one colour.

    Raises
    ------
    Temporary
        If it does not.
    Blank
        If all pixels are alike.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=["JPEG"]) as image:
                pixels = np.asarray(image)
    except Exception as error:  # its readers raise many kinds, and every one is the file's fault
        raise Temporary(f"not a whole JPEG ({_begin(path)}; {type(error).__name__})") from None
    if pixels.shape[:2] != (size, size):
        raise Temporary(f"the JPEG has {pixels.shape[1]} x {pixels.shape[0]} pixels, not {size}")
    if (pixels == pixels[0, 0]).all():
        raise Blank("outside the survey: the image is blank")


def _begin(path: Path) -> str:
    """What a file seems to be, from its first bytes."""
    with open(path, "rb") as handle:
        start = handle.read(512)
    if not start:
        return "it is empty"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a page of HTML"
    if start.lstrip().startswith((b"{", b"[")):
        return "it is JSON"
    known = start.startswith((b"\x89HDF", b"SIMPLE", b"\xff\xd8"))
    return "it is cut short or damaged" if known else "it is something else"
