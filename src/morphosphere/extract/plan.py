"""What is extracted from where: the snapshot, its subhalos that pass the cuts, their components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from morphosphere.config.extract import ExtractSettings
from morphosphere.extract.select import select
from morphosphere.progress import log
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


def components(snapshot: Snapshot, settings: ExtractSettings) -> list[str]:
    """Components that are extracted."""
    wanted = ["stars", "gas"] + ["dark_matter"] * settings.dark_matter
    return [name for name in wanted if name == "stars" or snapshot.fields(name)]
