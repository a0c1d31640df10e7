"""What is known of a run before its particles are written: times, nuclei, orbit and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.config.merger_sources import RunSettings
from morphosphere.errors import InputError
from morphosphere.extract.structure import nearest_image
from morphosphere.mergers.runs.files import Moment, find_moments, open_moment
from morphosphere.mergers.runs.orbit import Orbit, find_orbit
from morphosphere.mergers.runs.particles import COMPONENTS, FIELDS, Nuclei, measure, total
from morphosphere.mergers.runs.table import read_rows
from morphosphere.snapshots.cosmology import CosmicTime
from morphosphere.snapshots.protocol import Header, Snapshot

#: Times of table and headers may differ by so many Myr, or by this share of the run.
_SLACK = 1.0
_SHARE = 0.01


@dataclass(frozen=True)
class Plan:
    """A run, before its particles are written.

    Attributes
    ----------
    moments : list of Moment
    time : ndarray, shape (T,)
        Myr, in the times of table or snapshots.
    separation : ndarray, shape (T,)
        kpc.
    orbit : Orbit
    mass_ratio : float
    fields : dict
        Component name to the fields that all snapshots have.
    files : list of Path
        Of the snapshots.
    table : Path or None
    remarks : list of str
    """

    moments: list[Moment]
    time: np.ndarray
    separation: np.ndarray
    orbit: Orbit
    mass_ratio: float
    fields: dict[str, tuple[str, ...]]
    files: list[Path]
    table: Path | None
    remarks: list[str]

    def labels(self, index: int) -> dict[str, Any]:
        """Labels of one moment, in the columns that all mergers share."""
        since = float(self.time[index] - self.orbit.first)
        return {
            "time": float(self.time[index]),
            "time_since_pericentre": since,
            "mass_ratio": self.mass_ratio,
            "separation": float(self.separation[index]),
            "pericentre": self.orbit.pericentre,
            "phase": str(self.orbit.phase(self.time[index : index + 1])[0]),
            "time_of_coalescence": self.orbit.coalescence - self.orbit.first,
            "is_encounter": 1.0,
        }


def make_plan(settings: RunSettings, advance: Callable[[int], None] = lambda n: None) -> Plan:
    """Look at every snapshot of a run, one at a time.

    Raises
    ------
    InputError
        If a snapshot or the table is damaged, or they contradict each other.
    """
    moments = find_moments(settings)
    rows = read_rows(settings, moments) if settings.table else None
    by_ids = rows is None or rows.position is None
    headers, nuclei, fields, files, remarks = [], [], [], [], []
    box = 0.0
    for place, moment in enumerate(moments):
        snapshot = open_moment(moment, settings)
        try:
            headers.append(snapshot.header)
            fields.append(_fields(snapshot, moment))
            files += snapshot.files
            remarks += [] if place else [r for r in snapshot.remarks if "units" in r]
            box = snapshot.header.box_size
            if by_ids or (place == 0 and settings.galaxy_1):
                nuclei.append(measure(snapshot, moment, settings))
        finally:
            snapshot.close()
        advance(1)
    said = _times(headers)
    if rows is None:
        time = said
        if not np.isfinite(time).all():
            bad = int(np.flatnonzero(~np.isfinite(time))[0])
            raise InputError(
                f"{moments[bad].path}: its header has no time; give a `table` with times"
            )
    else:
        time = rows.time
        _check_times(rows.path, time, said, moments, headers[0])
    _check_order(time, moments)
    if rows is not None and rows.position is not None:
        position, velocity = rows.position, None
    else:
        position = np.array([each.position for each in nuclei])
        velocity = np.array([each.velocity for each in nuclei])
        velocity = velocity[:, 1] - velocity[:, 0]
    relative = nearest_image(position[:, 1] - position[:, 0], box)
    orbit = find_orbit(
        time,
        relative,
        velocity,
        close=settings.coalescence_separation,
        first=settings.first_pericentre,
    )
    if not np.isfinite(orbit.first):
        remarks.append(
            "no first pericentre between the first and the last snapshot; times since it are not "
            "known (set first_pericentre if it is known)"
        )
    return Plan(
        moments=moments,
        time=time,
        separation=np.linalg.norm(relative, axis=1),
        orbit=orbit,
        mass_ratio=_mass_ratio(settings, nuclei, remarks),
        fields=_common(fields),
        files=list(dict.fromkeys(files)),
        table=None if rows is None else rows.path,
        remarks=remarks,
    )


def _fields(snapshot: Snapshot, moment: Moment) -> dict[str, tuple[str, ...]]:
    """Fields of the components that there are; every dataset is asked for its last row."""
    out = {}
    for component in COMPONENTS:
        count = total(snapshot, component)
        if count == 0:
            continue
        out[component] = tuple(f for f in FIELDS if f in snapshot.fields(component))
        snapshot.read(component, out[component], count - 1, count)
    if "stars" not in out:
        raise InputError(f"{moment.path}: no stars in it; a merger's images are made of its stars")
    return out


def _common(fields: Sequence[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    out = {}
    for component in COMPONENTS:
        there = [each[component] for each in fields if component in each]
        if there:
            out[component] = tuple(f for f in there[0] if all(f in each for each in there))
    return out


def _times(headers: Sequence[Header]) -> np.ndarray:
    """Times of snapshots in Myr; NaN where a header does not say."""
    out = np.full(len(headers), np.nan)
    for i, header in enumerate(headers):
        if not header.cosmological:
            out[i] = 1e3 * header.time
        elif np.isfinite([header.scale_factor, header.omega_matter, header.omega_lambda]).all():
            age = CosmicTime(header.hubble, header.omega_matter, header.omega_lambda)
            out[i] = 1e3 * float(age.age(header.scale_factor))
    return out


def _check_times(
    path: Path, time: np.ndarray, said: np.ndarray, moments: Sequence[Moment], header: Header
) -> None:
    """Refuse a table whose times pass at another pace than those of the snapshots."""
    if not np.isfinite(said).all() or header.units != "stated by the files":
        return
    difference = (time - time[0]) - (said - said[0])
    worst = int(np.argmax(np.abs(difference)))
    if abs(difference[worst]) > _SLACK + _SHARE * (said[-1] - said[0]):
        raise InputError(
            f"{path}: from {moments[0].path.name} to {moments[worst].path.name} "
            f"{time[worst] - time[0]:.4g} Myr pass, but {said[worst] - said[0]:.4g} by their "
            "headers; correct the table, or columns.time and columns.time_unit"
        )


def _check_order(time: np.ndarray, moments: Sequence[Moment]) -> None:
    for i in np.flatnonzero(np.diff(time) <= 0):
        raise InputError(
            f"{moments[i + 1].path}: its time {time[i + 1]:.5g} Myr is not after that of "
            f"{moments[i].path.name}, {time[i]:.5g} Myr; the snapshots are not of one run, or "
            "the table is wrong"
        )


def _mass_ratio(settings: RunSettings, nuclei: Sequence[Nuclei], remarks: list[str]) -> float:
    if not nuclei:
        return np.nan if settings.mass_ratio is None else settings.mass_ratio
    mass = nuclei[0].mass
    measured = float(mass.min() / mass.max())
    if settings.mass_ratio is None:
        return measured
    if abs(measured - settings.mass_ratio) > 0.02 * settings.mass_ratio:
        remarks.append(
            f"mass_ratio is set to {settings.mass_ratio:.4g}, but the particles of the first "
            f"snapshot have {measured:.4g}"
        )
    return settings.mass_ratio
