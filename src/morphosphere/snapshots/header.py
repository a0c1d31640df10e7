"""The header of a snapshot file: cosmology, units and particle numbers, wherever they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.hdf5 import (
    OpenFiles,
    attribute,
    check_complete,
    counts_by_type,
)
from morphosphere.snapshots.particles import ParticleFile, count_particles
from morphosphere.snapshots.protocol import Header
from morphosphere.snapshots.units import UnitSystem, unit_system


def header_groups(file: h5py.File, path: Path) -> list[Mapping[str, Any]]:
    """Attributes of ``/Header``, ``/Parameters`` and ``/Cosmology``, as far as they are there.

    They are read when they are asked for, as long as the file is open.

    Raises
    ------
    InputError
        If there is no ``/Header``.
    """
    if "Header" not in file:
        raise InputError(f"{path}: has no group Header; it is not a snapshot")
    return [file[name].attrs for name in ("Header", "Parameters", "Cosmology") if name in file]


def particle_file(file: h5py.File, path: Path, *, counts: np.ndarray | None = None) -> ParticleFile:
    """Header, units and counts of one file.

    Parameters
    ----------
    file : h5py.File
    path : Path
    counts : ndarray, optional
        Particle numbers to use instead of the header's.

    Raises
    ------
    InputError
        If something is missing, or the header contradicts the datasets.
    """
    groups = header_groups(file, path)
    hubble = number(groups, "HubbleParam", path, default=1.0) or 1.0
    redshift = number(groups, "Redshift", path, default=math.nan)
    time = number(groups, "Time", path, default=math.nan)
    cosmological = _is_cosmological(groups, redshift, time, path)
    scale_factor = (time if math.isfinite(time) else 1 / (1 + redshift)) if cosmological else 1.0
    try:
        units = unit_system(*groups, scale_factor=scale_factor, hubble=hubble)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    found = count_particles(file, path)
    if counts is None:
        counts = _checked_counts(groups[0], found, path)
    header = Header(
        scale_factor=scale_factor,
        redshift=redshift if cosmological else 0.0,
        box_size=number(groups, "BoxSize", path, default=0.0) * _length_factor(file, units, path),
        hubble=hubble,
        omega_matter=number(groups, "Omega0", path, default=math.nan),
        omega_lambda=number(groups, "OmegaLambda", path, default=math.nan),
        omega_baryon=number(groups, "OmegaBaryon", path, default=math.nan),
        time=math.nan if cosmological else time * units.time,
        cosmological=cosmological,
        units="stated by the files" if _units_stated(file, units) else "GADGET's default units",
    )
    masses = np.asarray(groups[0].get("MassTable", np.zeros(6)), dtype=np.float64)
    return ParticleFile(path, header, units, counts, masses)


def particle_files(paths: Sequence[Path], handles: OpenFiles) -> list[ParticleFile]:
    """Headers of all files of one snapshot, checked against each other.

    Raises
    ------
    InputError
        If a file is missing, or the files contradict each other.
    """
    first = handles[paths[0]]
    groups = header_groups(first, paths[0])
    check_complete(paths, int(number(groups, "NumFilesPerSnapshot", paths[0], default=1)))
    said = counts_by_type(groups[0], "NumPart_Total") if "NumPart_Total" in groups[0] else None
    files = [particle_file(handles[path], path) for path in paths]
    for file in files[1:]:
        if abs(file.header.scale_factor - files[0].header.scale_factor) > 1e-6:
            raise InputError(
                f"{file.path}: scale factor {file.header.scale_factor:.6g}, but "
                f"{files[0].path.name} has {files[0].header.scale_factor:.6g}; the files belong to "
                "different snapshots"
            )
    if said is not None:
        found = np.sum([np.pad(file.counts, (0, 6))[: len(said)] for file in files], axis=0)
        if wrong := [kind for kind in range(len(said)) if said[kind] != found[kind]]:
            kind = wrong[0]
            raise InputError(
                f"{paths[0].parent}: the files hold {found[kind]} particles of PartType{kind}, but "
                f"their headers say {said[kind]} in total; copy the files again"
            )
    return files


def number(
    groups: Sequence[Mapping[str, Any]], name: str, path: Path, *, default: float | None = None
) -> float:
    """A number from the first group of attributes that has it.

    Raises
    ------
    InputError
        If none has it and there is no default, or it is not a number.
    """
    for attributes in groups:
        if name in attributes:
            try:
                return float(attribute(attributes, name))
            except (TypeError, ValueError):
                raise InputError(f"{path}: {name} in the header is not a number") from None
    if default is None:
        raise InputError(f"{path}: the header has no {name}")
    return default


def _is_cosmological(
    groups: Sequence[Mapping[str, Any]], redshift: float, time: float, path: Path
) -> bool:
    said = number(groups, "ComovingIntegrationOn", path, default=math.nan)
    if math.isfinite(said):
        return bool(said)
    if not math.isfinite(redshift) or number(groups, "Omega0", path, default=math.nan) == 0:
        return False
    return not math.isfinite(time) or abs(time * (1 + redshift) - 1) < 1e-3


def _checked_counts(header: Mapping[str, Any], found: np.ndarray, path: Path) -> np.ndarray:
    if "NumPart_ThisFile" not in header:
        raise InputError(f"{path}: the header has no NumPart_ThisFile")
    said = counts_by_type(header, "NumPart_ThisFile")
    said = np.pad(said, (0, max(0, 6 - len(said))))[:6]
    for kind in (0, 1, 2, 3, 4):
        if said[kind] != found[kind]:
            raise InputError(
                f"{path}: the header says {said[kind]} particles of PartType{kind}, but "
                f"Coordinates has {found[kind]}; copy the file again"
            )
    return said


def _units_stated(file: h5py.File, units: UnitSystem) -> bool:
    coordinates = _coordinates(file)
    return units.stated or (
        coordinates is not None
        and ("to_cgs" in coordinates.attrs or "CGSConversionFactor" in coordinates.attrs)
    )


def _length_factor(file: h5py.File, units: UnitSystem, path: Path) -> float:
    coordinates = _coordinates(file)
    if coordinates is None:
        return units.factor("length")
    return units.factor_of("length", coordinates.attrs, f"{path}: {coordinates.name}")


def _coordinates(file: h5py.File) -> h5py.Dataset | None:
    names = (f"PartType{kind}/Coordinates" for kind in range(6))
    return next((file[name] for name in names if name in file), None)
