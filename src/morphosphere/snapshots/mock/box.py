"""Writing a planned box: every subhalo is made, measured, written and forgotten."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from morphosphere.files import atomic_directory
from morphosphere.progress import progress
from morphosphere.snapshots.mock.make import Placed, make_fuzz, make_unit, units
from morphosphere.snapshots.mock.particles import Galaxy
from morphosphere.snapshots.mock.plan import CLUMP, BoxPlan, stream
from morphosphere.snapshots.mock.populations import halo_radius
from morphosphere.snapshots.mock.tng_catalogue import Measured, measure
from morphosphere.snapshots.mock.tng_files import StreamedFiles
from morphosphere.snapshots.mock.tng_header import catalogue_headers, parameters, snapshot_headers
from morphosphere.snapshots.mock.tng_units import (
    Fields,
    Units,
    dark_matter_fields,
    gas_fields,
    star_fields,
)

_FUZZ_STREAM = (1 << 31) + 1
_WHOLE = {"SubhaloLen", "SubhaloLenType", "GroupLen", "GroupLenType"}


def write_box(plan: BoxPlan, output: Path, *, show: bool = True) -> None:
    """Write the snapshot and the group catalogue under `output`, each folder whole or not at all.

    Parameters
    ----------
    plan : BoxPlan
    output : Path
        Gets ``snapdir_NNN/snap_NNN.K.hdf5`` and ``groups_NNN/fof_subhalo_tab_NNN.K.hdf5``.
    show : bool
        Whether progress is shown.
    """
    number, files = f"{plan.settings.snapshot:03d}", range(plan.settings.files)
    with contextlib.ExitStack() as stack:
        snapdir = stack.enter_context(atomic_directory(output / f"snapdir_{number}"))
        groups = stack.enter_context(atomic_directory(output / f"groups_{number}"))
        writer = _Writer(
            plan,
            [snapdir / f"snap_{number}.{k}.hdf5" for k in files],
            [groups / f"fof_subhalo_tab_{number}.{k}.hdf5" for k in files],
        )
        stack.callback(writer.abandon)
        advance = stack.enter_context(progress("make galaxies", len(plan.kind), show=show))
        made = iter(_make(plan))
        for group, subhalos in enumerate(plan.group_subhalos):
            writer.start_group(group)
            row = plan.first_subhalo_of(group)
            stop = row + int(subhalos)
            while row < stop:
                for placed in next(made):
                    writer.add_subhalo(row, placed)
                    row += 1
                    advance(1)
            writer.end_group(group)
        writer.close()


def _make(plan: BoxPlan) -> Iterator[list[Placed]]:
    """All units in order, made by this process or by others that run a little ahead of it."""
    todo = units(plan)
    if plan.settings.workers == 1:
        for first, stop in todo:
            yield make_unit(plan, first, stop)
        return
    with ProcessPoolExecutor(plan.settings.workers, initializer=_start, initargs=(plan,)) as pool:
        ahead = deque(
            pool.submit(_make_one, *span)
            for span in itertools.islice(todo, 2 * plan.settings.workers)
        )
        while ahead:
            yield ahead.popleft().result()
            for span in itertools.islice(todo, 1):
                ahead.append(pool.submit(_make_one, *span))


_plan: BoxPlan | None = None


def _start(plan: BoxPlan) -> None:
    global _plan
    _plan = plan


def _make_one(first: int, stop: int) -> list[Placed]:
    return make_unit(_plan, first, stop)


class _Writer:
    """Turns placed galaxies into rows of the snapshot and of the catalogue."""

    def __init__(self, plan: BoxPlan, snapshot: list[Path], catalogue: list[Path]) -> None:
        self.plan = plan
        self.units = Units(plan.settings.redshift)
        self.side = plan.settings.box_size
        self.dark_mass = float(self.units.mass(plan.settings.dark_matter_mass))
        self.group_counts = plan.group_counts
        self.next_id = np.uint64(1)
        self.particles = StreamedFiles(
            snapshot,
            {f"PartType{k}": int(plan.total[k]) for k in (0, 1, 4)},
            snapshot_headers(plan),
            {"Parameters": parameters(plan), "Config": {}},
        )
        self.catalogue = StreamedFiles(
            catalogue,
            {"Group": len(plan.group_subhalos), "Subhalo": len(plan.kind)},
            catalogue_headers(plan),
            {},
            block=1 << 8,  # as single arrays a row takes some ten kB
        )

    def start_group(self, group: int) -> None:
        self.group_centre = self.plan.group_position[group] * self.side
        self.members: list[Measured] = []

    def add_subhalo(self, row: int, placed: Placed) -> None:
        group = int(self.plan.group[row])
        centre = self.group_centre + self.units.length(placed.offset)
        velocity = self.plan.group_velocity[group] + placed.drift
        fields = self._fields(placed.galaxy, centre, velocity)
        found = measure(fields, centre=centre, dark_mass=self.dark_mass, units=self.units)
        ids = self._append(fields)
        values = {
            **found.row,
            "SubhaloPos": np.mod(found.row["SubhaloPos"], self.side),
            "SubhaloCM": np.mod(found.row["SubhaloCM"], self.side),
            "SubhaloFlag": np.array(self.plan.kind[row] != CLUMP),
            "SubhaloGrNr": np.int32(group),
            "SubhaloParent": np.int32(0),
            "SubhaloIDMostbound": ids,
        }
        self.catalogue.append("Subhalo", {key: _row(key, v) for key, v in values.items()})
        self.members.append(found)

    def end_group(self, group: int) -> None:
        rng = stream(self.plan.seed, _FUZZ_STREAM, group)
        halo = float(self.plan.group_halo[group])
        fuzz = make_fuzz(
            rng,
            self.plan.group_fuzz[group],
            radius=halo_radius(halo),
            mass=self.plan.settings.star_mass,
        )
        fields = self._fields(fuzz, self.group_centre, self.plan.group_velocity[group])
        found = measure(
            fields, centre=self.group_centre, dark_mass=self.dark_mass, units=self.units
        )
        self._append(fields)
        self.catalogue.append("Group", self._group_row(group, halo, [*self.members, found]))

    def _group_row(self, group: int, halo: float, parts: list[Measured]) -> dict[str, np.ndarray]:
        mass_type = np.sum([p.mass_type for p in parts], axis=0)
        mass = mass_type.sum()
        metals = np.sum([p.metals for p in parts], axis=0)
        counts = self.group_counts[group]
        radius = float(self.units.length(halo_radius(halo)))
        centre = np.sum([p.moment for p in parts], axis=0) / mass
        velocity = np.sum([p.momentum for p in parts], axis=0) / mass
        values = {
            "GroupCM": np.mod(centre, self.side),
            "GroupFirstSub": np.int32(self.plan.first_subhalo_of(group)),
            "GroupGasMetallicity": metals[0] / max(mass_type[0], 1e-30),
            "GroupLen": int(counts.sum()),
            "GroupLenType": counts,
            "GroupMass": mass,
            "GroupMassType": mass_type,
            "GroupNsubs": np.int32(self.plan.group_subhalos[group]),
            "GroupPos": np.mod(self.group_centre, self.side),
            "GroupSFR": sum(p.sfr for p in parts),
            "GroupStarMetallicity": metals[1] / max(mass_type[4], 1e-30),
            "GroupVel": velocity / self.units.scale_factor,
            "Group_M_Crit200": self.units.mass(halo),
            "Group_R_Crit200": radius,
            "Group_M_Mean200": self.units.mass(1.15 * halo),
            "Group_R_Mean200": 1.6 * radius,
        }
        return {key: _row(key, value) for key, value in values.items()}

    def _fields(
        self, galaxy: Galaxy, centre: np.ndarray, velocity: np.ndarray
    ) -> dict[int, Fields]:
        fields = {
            0: gas_fields(galaxy.gas, self.units),
            1: dark_matter_fields(galaxy.dark_matter, self.units),
            4: star_fields(galaxy.stars, self.units),
        }
        drift = self.units.velocity(velocity).astype(np.float32)
        for part in fields.values():
            part["Coordinates"] = part["Coordinates"] + centre
            part["Velocities"] = part["Velocities"] + drift
        return fields

    def _append(self, fields: dict[int, Fields]) -> np.uint64:
        """Write particles, wrapped into the box and numbered; returns the first one's number."""
        first = None
        for kind in (4, 1, 0):
            part = fields[kind]
            count = len(part["Coordinates"])
            start = int(self.next_id)
            if count and first is None:
                first = start
            self.next_id = np.uint64(start + count)
            wrapped = np.mod(part["Coordinates"], self.side)
            wrapped[wrapped >= self.side] = 0.0
            self.particles.append(
                f"PartType{kind}",
                {
                    **part,
                    "Coordinates": wrapped,
                    "ParticleIDs": np.arange(start, start + count, dtype=np.uint64),
                },
            )
        return np.uint64(first or 0)

    def close(self) -> None:
        """Add the particles of no group, and finish the files."""
        rng = stream(self.plan.seed, _FUZZ_STREAM)
        loose = make_fuzz(rng, self.plan.field, radius=1.0, mass=self.plan.settings.star_mass)
        fields = self._fields(loose, np.zeros(3), np.zeros(3))
        for part in fields.values():
            part["Coordinates"] = rng.random(part["Coordinates"].shape) * self.side
        self._append(fields)
        self.particles.close()
        self.catalogue.close()

    def abandon(self) -> None:
        """Close all files, finished or not."""
        self.particles.abandon()
        self.catalogue.abandon()


def _row(key: str, value: object) -> np.ndarray:
    """One row of a catalogue's dataset, in the real catalogue's type."""
    array = np.asarray(value)
    if key in _WHOLE:
        array = array.astype(np.int32)
    elif array.dtype == np.float64:
        array = array.astype(np.float32)
    return array[None]
