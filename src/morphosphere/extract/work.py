"""The extract stage: shards share the galaxies, MPI ranks share the shards.

Where there are more ranks than shards, a group of ranks makes each of them.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from morphosphere.config.extract import ExtractSettings
from morphosphere.errors import InputError
from morphosphere.extract.plan import components, make_plan, remarks
from morphosphere.extract.select import nothing_left
from morphosphere.extract.shard import write_shard
from morphosphere.extract.slabs import shards
from morphosphere.extract.table import write_properties, write_rejects
from morphosphere.parallel import World
from morphosphere.progress import log, progress
from morphosphere.snapshots.rooms import Rooms


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
    mine, group = world.share(settings.shards), World()
    if world.size > settings.shards:
        index, group = world.split(settings.shards)
        mine = range(index, index + 1)
    outcomes, rooms = [], Rooms()
    total = sum(len(parts[i]) for i in mine)
    with progress(world.doing("extract galaxies"), total, show=world.first) as advance:
        for index in mine:
            path = staging / f"{index}.h5"
            outcomes.append(write_shard(path, plan, parts[index], settings, group, advance, rooms))
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


def _publish(staging: Path, output: Path, number: int) -> None:
    """Move all files into place, the table last; remove shards of an earlier, larger number."""
    for name in [*(f"{i}.h5" for i in range(number)), "rejects.csv", "galaxies.parquet"]:
        os.replace(staging / name, output / name)
    staging.rmdir()
    for path in output.glob("*.h5"):
        if path.stem.isdigit() and int(path.stem) >= number:
            path.unlink()
