"""What readers of snapshots with ``PartTypeN`` groups have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morphosphere.snapshots.catalogue import JoinedCatalogue
from morphosphere.snapshots.datasets import BANDS
from morphosphere.snapshots.hdf5 import OpenFiles
from morphosphere.snapshots.header import particle_files
from morphosphere.snapshots.particles import JoinedParticles
from morphosphere.snapshots.protocol import Source, Subhalos
from morphosphere.snapshots.rooms import Rooms


class JoinedSnapshot:
    """What snapshots with particles in ``PartTypeN`` groups have in common.

    Parameters
    ----------
    family : str
    particles : JoinedParticles
    catalogue : JoinedCatalogue or None
    """

    def __init__(
        self, family: str, particles: JoinedParticles, catalogue: JoinedCatalogue | None = None
    ) -> None:
        self.family = family
        self.particles = particles
        self.catalogue = catalogue
        self.header = particles.files[0].header
        self.files = [file.path for file in particles.files]
        self.remarks: list[str] = []
        if catalogue is not None:
            self.files += catalogue.paths
        if self.header.units != "stated by the files":
            self.remarks.append(
                f"{self.files[0].name} does not say its units; taken as {self.header.units} "
                "(kpc/h, km/s, 1e10 solar masses/h)"
            )
        self.bands = BANDS if "magnitudes" in self.fields("stars") else ()

    def subhalos(self) -> Subhalos:
        """The catalogue; each family has its own."""
        raise NotImplementedError

    def fields(self, component: str) -> tuple[str, ...]:
        """Fields of a component."""
        return self.particles.fields(component)

    def read(
        self,
        component: str,
        fields: Sequence[str],
        start: int,
        stop: int,
        rooms: Rooms | None = None,
    ) -> dict[str, np.ndarray]:
        """Particles of a component."""
        return self.particles.read(component, fields, start, stop, rooms)

    def ids(self, component: str) -> np.ndarray:
        """Identifiers of all particles of a component, int64."""
        return self.particles.ids(component)

    def where(self, component: str, field: str, index: int) -> Source:
        """File and dataset of a particle's field."""
        return self.particles.where(component, field, index)

    def close(self) -> None:
        """Close all files."""
        self.particles.close()
        if self.catalogue is not None:
            self.catalogue.close()


class CataloguedSnapshot(JoinedSnapshot):
    """A snapshot with its group catalogue; a family states its name and how it marks winds.

    Parameters
    ----------
    snapshot, catalogue : sequence of Path
        Files, in the order of their numbers.

    Raises
    ------
    InputError
        If files are missing, damaged or do not belong together.
    """

    FAMILY: str
    #: Whether a formation time of zero or less marks a wind particle among the stars.
    WINDS = False

    def __init__(self, snapshot: Sequence[Path], catalogue: Sequence[Path]) -> None:
        files = particle_files(snapshot, OpenFiles())
        super().__init__(
            self.FAMILY,
            JoinedParticles(files, winds=self.WINDS),
            JoinedCatalogue(catalogue, files[0].header),
        )
