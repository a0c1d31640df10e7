"""One shard of a GalaxySet: slabs of particles are read, galaxies made of them and written.

A group of ranks makes slabs in turn, and its first rank writes what all have made, in order. The
file is the same whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter
from morphosphere.config.extract import ExtractSettings
from morphosphere.extract.galaxy import FINITE, Rejected, make_galaxy
from morphosphere.extract.plan import Plan, components
from morphosphere.extract.select import keeps
from morphosphere.extract.slabs import Slab, particles_read, read_slab, slabs
from morphosphere.memory import give_back
from morphosphere.parallel import World
from morphosphere.snapshots.protocol import Snapshot
from morphosphere.snapshots.rooms import Rooms

#: Slabs for each rank of a group, or more: their work is uneven.
SLABS = 4


@dataclass
class Outcome:
    """What became of the galaxies of one shard."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str]] = field(default_factory=list)


def write_shard(
    path: Path,
    plan: Plan,
    part: range,
    settings: ExtractSettings,
    group: World,
    advance: Callable[[int], None],
    rooms: Rooms,
) -> Outcome:
    """Write the galaxies of one shard, made slab by slab by the ranks of a group in turn.

    Particles are read into memory of `rooms`.

    Returns
    -------
    Outcome
        On the first rank of the group; an empty one on the others.
    """
    outcome = Outcome()
    held = particles_read(plan.subhalos, components(plan.snapshot, settings))
    held = held[part.start : part.stop]
    # Which galaxies are read together changes no result: there are slabs for every rank.
    chunk = settings.chunk if group.size == 1 else held.sum() // (SLABS * group.size) + 1
    pieces = slabs(held, min(chunk, settings.chunk))
    rows = [range(part.start + piece.start, part.start + piece.stop) for piece in pieces]
    if not group.first:
        for number in range(group.rank, len(rows), group.size):
            group.send(list(galaxies(plan, rows[number], settings, rooms)))
            give_back()
        return outcome
    with GalaxySetWriter(path, attributes(plan, settings)) as writer:
        for number in range(len(rows)):
            rank = number % group.size
            made = group.receive(rank) if rank else galaxies(plan, rows[number], settings, rooms)
            for result in made:
                if isinstance(result, Galaxy):
                    writer.add(result)
                    outcome.rows.append(result.properties)
                else:
                    outcome.rejects.append(result)
                advance(1)
            give_back()
    return outcome


def galaxies(
    plan: Plan, rows: range, settings: ExtractSettings, rooms: Rooms
) -> Iterator[Galaxy | tuple[str, str]]:
    """Read a slab, the subhalos in some rows of the plan; make a galaxy of each.

    They are of memory that the next slab is read into.

    Yields
    ------
    Galaxy, or (str, str)
        In the second case the identifier and why this one is rejected.
    """
    snapshot, subhalos, header = plan.snapshot, plan.subhalos, plan.snapshot.header
    names = components(snapshot, settings)
    numbers = np.arange(rows.start, rows.stop)
    rooms.clear()
    data = {
        n: read_slab(snapshot, subhalos, n, _wanted(snapshot, n), numbers, rooms) for n in names
    }
    checked = all(slab.finite(FINITE) for slab in data.values())
    for index, row in enumerate(rows):
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
                checked=checked,
            )
        except Rejected as reason:
            yield identity["galaxy_id"], _why(reason, snapshot, data, index)
            continue
        unknown = not np.isfinite(subhalos.stellar_mass[row])
        mass = galaxy.properties["stellar_mass"] if unknown else np.nan
        reason = keeps(settings, galaxy.properties["n_stars"], mass)
        yield (identity["galaxy_id"], reason) if reason else galaxy


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
