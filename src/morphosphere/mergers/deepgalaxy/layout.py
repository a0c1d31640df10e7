"""The layout of DeepGalaxy's files (Cai et al. 2020, arXiv:2010.09917), checked.

A group for each initial condition, ``s_<size ratio>_m_<mass ratio>`` (anything may follow after
another underscore), and in it for each camera::

    images_camera_NN    (T, H, W), (T, H, W, 1) or (T, H, W, 3): uint8, or float from 0 to 1
    t_myr_camera_NN     (T,)  Myr since the start of the simulation, in any order

Row 0 of an image is its top. Ratios are of the second galaxy over the first, and can exceed 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from morphosphere.errors import InputError

GROUP = re.compile(r"s_([0-9.]+)_m_([0-9.]+)(?:_.*)?")
_IMAGES, _TIMES = "images_camera_", "t_myr_camera_"


@dataclass(frozen=True)
class Camera:
    """One camera of an initial condition.

    Attributes
    ----------
    group : str
    number : int
    size_ratio, mass_ratio : float
        As the group's name says.
    times : ndarray, shape (T,)
    shape : tuple of int
        Height, width and number of channels.
    """

    group: str
    number: int
    size_ratio: float
    mass_ratio: float
    times: np.ndarray
    shape: tuple[int, int, int]

    @property
    def images(self) -> str:
        """Path of the dataset with the images."""
        return f"{self.group}/{_IMAGES}{self.number:02d}"


def group_name(size_ratio: float, mass_ratio: float) -> str:
    """Name of a group, with as many digits as the ratios need."""
    return f"s_{size_ratio:.6g}_m_{mass_ratio:.6g}"


def dataset_names(camera: int) -> tuple[str, str]:
    """Names of the datasets of a camera: images and times."""
    return f"{_IMAGES}{camera:02d}", f"{_TIMES}{camera:02d}"


def open_file(path: Path) -> h5py.File:
    """Open a file for reading.

    Raises
    ------
    InputError
        If it is missing, truncated or not HDF5.
    """
    try:
        return h5py.File(path, "r", rdcc_nbytes=1 << 20)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        kind = "truncated; copy it again" if "truncated" in str(error) else "cannot be read as HDF5"
        raise InputError(f"{path}: {kind} ({error})") from None


def cameras_of(file: h5py.File, path: Path, wanted: list[int] | None = None) -> list[Camera]:
    """All cameras of a file, in the order of groups and numbers.

    Raises
    ------
    InputError
        If the file is not of this layout; the message names group and dataset.
    """
    if not len(file):
        raise InputError(f"{path}: is empty; expected groups s_<size ratio>_m_<mass ratio>")
    out = []
    for name in sorted(file):
        out += _of_group(file[name], name, path, wanted)
    if not out:
        numbers = ", ".join(map(str, wanted or []))
        raise InputError(f"{path}: no group has a camera of those wanted ({numbers})")
    first = out[0]
    for camera in out[1:]:
        if camera.shape != first.shape:
            raise InputError(
                f"{path}: {camera.images} holds images of {_said(camera.shape)}, but "
                f"{first.images} of {_said(first.shape)}; put them in files of their own"
            )
    return out


def _of_group(group: object, name: str, path: Path, wanted: list[int] | None) -> list[Camera]:
    match = GROUP.fullmatch(name)
    ratios = _ratios(match) if match else None
    if not isinstance(group, h5py.Group) or ratios is None:
        raise InputError(
            f"{path}: {name} does not tell its labels; expected groups named "
            "s_<size ratio>_m_<mass ratio>, both above zero"
        )
    numbers = {}
    for key in group:
        for kind in (_IMAGES, _TIMES):
            if key.startswith(kind) and key[len(kind) :].isdigit():
                numbers.setdefault(int(key[len(kind) :]), {})[kind] = key
    if not numbers:
        raise InputError(f"{path}: {name} has no datasets {_IMAGES}NN and {_TIMES}NN")
    out = []
    for number, keys in sorted(numbers.items()):
        if wanted is not None and number not in wanted:
            continue
        for kind, other in ((_IMAGES, _TIMES), (_TIMES, _IMAGES)):
            if kind not in keys:
                raise InputError(
                    f"{path}: {name} has {keys[other]}, but no {kind}{number:02d} to go with it"
                )
        out.append(_camera(group, name, number, keys, ratios, path))
    return out


def _ratios(match: re.Match[str]) -> tuple[float, float] | None:
    try:
        size, mass = float(match[1]), float(match[2])
    except ValueError:
        return None
    return (size, mass) if size > 0 and mass > 0 else None


def _camera(
    group: h5py.Group,
    name: str,
    number: int,
    keys: dict[str, str],
    ratios: tuple[float, float],
    path: Path,
) -> Camera:
    images, times = group[keys[_IMAGES]], group[keys[_TIMES]]
    where = f"{path}: {name}/{keys[_IMAGES]}"
    if keys[_IMAGES] != f"{_IMAGES}{number:02d}":
        raise InputError(f"{where}: expected the name {_IMAGES}{number:02d}")
    shape = images.shape
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape:
        raise InputError(f"{where}: has shape {images.shape}, expected (T, H, W) or (T, H, W, 3)")
    if shape[1] != shape[2]:
        raise InputError(f"{where}: images of {shape[1]} x {shape[2]} pixels are not square")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise InputError(f"{where}: holds {images.dtype}, expected uint8 or float")
    if times.ndim != 1 or times.dtype.kind not in "iuf":
        raise InputError(f"{path}: {name}/{keys[_TIMES]}: is not a list of numbers")
    if len(times) != shape[0]:
        raise InputError(f"{where}: holds {shape[0]} images, but {keys[_TIMES]} {len(times)} times")
    try:
        values = times[()].astype(np.float64)
    except OSError as error:
        raise InputError(f"{path}: {name}/{keys[_TIMES]}: cannot be read ({error})") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path}: {name}/{keys[_TIMES]}: a time is not a finite number")
    return Camera(name, number, *ratios, values, (shape[1], shape[2], shape[3]))


def _said(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels in {shape[2]} channel" + "s" * (shape[2] > 1)
