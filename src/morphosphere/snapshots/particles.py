"""Particles in ``PartTypeN`` groups of one or more HDF5 files, joined and in our units.

AREPO, GADGET-4, EAGLE and the cutouts of the TNG web API share this layout; they differ in names of
datasets and in how they state units. The particles of a component are counted file after file, and
within a file type after type, so that a range of one object may lie in several files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from morphosphere.errors import InputError
from morphosphere.snapshots.cosmology import CosmicTime
from morphosphere.snapshots.datasets import (
    BANDS,
    DATASETS,
    dataset_name,
    may_have,
    read_into,
    read_scaled,
)
from morphosphere.snapshots.hdf5 import OpenFiles
from morphosphere.snapshots.protocol import Header, Source
from morphosphere.snapshots.rooms import Rooms
from morphosphere.snapshots.units import UnitSystem

#: Particle types of each component.
TYPES = {"stars": (4,), "gas": (0,), "dark_matter": (1,)}
#: Types that hold stars where a simulation starts from ready-made galaxies (disc, bulge, new).
READY_MADE = (2, 3)


@dataclass(frozen=True)
class ParticleFile:
    """One file: what its header says, after the reader of the family has checked it.

    Attributes
    ----------
    path : Path
    header : Header
    units : UnitSystem
    counts : ndarray of int64, shape (6,)
        Particles of each type in this file.
    mass_table : ndarray, shape (6,)
        Mass of the particles of a type without masses of their own, in file units.
    """

    path: Path
    header: Header
    units: UnitSystem
    counts: np.ndarray
    mass_table: np.ndarray


class JoinedParticles:
    """The particles of several files, counted through.

    Parameters
    ----------
    files : sequence of ParticleFile
    types : dict
        Component name to particle types.
    winds : bool
        Whether a formation time of zero or less marks a wind particle among the stars (AREPO with
        the galaxy formation model of Illustris and TNG).
    fill : bool
        Whether files may differ in what they have: a field is there if any file has it, and NaN
        where a file does not.
    """

    def __init__(
        self,
        files: Sequence[ParticleFile],
        *,
        types: dict[str, tuple[int, ...]] = TYPES,
        winds: bool = False,
        fill: bool = False,
    ) -> None:
        self.files = list(files)
        self.fill = fill
        self.winds = winds
        self._handles = OpenFiles()
        self._times: dict[tuple[float, float, float], CosmicTime] = {}
        self._fields: dict[str, tuple[str, ...]] = {}
        self._parts = {
            name: [(file, kind) for file in self.files for kind in kinds if file.counts[kind] > 0]
            for name, kinds in types.items()
        }
        self._starts = {
            name: np.concatenate([[0], np.cumsum([f.counts[k] for f, k in parts])]).astype(np.int64)
            for name, parts in self._parts.items()
        }

    def close(self) -> None:
        """Close all files."""
        self._handles.close()

    def total(self, component: str) -> int:
        """Number of particles of a component in all files."""
        return int(self._starts[component][-1])

    def fields(self, component: str) -> tuple[str, ...]:
        """Fields that the component has.

        Raises
        ------
        InputError
            If a file has particles without positions, velocities or masses.
        """
        if component not in self._fields:
            self._fields[component] = self._find_fields(component)
        return self._fields[component]

    def _find_fields(self, component: str) -> tuple[str, ...]:
        parts = self._parts[component]
        if not parts:
            return ()
        there = []
        # All files of a snapshot are alike; looking at the first and last spares opening hundreds.
        for file, kind in parts if self.fill else [parts[0], parts[-1]]:
            group = self._group(file, kind)
            names = {n for n in DATASETS if may_have(component, n) and dataset_name(group, n)}
            if file.mass_table[kind] > 0:
                names.add("mass")
            for name in ("position", "velocity", "mass"):
                if name not in names:
                    raise InputError(
                        f"{file.path}: PartType{kind} has no {DATASETS[name][0][0]}; it cannot be "
                        "used without (datasets there: " + ", ".join(sorted(group)) + ")"
                    )
            there.append(names)
        found = set.union(*there) if self.fill else set.intersection(*there)
        return tuple(name for name in DATASETS if name in found)

    def read(
        self,
        component: str,
        fields: Sequence[str],
        start: int,
        stop: int,
        rooms: Rooms | None = None,
    ) -> dict[str, np.ndarray]:
        """Particles ``start <= n < stop`` of a component; see `morphosphere.snapshots.protocol`."""
        total = self.total(component)
        if not 0 <= start <= stop <= total:
            raise InputError(
                f"{self.files[0].path.parent}: the catalogue speaks of {component} {start} to "
                f"{stop}, but the snapshot holds {total}; they do not belong together"
            )
        rooms = rooms or Rooms()
        out = {name: self._room(name, stop - start, rooms) for name in fields}
        done = 0
        for file, kind, low, high in self._pieces(component, start, stop):
            rows = slice(done, done + high - low)
            self._read_piece(
                file, kind, low, high, {name: values[rows] for name, values in out.items()}
            )
            done += high - low
        return out

    def ids(self, component: str) -> np.ndarray:
        """Identifiers of all particles of a component, int64.

        Raises
        ------
        InputError
            If a file has none.
        """
        out = np.empty(self.total(component), dtype=np.int64)
        for (file, kind), start in zip(self._parts[component], self._starts[component]):
            group = self._group(file, kind)
            where = f"{file.path}: PartType{kind}"
            if "ParticleIDs" not in group:
                raise InputError(f"{where} has no ParticleIDs; galaxies cannot be told apart")
            rows = slice(int(start), int(start + file.counts[kind]))
            values = np.empty(int(file.counts[kind]), dtype=group["ParticleIDs"].dtype)
            read_into(values, group["ParticleIDs"], 0, f"{where}/ParticleIDs")
            out[rows] = values.astype(np.int64)
        return out

    def where(self, component: str, field: str, index: int) -> Source:
        """File and dataset of one particle's field."""
        for file, kind, _, _ in self._pieces(component, index, index + 1):
            name = dataset_name(self._group(file, kind), field) or DATASETS[field][0][0]
            return Source(file.path, f"PartType{kind}/{name}")
        return Source(self.files[0].path.parent, f"{component} {field}")

    def _pieces(
        self, component: str, start: int, stop: int
    ) -> Iterator[tuple[ParticleFile, int, int, int]]:
        starts = self._starts[component]
        first = int(np.searchsorted(starts, start, side="right")) - 1
        for part in range(first, len(self._parts[component])):
            if starts[part] >= stop:
                break
            low, high = max(start, starts[part]), min(stop, starts[part + 1])
            if high > low:
                file, kind = self._parts[component][part]
                yield file, kind, int(low - starts[part]), int(high - starts[part])

    def _read_piece(
        self, file: ParticleFile, kind: int, low: int, high: int, out: dict[str, np.ndarray]
    ) -> None:
        """Read rows of one type of one file into `out`, each dataset once."""
        group = self._group(file, kind)
        formation: np.ndarray | None = None
        for field, room in out.items():
            name = dataset_name(group, field)
            where = f"{file.path}: PartType{kind}/{name}"
            if name is None and field == "mass" and file.mass_table[kind] > 0:
                room[...] = file.mass_table[kind] * file.units.factor("mass")
            elif name is None and self.fill:
                room[...] = field == "is_star" or np.nan
            elif name is None:
                wanted = DATASETS[field][0][0]
                raise InputError(f"{file.path}: PartType{kind} has no {wanted}")
            elif field in ("age", "is_star"):
                if formation is None:
                    formation = np.empty(high - low, dtype=group[name].dtype)
                    read_into(formation, group[name], low, where)
                self._date(field, formation, file, kind, room)
            elif field == "metallicity" and kind in READY_MADE:
                room[...] = np.nan
            else:
                factor = 1.0
                if unit := DATASETS[field][1]:
                    factor = file.units.factor_of(unit, group[name].attrs, where)
                read_scaled(room, group[name], low, factor, where)

    def _date(
        self, field: str, formation: np.ndarray, file: ParticleFile, kind: int, room: np.ndarray
    ) -> None:
        if field == "is_star":
            room[...] = formation > 0 if self.winds and kind not in READY_MADE else True
        elif kind in READY_MADE:
            room[...] = np.nan
        elif not file.header.cosmological:
            room[...] = file.header.time - formation * file.units.time
        else:
            self._age(formation, file.header, room)

    def _age(self, formation: np.ndarray, header: Header, room: np.ndarray) -> None:
        key = (header.hubble, header.omega_matter, header.omega_lambda)
        if not np.isfinite(key).all():
            room[...] = np.nan
            return
        if key not in self._times:
            self._times[key] = CosmicTime(*key)
        self._times[key].since(formation, header.scale_factor, room)

    def _group(self, file: ParticleFile, kind: int) -> h5py.Group:
        return self._handles[file.path][f"PartType{kind}"]

    def _room(self, field: str, rows: int, rooms: Rooms) -> np.ndarray:
        if field == "is_star":
            return rooms.take((rows,), bool)
        tail: tuple[int, ...] = (3,) if field in ("position", "velocity") else ()
        tail = (len(BANDS),) if field == "magnitudes" else tail
        return rooms.take((rows, *tail), np.float64 if field == "position" else np.float32)


def count_particles(group: h5py.File, path: Path) -> np.ndarray:
    """Particles of each type by the length of their coordinates, int64, shape (6,).

    Raises
    ------
    InputError
        If a type has datasets but no coordinates.
    """
    counts = np.zeros(6, dtype=np.int64)
    for kind in range(6):
        part = group.get(f"PartType{kind}")
        if part is None or not any(isinstance(part[name], h5py.Dataset) for name in part):
            continue
        if "Coordinates" not in part:
            raise InputError(
                f"{path}: PartType{kind} has no Coordinates; it cannot be used without (datasets "
                "there: " + ", ".join(sorted(part)) + ")"
            )
        counts[kind] = len(part["Coordinates"])
    return counts
