"""A small run of a merger: two clumps on a known orbit, as GADGET-4 writes it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

KPC_PER_MYR = 1.0227121650537077e-3
UNITS = {
    "UnitLength_in_cm": 3.085678e21,
    "UnitMass_in_g": 1.989e43,
    "UnitVelocity_in_cm_per_s": 1e5,
    "HubbleParam": 1.0,
    "ComovingIntegrationOn": 0,
}
#: Unit of time, kpc/(km/s), in Myr.
TIME = 1 / KPC_PER_MYR


class Orbit:
    """A fly-by on a straight line: least distance 6 kpc at 150 Myr, 200 km/s, moving along x."""

    pericentre, first, speed = 6.0, 150.0, 200.0

    def relative(self, time: float) -> np.ndarray:
        """Position of the second clump relative to the first, kpc, at a time in Myr."""
        along = self.speed * KPC_PER_MYR * (time - self.first)
        return np.array([along, self.pericentre, 0.0])

    velocity = np.array([speed, 0.0, 0.0])


def write_snapshot(path: Path, time: float, *, stars: int = 300, ratio: int = 2) -> None:
    """One snapshot: galaxy 1 (ids 1 to 999) has `ratio` times the halo and stars of galaxy 2."""
    random = np.random.default_rng(5)
    orbit = Orbit()
    parts = {1: stars, 2: stars}  # halo and disc particles of galaxy 2
    with h5py.File(path, "w") as file:
        counts = np.zeros(6, dtype=np.uint64)
        for kind, count in parts.items():
            first, second = ratio * count, count
            position = random.normal(size=(first + second, 3)) * (10.0 if kind == 1 else 1.0)
            velocity = np.zeros_like(position)
            share = 1 / (1 + ratio)
            position[:first] -= share * orbit.relative(time)
            position[first:] += (1 - share) * orbit.relative(time)
            velocity[:first] -= share * orbit.velocity
            velocity[first:] += (1 - share) * orbit.velocity
            group = file.create_group(f"PartType{kind}")
            group["Coordinates"] = position.astype(np.float32)
            group["Velocities"] = velocity.astype(np.float32)
            group["Masses"] = np.full(first + second, 1e-3, dtype=np.float32)
            low = 1 if kind == 1 else 1001
            ids = [np.arange(first) + low, np.arange(second) + 10_000 * kind]
            group["ParticleIDs"] = np.concatenate(ids).astype(np.uint32)
            counts[kind] = first + second
        header = {
            "NumPart_ThisFile": counts,
            "NumPart_Total": counts,
            "MassTable": np.zeros(6),
            "Time": time / TIME,
            "Redshift": 0.0,
            "BoxSize": 0.0,
            "NumFilesPerSnapshot": 1,
        }
        file.create_group("Header").attrs.update(header)
        file.create_group("Parameters").attrs.update(UNITS)


#: Ids of galaxy 1 in `write_snapshot`.
GALAXY_1 = [[1, 600], [1001, 1600]]
TIMES = np.arange(0.0, 321.0, 40.0)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    """Nine snapshots of the fly-by, 40 Myr apart, and a table of them."""
    folder = tmp_path_factory.mktemp("run")
    lines = ["file,time_myr,x1_kpc,y1_kpc,z1_kpc,x2_kpc,y2_kpc,z2_kpc,separation_kpc"]
    for number, time in enumerate(TIMES):
        write_snapshot(folder / f"snapshot_{number:03d}.hdf5", time)
        one, two = -Orbit().relative(time) / 3, 2 * Orbit().relative(time) / 3
        values = ",".join(f"{v:.5f}" for v in (time, *one, *two, np.linalg.norm(two - one)))
        lines.append(f"snapshot_{number:03d}.hdf5,{values}")
    (folder / "encounter.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def copied(run_folder, tmp_path) -> Path:
    """A copy of the run that a test may damage."""
    folder = tmp_path / "run"
    folder.mkdir()
    for path in run_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder
