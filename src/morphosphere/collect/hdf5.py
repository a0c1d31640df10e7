"""Images in a dataset of an HDF5 file."""

from __future__ import annotations

import h5py
import numpy as np

from morphosphere.collect.fault import Fault


def image_ids(path: str, dataset: str, ids: str | None) -> list[str]:
    """Ids of the images in a file: those in dataset `ids`, or the row numbers.

    Raises
    ------
    OSError, KeyError, ValueError
        If the file or a dataset cannot be used.
    """
    with h5py.File(path, "r") as file:
        images = _dataset(file, dataset)
        if images.ndim not in (3, 4):
            raise ValueError(f"{dataset} has shape {images.shape}, expected (N, H, W) or 4 axes")
        if ids is None:
            return [f"{i:06d}" for i in range(len(images))]
        names = _dataset(file, ids)
        if names.shape != images.shape[:1]:
            raise ValueError(f"{ids} has shape {names.shape} for {len(images)} images")
        values = names.asstr()[()] if h5py.check_string_dtype(names.dtype) else names[()]
        return [str(v) for v in values]


def read_rows(path: str, dataset: str, start: int, stop: int) -> np.ndarray:
    """Images ``start:stop``, shape (n, C, H, W); a last axis of 1 to 4 is taken for channels.

    Raises
    ------
    Fault
        If they cannot be read.
    """
    try:
        with h5py.File(path, "r") as file:
            images = _dataset(file, dataset)[start:stop]
    except (OSError, KeyError, ValueError) as error:
        raise Fault(f"unreadable: {error}") from None
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[-1] <= 4 < images.shape[1]:
        images = np.moveaxis(images, -1, 1)
    if images.dtype == np.uint8:
        return images
    with np.errstate(over="ignore"):
        return images.astype(np.float32)


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    if not isinstance(file.get(name), h5py.Dataset):
        raise KeyError(f"no dataset {name!r}; there are {', '.join(file) or 'none'}")
    return file[name]
