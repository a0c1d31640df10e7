"""A box shared by the tests, and an independent reader that works as the public TNG scripts do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from factories_snapshots import write_tiny_box


class TngReader:
    """Reads a box knowing nothing but the published file format: offsets are cumulated lengths."""

    def __init__(self, folder: Path, number: str = "099") -> None:
        self.snapshot = sorted(
            (folder / f"snapdir_{number}").iterdir(), key=lambda p: int(p.name.split(".")[1])
        )
        self.catalogue = sorted(
            (folder / f"groups_{number}").iterdir(), key=lambda p: int(p.name.split(".")[1])
        )

    def header(self, kind: str, index: int = 0) -> dict:
        with h5py.File(getattr(self, kind)[index]) as file:
            return dict(file["Header"].attrs)

    def table(self, name: str, field: str) -> np.ndarray:
        return self._joined(self.catalogue, name, field)

    def particles(self, kind: int, field: str) -> np.ndarray:
        return self._joined(self.snapshot, f"PartType{kind}", field)

    def _joined(self, paths: list[Path], group: str, field: str) -> np.ndarray:
        parts = []
        for path in paths:
            with h5py.File(path) as file:
                if group in file:
                    parts.append(file[group][field][()])
        return np.concatenate(parts)

    def subhalo_slices(self, kind: int) -> list[slice]:
        """Particles of a type of each subhalo: groups first, then subhalos within them."""
        lengths = self.table("Group", "GroupLenType")[:, kind].astype(np.int64)
        group_start = np.cumsum(lengths) - lengths
        subhalo_lengths = self.table("Subhalo", "SubhaloLenType")[:, kind].astype(np.int64)
        slices = []
        number = self.table("Group", "GroupNsubs")
        first = self.table("Group", "GroupFirstSub")
        for group, count in enumerate(number):
            start = group_start[group]
            for row in range(first[group], first[group] + count):
                slices.append(slice(start, start + subhalo_lengths[row]))
                start += subhalo_lengths[row]
        return slices


@pytest.fixture(scope="session")
def box(tmp_path_factory):
    """A box of 40 galaxies in 5 files: its plan, folder and reader."""
    folder = tmp_path_factory.mktemp("box")
    plan = write_tiny_box(folder, galaxies=40, files=5, starless=0.5, stars_range=(400, 1200))
    return SimpleNamespace(plan=plan, folder=folder, reader=TngReader(folder))


@pytest.fixture(scope="session")
def tng_reader():
    return TngReader
