"""The extract stage: MPI ranks share the shards, shards share the galaxies."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter
from morphosphere.config.extract import ExtractSettings
from morphosphere.errors import InputError
from morphosphere.extract.galaxy import Rejected, make_galaxy
from morphosphere.extract.select import keeps, nothing_left, select
from morphosphere.extract.slabs import Slab, particles_read, read_slab, shards, slabs
from morphosphere.extract.table import write_properties, write_rejects
from morphosphere.parallel import World
from morphosphere.progress import log, progress
from morphosphere.snapshots.families import open_snapshot
from morphosphere.snapshots.protocol import Snapshot, Subhalos

#: Fields that a galaxy can do without, and what is lost.
_OPTIONAL = {
    "stars": {
        "age": "ages",
        "metallicity": "metallicities",
        "magnitudes": "photometry",
        "smoothing_length": "smoothing lengths",
    },
    "gas": {"sfr": "star formation rates", "metallicity": "metallicities", "density": "densities"},
}


@dataclass(frozen=True)
class Plan:
    """What is extracted from where; the same on all ranks.

    Attributes
    ----------
    simulation : str
    number : int
        Of the snapshot.
    snapshot : Snapshot
    subhalos : Subhalos
        Those that passed the cuts on the catalogue.
    total : int
        Subhalos in the catalogue.
    removed : dict
        Cut to the number of subhalos that it removed.
    """

    simulation: str
    number: int
    snapshot: Snapshot
    subhalos: Subhalos
    total: int
    removed: dict[str, int]

    def galaxy_id(self, row: int) -> str:
        """Identifier of the galaxy in a row of `subhalos`."""
        return f"{self.simulation}_{self.number}_{self.subhalos.label(row)}"


@dataclass
class Outcome:
    """What became of the galaxies of one shard."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str]] = field(default_factory=list)


def make_plan(
    path: Path, simulation: str, number: int, family: str, settings: ExtractSettings
) -> Plan:
    """Open a snapshot and select the subhalos."""
    snapshot = open_snapshot(path, number, family)
    subhalos = snapshot.subhalos()
    rows, removed = select(subhalos, settings, f"{simulation}, snapshot {number}")
    plan = Plan(simulation, number, snapshot, subhalos.take(rows), len(subhalos), removed)
    log(
        f"{simulation}, snapshot {number} ({snapshot.family}, {len(snapshot.files)} files): "
        f"{len(rows)} of {len(subhalos)} subhalos"
        + "".join(f"; {name} removed {count}" for name, count in removed.items())
    )
    for remark in remarks(snapshot):
        log(f"{simulation}, snapshot {number}: {remark}")
    return plan


def remarks(snapshot: Snapshot) -> list[str]:
    """What a user should know: remarks of the reader, and data that the snapshot lacks."""
    lines = list(snapshot.remarks)
    for component, names in _OPTIONAL.items():
        fields = snapshot.fields(component)
        if not fields:
            lines.append(f"no {component} in this snapshot")
        elif missing := [said for name, said in names.items() if name not in fields]:
            lines.append(f"{component} without {', '.join(missing)}")
    return lines


def extract(
    path: Path,
    output: Path,
    *,
    simulation: str,
    number: int,
    family: str,
    settings: ExtractSettings,
    world: World,
) -> dict[str, Any] | None:
    """Extract the galaxies of one snapshot into `output`.

    The files appear together at the end: ``0.h5`` to ``<shards - 1>.h5``, ``rejects.csv`` and
    ``galaxies.parquet``.

    Returns
    -------
    dict or None
        Facts for the run record, on the first rank.

    Raises
    ------
    InputError
        If the snapshot cannot be read, or no galaxy is left.
    """
    plan = make_plan(path, simulation, number, family, settings) if world.first else None
    staging = output / ".partial"
    if world.first:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
    plan = world.broadcast(plan)
    weights = sum(plan.subhalos.count[name] for name in components(plan.snapshot, settings))
    parts = shards(weights, settings.shards)
    mine = world.share(settings.shards)
    outcomes = []
    total = sum(len(parts[i]) for i in mine)
    with progress("extract galaxies", total, show=world.first) as advance:
        for index in mine:
            outcomes.append(
                write_shard(staging / f"{index}.h5", plan, parts[index], settings, advance)
            )
    plan.snapshot.close()
    gathered = world.gather(outcomes)
    if gathered is None:
        return None
    outcomes = [outcome for part in gathered for outcome in part]
    rows = [row for outcome in outcomes for row in outcome.rows]
    rejects = [reject for outcome in outcomes for reject in outcome.rejects]
    for name, reason in rejects[:20]:
        log(f"{name}: rejected, {reason}")
    if len(rejects) > 20:
        log(f"{len(rejects) - 20} more galaxies rejected, see rejects.csv")
    if not rows:
        write_rejects(output / "rejects.csv", rejects)
        shutil.rmtree(staging)
        removed = {**plan.removed, "reading the particles": len(rejects)}
        raise InputError(nothing_left(f"{simulation}, snapshot {number}", plan.total, removed))
    about = {"simulation": simulation, "snapshot": str(number)}
    write_rejects(staging / "rejects.csv", rejects)
    write_properties(staging / "galaxies.parquet", rows, about)
    _publish(staging, output, settings.shards)
    reasons = Counter(reason.lstrip("0123456789 ") for _, reason in rejects)
    return {
        "family": plan.snapshot.family,
        "subhalos": plan.total,
        "removed": plan.removed,
        "galaxies": len(rows),
        "rejected": len(rejects),
        "reject_reasons": dict(reasons.most_common(20)),
        "remarks": remarks(plan.snapshot),
        "units": plan.snapshot.header.units,
        "files": [str(file) for file in plan.snapshot.files],
    }


def components(snapshot: Snapshot, settings: ExtractSettings) -> list[str]:
    """Components that are extracted."""
    wanted = ["stars", "gas"] + ["dark_matter"] * settings.dark_matter
    return [name for name in wanted if name == "stars" or snapshot.fields(name)]


def write_shard(
    path: Path, plan: Plan, part: range, settings: ExtractSettings, advance: Any
) -> Outcome:
    """Write the galaxies of one shard."""
    outcome = Outcome()
    with GalaxySetWriter(path, attributes(plan, settings)) as writer:
        for row, galaxy in galaxies(plan, part, settings, outcome):
            writer.add(galaxy)
            outcome.rows.append(galaxy.properties)
            advance(row)
    return outcome


def galaxies(
    plan: Plan, part: range, settings: ExtractSettings, outcome: Outcome
) -> Iterator[tuple[int, Galaxy]]:
    """Galaxies of a range of the plan's subhalos, read slab by slab; rejects go to `outcome`.

    Yields
    ------
    int
        Subhalos done since the last.
    Galaxy
    """
    snapshot, subhalos, header = plan.snapshot, plan.subhalos, plan.snapshot.header
    names = components(snapshot, settings)
    fields = {name: _wanted(snapshot, name) for name in names}
    held = particles_read(subhalos, names)[part.start : part.stop]
    done = 0
    for slab in slabs(held, settings.chunk):
        rows = np.arange(part.start + slab.start, part.start + slab.stop)
        data = {n: read_slab(snapshot, subhalos, n, fields[n], rows) for n in names}
        for index, row in enumerate(rows):
            done += 1
            identity = {
                "galaxy_id": plan.galaxy_id(row),
                "source": plan.simulation,
                "snapshot": plan.number,
                "subhalo_id": int(subhalos.ids[row]),
                "redshift": header.redshift,
            }
            try:
                galaxy = make_galaxy(
                    {name: data[name].galaxy(index) for name in names},
                    position=subhalos.position[row],
                    box_size=header.box_size,
                    bands=snapshot.bands,
                    settings=settings,
                    identity=identity,
                )
            except Rejected as reason:
                why = _why(reason, snapshot, data, index)
                outcome.rejects.append((identity["galaxy_id"], why))
                continue
            unknown = not np.isfinite(subhalos.stellar_mass[row])
            mass = galaxy.properties["stellar_mass"] if unknown else np.nan
            if reason := keeps(settings, galaxy.properties["n_stars"], mass):
                outcome.rejects.append((identity["galaxy_id"], reason))
                continue
            yield done, galaxy
            done = 0


def attributes(plan: Plan, settings: ExtractSettings) -> dict[str, Any]:
    """What is said of a whole GalaxySet."""
    header = plan.snapshot.header
    return {
        "simulation": plan.simulation,
        "snapshot": plan.number,
        "family": plan.snapshot.family,
        "redshift": header.redshift,
        "scale_factor": header.scale_factor,
        "hubble": header.hubble,
        "omega_matter": header.omega_matter,
        "omega_lambda": header.omega_lambda,
        "box_size": header.box_size,
        "magnitude_bands": list(plan.snapshot.bands),
        "centre": settings.centre,
    }


def _wanted(snapshot: Snapshot, component: str) -> list[str]:
    """Fields to read: all that there are, but the potential only where it gives the centre."""
    needs_potential = snapshot.family in ("cutouts", "galaxychop", "isolated")
    return [f for f in snapshot.fields(component) if f != "potential" or needs_potential]


def _why(reason: Rejected, snapshot: Snapshot, data: dict[str, Slab], index: int) -> str:
    """Why a galaxy is rejected, with file and dataset of the first particle at fault."""
    if reason.fault is None:
        return str(reason)
    component, field, particle = reason.fault
    row = int(data[component].offsets[index]) + particle
    return f"{reason} ({snapshot.where(component, field, row)})"


def _publish(staging: Path, output: Path, number: int) -> None:
    """Move all files into place, the table last; remove shards of an earlier, larger number."""
    for name in [*(f"{i}.h5" for i in range(number)), "rejects.csv", "galaxies.parquet"]:
        os.replace(staging / name, output / name)
    staging.rmdir()
    for path in output.glob("*.h5"):
        if path.stem.isdigit() and int(path.stem) >= number:
            path.unlink()
