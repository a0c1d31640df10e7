"""Small snapshots in the AREPO/TNG layout whose every number the test knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

H, REDSHIFT, BOX = 0.5, 1.0, 1000.0
A = 1 / (1 + REDSHIFT)
#: One comoving kpc/h in physical kpc.
KPC = A / H


@dataclass
class Object:
    """One subhalo, in file units: comoving kpc/h, km/s sqrt(a), 1e10 solar masses/h."""

    centre: Sequence[float] = (500.0, 500.0, 500.0)
    stars: int = 200
    gas: int = 50
    dark_matter: int = 30
    winds: int = 0
    axis: Sequence[float] = (0.0, 0.0, 1.0)
    velocity: Sequence[float] = (100.0, -50.0, 20.0)
    flag: bool = True
    types: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)


def fill(thing: Object, rng: np.random.Generator) -> Object:
    """Give an object its particles: a disc of 10 kpc/h that turns about `axis` at 200 km/s."""
    axis = np.asarray(thing.axis, dtype=float) / np.linalg.norm(thing.axis)
    side = np.cross(axis, [1.0, 0.3, 0.2])
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    for kind, n in ((0, thing.gas), (1, thing.dark_matter), (4, thing.stars + thing.winds)):
        # Pairs at opposite places keep the centre of mass at the centre.
        half = rng.random(n // 2 + 1) * 10
        angle = rng.random(n // 2 + 1) * 2 * np.pi
        r = np.repeat(half, 2)[:n, None]
        angle = np.stack([angle, angle + np.pi], axis=1).ravel()[:n, None]
        place = r * (np.cos(angle) * side + np.sin(angle) * other)
        speed = 200 * (-np.sin(angle) * side + np.cos(angle) * other)
        formation = np.full(n, 0.4)
        formation[n - thing.winds * (kind == 4) :] = -0.3
        thing.types[kind] = {
            "Coordinates": ((place + thing.centre) % BOX).astype(np.float32),
            "Velocities": ((speed + thing.velocity) / np.sqrt(A)).astype(np.float32),
            "Masses": np.full(n, 1e-4 * (kind + 1), dtype=np.float32),
            "ParticleIDs": np.arange(n, dtype=np.uint64),
        }
        if kind == 4:
            thing.types[kind]["GFM_StellarFormationTime"] = formation.astype(np.float32)
            thing.types[kind]["GFM_Metallicity"] = np.full(n, 0.02, dtype=np.float32)
        if kind == 0:
            thing.types[kind]["StarFormationRate"] = np.full(n, 0.1, dtype=np.float32)
            thing.types[kind]["Density"] = np.full(n, 1e-4, dtype=np.float32)
        if kind == 1:
            del thing.types[kind]["Masses"]
    return thing


def write_cutout(path: Path | BinaryIO, thing: Object, *, seed: int = 3, **header: object) -> None:
    """A cutout as the TNG web API delivers it: a header, and groups for the types it has."""
    fill(thing, np.random.default_rng(seed))
    with h5py.File(path, "w") as out:
        out.create_group("Header").attrs.update(
            BoxSize=BOX,
            HubbleParam=H,
            Omega0=0.3,
            OmegaLambda=0.7,
            Redshift=1 / A - 1,
            Time=A,
            MassTable=np.array([0, 3e-4, 0, 0, 0, 0]),
            NumFilesPerSnapshot=1,
            NumPart_ThisFile=np.zeros(6, dtype=np.int32),
            **header,
        )
        for kind, data in thing.types.items():
            for name, values in data.items():
                if len(values):
                    out[f"PartType{kind}/{name}"] = values


def write_arepo(
    folder: Path,
    groups: Sequence[Sequence[Object]],
    *,
    number: int = 7,
    files: int = 2,
    fuzz: int = 5,
    seed: int = 1,
) -> list[Object]:
    """Write ``snapdir_NNN`` and ``groups_NNN``; return all objects in the order of the catalogue.

    `fuzz` particles of each type, far away, stand behind the subhalos of each group.
    """
    rng = np.random.default_rng(seed)
    things = [fill(thing, rng) for group in groups for thing in group]
    parts: dict[int, list[dict[str, np.ndarray]]] = {0: [], 1: [], 4: []}
    for group in groups:
        for kind, pieces in parts.items():
            pieces.extend(thing.types[kind] for thing in group)
            stray = fill(Object((50.0, 60.0, 70.0), fuzz, fuzz, fuzz), rng)
            pieces.append(stray.types[kind])
    joined = {
        kind: {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}
        for kind, pieces in parts.items()
    }
    total = np.zeros(6, dtype=np.int64)
    for kind, data in joined.items():
        total[kind] = len(data["Coordinates"])
    header = {
        "BoxSize": BOX,
        "HubbleParam": H,
        "Omega0": 0.3,
        "OmegaLambda": 0.7,
        "OmegaBaryon": 0.05,
        "Redshift": REDSHIFT,
        "Time": A,
        "MassTable": np.array([0, 3e-4, 0, 0, 0, 0]),
        "UnitLength_in_cm": 3.085678e21,
        "UnitMass_in_g": 1.989e43,
        "UnitVelocity_in_cm_per_s": 1e5,
        "NumFilesPerSnapshot": np.int32(files),
        "NumPart_Total": (total & 0xFFFFFFFF).astype(np.uint32),
        "NumPart_Total_HighWord": (total >> 32).astype(np.uint32),
    }
    snapdir = folder / f"snapdir_{number:03d}"
    snapdir.mkdir(parents=True)
    for index in range(files):
        with h5py.File(snapdir / f"snap_{number:03d}.{index}.hdf5", "w") as out:
            here = np.zeros(6, dtype=np.int32)
            for kind, data in joined.items():
                n = total[kind]
                rows = slice(n * index // files, n * (index + 1) // files)
                here[kind] = rows.stop - rows.start
                for name, values in data.items():
                    out[f"PartType{kind}/{name}"] = values[rows]
            out.create_group("Header").attrs.update({**header, "NumPart_ThisFile": here})
    _write_catalogue(folder / f"groups_{number:03d}", number, groups, header, files, fuzz)
    return things


def _write_catalogue(folder, number, groups, header, files, fuzz) -> None:
    things = [(g, thing) for g, group in enumerate(groups) for thing in group]
    length = np.array(
        [[t.gas, t.dark_matter, 0, 0, t.stars + t.winds, 0] for _, t in things], dtype=np.int32
    ).reshape(-1, 6)
    of = np.array([g for g, _ in things], dtype=np.int32)
    group_length = np.zeros((len(groups), 6), dtype=np.int32)
    np.add.at(group_length, of, length)
    group_length[:, [0, 1, 4]] += fuzz
    mass = np.zeros((len(things), 6), dtype=np.float32)
    mass[:, 4] = [5e-4 * t.stars for _, t in things]
    radius = np.full((len(things), 6), 5.0, dtype=np.float32)
    subhalos = {
        "SubhaloLenType": length,
        "SubhaloGrNr": of,
        "SubhaloPos": np.array([t.centre for _, t in things], dtype=np.float32).reshape(-1, 3),
        "SubhaloVel": np.array([t.velocity for _, t in things], dtype=np.float32).reshape(-1, 3),
        "SubhaloMassType": mass,
        "SubhaloHalfmassRadType": radius,
        "SubhaloFlag": np.array([t.flag for _, t in things], dtype=bool),
    }
    folder.mkdir(parents=True)
    for index in range(files):
        with h5py.File(folder / f"fof_subhalo_tab_{number:03d}.{index}.hdf5", "w") as out:
            here = {}
            for name, total in (("Subhalo", len(things)), ("Group", len(groups))):
                rows = slice(total * index // files, total * (index + 1) // files)
                here[name] = rows.stop - rows.start
                if here[name] and name == "Subhalo":
                    for key, values in subhalos.items():
                        out[f"Subhalo/{key}"] = values[rows]
                elif here[name]:
                    out["Group/GroupLenType"] = group_length[rows]
            out.create_group("Header").attrs.update(
                {
                    "Time": header["Time"],
                    "Redshift": header["Redshift"],
                    "NumFiles": np.int32(files),
                    "Ngroups_ThisFile": np.int32(here["Group"]),
                    "Ngroups_Total": np.int32(len(groups)),
                    "Nsubgroups_ThisFile": np.int32(here["Subhalo"]),
                    "Nsubgroups_Total": np.int32(len(things)),
                }
            )
