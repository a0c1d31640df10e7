"""Reading galaxies of a TNG box with illustris_python and with pynbody."""

from __future__ import annotations

import h5py
import numpy as np
from serve import serve

#: Names that pynbody gives to datasets, where it has one of its own.
PYNBODY = {
    "Coordinates": "pos",
    "Velocities": "vel",
    "Masses": "mass",
    "Density": "rho",
    "GFM_StellarFormationTime": "aform",
    "GFM_Metallicity": "metals",
}
FAMILIES = {"stars": "s", "gas": "g"}


def loop(path: str, snapshot: int, ids: list[int], fields: dict[str, list[str]]) -> dict:
    """`loadSubhalo` for each subhalo and particle type; how many particles there were."""
    import illustris_python

    found = dict.fromkeys(fields, 0)
    for number in ids:
        for kind, names in fields.items():
            found[kind] += int(
                illustris_python.snapshot.loadSubhalo(path, snapshot, number, kind, names)["count"]
            )
    return found


def pynbody(path: str, snapshot: int, ids: list[int], fields: dict[str, list[str]]) -> dict:
    """Load the snapshot and its catalogue, and take the same arrays of each subhalo."""
    import pynbody

    box = pynbody.load(f"{path}/snapdir_{snapshot:03d}/snap_{snapshot:03d}")
    halos = box.halos(subhalos=True)
    found = dict.fromkeys(fields, 0)
    for number in ids:
        halo = halos[number]
        for kind, names in fields.items():
            part = getattr(halo, FAMILIES[kind])
            for name in names:
                values = np.asarray(part[PYNBODY.get(name, name)])
            found[kind] += len(values)
    return found


def versions() -> dict:
    """Versions of what is measured."""
    from importlib.metadata import version

    return {name: version(name) for name in ("illustris_python", "pynbody", "h5py")} | {
        "HDF5": h5py.version.hdf5_version
    }


if __name__ == "__main__":
    serve({"loop": loop, "pynbody": pynbody, "versions": versions})
