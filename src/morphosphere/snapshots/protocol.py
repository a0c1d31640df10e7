"""What every reader of a family of snapshot files offers, in our names and units.

A reader knows the files of one family. What it gives is the same for all: a `Header`, the
`Subhalos` of the catalogue, and particles by component and range, with positions in physical kpc,
peculiar velocities in km/s, masses in solar masses, ages in Gyr. Nothing beyond this module is
needed to add a family; `morphosphere.snapshots.families` lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from morphosphere.snapshots.rooms import Rooms

#: Fields that a component may have, beside those that readers need for their own work.
#: ``is_star`` (bool) is False for wind particles that share the type of the stars;
#: ``potential`` is in (km/s)^2 up to a constant factor.
PARTICLE_FIELDS = (
    "position",
    "velocity",
    "mass",
    "initial_mass",
    "age",
    "is_star",
    "metallicity",
    "sfr",
    "density",
    "smoothing_length",
    "magnitudes",
    "potential",
)


@dataclass(frozen=True)
class Header:
    """Facts about a snapshot.

    Attributes
    ----------
    scale_factor, redshift : float
        1 and 0 for simulations without cosmology; NaN where the file does not say.
    box_size : float
        Width of the periodic box in physical kpc; 0 if space is not periodic.
    hubble : float
        Hubble constant over 100 km/s/Mpc; 1 without cosmology.
    omega_matter, omega_lambda, omega_baryon : float
        Densities today; NaN where the file does not say.
    time : float
        Age of the universe, or time since the start of a simulation without cosmology, in Gyr.
    cosmological : bool
        Whether the coordinates are comoving.
    units : str
        Where the units come from, for the record.
    """

    scale_factor: float
    redshift: float
    box_size: float
    hubble: float = 1.0
    omega_matter: float = np.nan
    omega_lambda: float = np.nan
    omega_baryon: float = np.nan
    time: float = np.nan
    cosmological: bool = True
    units: str = ""


@dataclass(frozen=True)
class Subhalos:
    """The catalogue: one row per subhalo, in the order of the particles.

    Attributes
    ----------
    ids : ndarray of int64, shape (S,)
        Index of the subhalo in its catalogue; for cutouts, the number that the file gives.
    labels : sequence of str or None
        How galaxies are called where the files have no such number; None to use `ids`.
    position : ndarray, shape (S, 3)
        Most bound position in physical kpc; NaN where it is not known.
    velocity : ndarray, shape (S, 3)
        Peculiar velocity in km/s; NaN where it is not known.
    stellar_mass, half_mass_radius : ndarray, shape (S,)
        Stars, in solar masses and physical kpc; NaN where they are not known.
    flag : ndarray of bool, shape (S,), or None
        Whether the subhalo is of cosmological origin; None if the catalogue does not say.
    offset, count : dict
        Component name to first particle and number of particles, int64, shape (S,).
    """

    ids: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    stellar_mass: np.ndarray
    half_mass_radius: np.ndarray
    offset: dict[str, np.ndarray]
    count: dict[str, np.ndarray]
    flag: np.ndarray | None = None
    labels: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> Subhalos:
        """The subhalos in some rows."""
        return Subhalos(
            ids=self.ids[rows],
            position=self.position[rows],
            velocity=self.velocity[rows],
            stellar_mass=self.stellar_mass[rows],
            half_mass_radius=self.half_mass_radius[rows],
            offset={name: values[rows] for name, values in self.offset.items()},
            count={name: values[rows] for name, values in self.count.items()},
            flag=None if self.flag is None else self.flag[rows],
            labels=None if self.labels is None else [self.labels[i] for i in rows],
        )

    def label(self, index: int) -> str:
        """How the galaxy in row `index` is called."""
        return str(self.ids[index]) if self.labels is None else self.labels[index]


@dataclass(frozen=True)
class Source:
    """Where a range of particles stands, for messages: file and dataset."""

    path: Path
    dataset: str

    def __str__(self) -> str:
        return f"{self.path}: {self.dataset}"


class Snapshot(Protocol):
    """One snapshot with its catalogue. Picklable, so that one MPI rank can open it for all.

    Attributes
    ----------
    family : str
        Name of the family of files.
    header : Header
    files : sequence of Path
        All files of the snapshot and its catalogue.
    bands : tuple of str
        Photometric bands of ``magnitudes``; empty if there are none.
    remarks : list of str
        What a user should know of how the files were read: assumed units, absent catalogue.
    """

    family: str
    header: Header
    files: Sequence[Path]
    bands: tuple[str, ...]
    remarks: list[str]

    def subhalos(self) -> Subhalos:
        """The catalogue.

        Raises
        ------
        InputError
            If it is missing, damaged, or does not fit the particles.
        """
        ...

    def fields(self, component: str) -> tuple[str, ...]:
        """Those of `PARTICLE_FIELDS` that the component has; empty if it has no particles."""
        ...

    def read(
        self,
        component: str,
        fields: Sequence[str],
        start: int,
        stop: int,
        rooms: Rooms | None = None,
    ) -> dict[str, np.ndarray]:
        """Particles ``start <= n < stop`` of a component, counted over all files.

        ``position`` is float64, the other numbers are float32; each byte is read once. The arrays
        can be of `rooms`, memory that the caller uses again.

        Raises
        ------
        InputError
            If a dataset is missing, truncated or of an unknown unit.
        """
        ...

    def where(self, component: str, field: str, index: int) -> Source:
        """File and dataset of one particle's field, for messages."""
        ...

    def close(self) -> None:
        """Close all files."""
        ...
