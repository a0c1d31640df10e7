"""Datasets of ``PartTypeN`` groups: which one holds a field, and reading its rows."""

from __future__ import annotations

import h5py
import numpy as np

from morphosphere.errors import InputError

#: Datasets that may hold a field, best first, and the kind of its unit.
DATASETS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "position": (("Coordinates",), "length"),
    "velocity": (("Velocities", "Velocity"), "velocity"),
    "mass": (("Masses", "Mass"), "mass"),
    "initial_mass": (("GFM_InitialMass", "InitialMass"), "mass"),
    "age": (("GFM_StellarFormationTime", "StellarFormationTime"), None),
    "is_star": (("GFM_StellarFormationTime", "StellarFormationTime"), None),
    "metallicity": (("GFM_Metallicity", "Metallicity", "SmoothedMetallicity"), None),
    "sfr": (("StarFormationRate",), "sfr"),
    "density": (("Density",), "density"),
    "smoothing_length": (("StellarHsml", "SmoothingLength"), "length"),
    "magnitudes": (("GFM_StellarPhotometrics",), None),
    "potential": (("Potential",), "potential"),
}
_ONLY_STARS = ("initial_mass", "age", "is_star", "magnitudes")
_ONLY_GAS = ("sfr", "density")

#: Bands of ``GFM_StellarPhotometrics``: U, B, V, K are Vega, g, r, i, z AB magnitudes.
BANDS = ("U", "B", "V", "K", "g", "r", "i", "z")


def may_have(component: str, field: str) -> bool:
    """Whether a component may have a field."""
    if field in _ONLY_STARS:
        return component == "stars"
    if field in _ONLY_GAS:
        return component == "gas"
    if component == "dark_matter":
        return field in ("position", "velocity", "mass", "potential")
    return True


def dataset_name(group: h5py.Group, field: str) -> str | None:
    """The best dataset of a group that holds a field; None if there is none."""
    return next((name for name in DATASETS[field][0] if name in group), None)


def read_scaled(
    room: np.ndarray, dataset: h5py.Dataset, low: int, factor: float, where: str
) -> None:
    """Read into `room`, times `factor`; without a copy where the file has numbers of that kind.

    Parameters
    ----------
    room : ndarray
        As many rows as are read, from row `low` on.
    dataset : h5py.Dataset
    low : int
    factor : float
        From the file's unit to ours.
    where : str
        Named in errors.

    Raises
    ------
    InputError
        If the dataset has another shape, too few rows, or cannot be read.
    """
    if dataset.dtype == room.dtype:
        read_into(room, dataset, low, where)
        if factor != 1:
            np.multiply(room, factor, out=room)
        return
    values = np.empty(room.shape, dtype=dataset.dtype)
    read_into(values, dataset, low, where)
    np.multiply(values, factor, out=room, dtype=np.float64, casting="same_kind")


def read_into(room: np.ndarray, dataset: h5py.Dataset, low: int, where: str) -> None:
    """Read into `room`, of the same type as the dataset; see `read_scaled`."""
    if dataset.shape[1:] != room.shape[1:]:
        raise InputError(
            f"{where}: has shape {dataset.shape}, expected (N, "
            + ", ".join(map(str, room.shape[1:]))
            + ")"
        )
    if len(dataset) < low + len(room):
        raise InputError(
            f"{where}: has {len(dataset)} rows, fewer than its file's header says; "
            "copy the file again"
        )
    try:
        dataset.read_direct(room, np.s_[low : low + len(room)])
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error}); copy the file again") from None
