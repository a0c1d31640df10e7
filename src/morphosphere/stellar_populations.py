"""Light of stars from their age and metallicity, by published simple stellar populations.

The tables are those that pynbody ships: simple stellar populations of one solar mass, a Kroupa
initial mass function corrected for binaries, made with CMD 3.7 (http://stev.oapd.inaf.it/cmd) from
PARSEC 1.2S and COLIBRI isochrones (Bressan et al. 2012, MNRAS 427, 127; Chen et al. 2014, MNRAS
444, 2525; Chen et al. 2015, MNRAS 452, 1068; Tang et al. 2014, MNRAS 445, 4287; Marigo et al. 2017,
ApJ 835, 77; Pastorelli et al. 2019, MNRAS 485, 5666) with the bolometric corrections of Chen et
al. (2019, A&A 632, A105). Without dust between the stars. Ages run from 4 Myr to 12.6 Gyr (ugrizy)
or 15.8 Gyr (UBVRIJHK), metal mass fractions from 0.00016 to 0.0095 or 0.0147; stars outside take
the value at the edge.

``u g r i z y`` are LSST's total throughputs, tabulated in AB magnitudes; they stand for the SDSS
bands of the same name to about 0.1 mag. ``U B V R I J H K`` are Johnson, Cousins and Bessell &
Brett (Maiz Apellaniz 2006, AJ 131, 1184; Bessell 1990, PASP 102, 1181), tabulated in Vega
magnitudes and converted with the offsets of Blanton & Roweis (2007, AJ 133, 734, table 1); that of
``y`` is of Hewett et al. (2006, MNRAS 367, 454).
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.errors import InputError


@dataclass(frozen=True)
class Band:
    """A photometric band.

    Attributes
    ----------
    system : str
        "AB" or "Vega": the system of the tables, and of the same band in TNG's photometrics.
    ab_minus_vega : float
        Magnitude in the AB system minus magnitude in the Vega system.
    wavelength : float
        Rough centre in nm.
    """

    system: str
    ab_minus_vega: float
    wavelength: float


#: Bands of the tables. IllustrisTNG's ``GFM_StellarPhotometrics`` has U, B, V, K in the Vega and
#: g, r, i, z in the AB system (Nelson et al. 2018, MNRAS 475, 624), as these have.
BANDS = {
    "u": Band("AB", 0.91, 360),
    "g": Band("AB", -0.08, 486),
    "r": Band("AB", 0.16, 622),
    "i": Band("AB", 0.37, 755),
    "z": Band("AB", 0.54, 869),
    "y": Band("AB", 0.63, 971),
    "U": Band("Vega", 0.79, 366),
    "B": Band("Vega", -0.09, 440),
    "V": Band("Vega", 0.02, 549),
    "R": Band("Vega", 0.21, 659),
    "I": Band("Vega", 0.45, 806),
    "J": Band("Vega", 0.91, 1237),
    "H": Band("Vega", 1.39, 1646),
    "K": Band("Vega", 1.85, 2211),
}
_TABLES = {"lsst_ssp.txt": "ugrizy", "default_ssp.txt": "UBVRIJHK"}


@dataclass(frozen=True)
class PopulationTable:
    """Magnitudes of simple stellar populations of one solar mass formed.

    Attributes
    ----------
    log_age : ndarray, shape (A,)
        Logarithm of the age in years.
    log_metallicity : ndarray, shape (Z,)
        Logarithm of the metal mass fraction.
    magnitudes : ndarray, shape (A, Z, B)
        In each band's own system.
    bands : str
        Names of the B bands, one letter each.
    """

    log_age: np.ndarray
    log_metallicity: np.ndarray
    magnitudes: np.ndarray
    bands: str


@functools.cache
def table_of(band: str) -> PopulationTable:
    """The table that holds a band.

    Raises
    ------
    InputError
        If no table has the band, or pynbody with its tables is not installed.
    """
    name = next((name for name, bands in _TABLES.items() if band in tuple(bands)), None)
    if name is None:
        raise InputError(f"no stellar population table for band {band!r}; known: {' '.join(BANDS)}")
    return _read_table(name)


@functools.cache
def _read_table(name: str) -> PopulationTable:
    package = importlib.util.find_spec("pynbody")  # found, not imported: its import takes seconds
    folders = (package and package.submodule_search_locations) or []
    path = next((p for p in (Path(f) / "analysis" / name for f in folders) if p.exists()), None)
    if path is None:
        raise InputError(f"pynbody's table {name} is missing; install pynbody 2.1 or newer")
    rows = np.loadtxt(path)
    age, metallicity = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    magnitudes = rows[:, 3:].reshape(len(age), len(metallicity), -1)
    return PopulationTable(np.log10(age), np.log10(metallicity), magnitudes, _TABLES[name])


def absolute_magnitudes(
    bands: Sequence[str],
    *,
    age: np.ndarray,
    metallicity: np.ndarray,
    initial_mass: np.ndarray | float = 1.0,
    system: str = "AB",
) -> np.ndarray:
    """Absolute magnitudes of stellar populations.

    Interpolated linearly in log age and log metallicity; outside the tables the edge counts.

    Parameters
    ----------
    bands : sequence of str
        Names in `BANDS`, B of them.
    age : ndarray, shape (N,)
        In Gyr.
    metallicity : ndarray, shape (N,)
        Metal mass fraction; zero is allowed.
    initial_mass : ndarray, shape (N,), or float
        Mass at birth in solar masses; magnitudes of one solar mass by default.
    system : str
        "AB", "Vega", or "native" for each band's own (that of TNG's photometrics).

    Returns
    -------
    ndarray of float64, shape (N, B)
        Not finite where age, metallicity or mass is not; infinite for zero mass.

    Raises
    ------
    InputError
        For a band that no table holds.
    """
    if system not in ("AB", "Vega", "native"):
        raise ValueError(f"magnitude system {system!r}: expected AB, Vega or native")
    age = np.asarray(age, dtype=np.float64)
    out = np.empty((len(age), len(bands)))
    for table in {id(t): t for t in map(table_of, bands)}.values():
        columns = [k for k, band in enumerate(bands) if table_of(band) is table]
        chosen = [table.bands.index(bands[k]) for k in columns]
        out[:, columns] = _interpolate(table, chosen, age, np.asarray(metallicity, np.float64))
    for k, band in enumerate(bands):
        about = BANDS[band]
        if system not in ("native", about.system):
            out[:, k] += about.ab_minus_vega if system == "AB" else -about.ab_minus_vega
    with np.errstate(divide="ignore"):
        return out - 2.5 * np.log10(np.broadcast_to(initial_mass, len(age)))[:, None]


def _interpolate(
    table: PopulationTable, bands: list[int], age: np.ndarray, metallicity: np.ndarray
) -> np.ndarray:
    from scipy.interpolate import RegularGridInterpolator  # here, for quick start-up

    axes = (table.log_age, table.log_metallicity)
    values = (np.maximum(age, 1e-9) * 1e9, np.maximum(metallicity, 1e-12))
    points = np.stack([np.clip(np.log10(v), a[0], a[-1]) for v, a in zip(values, axes)], axis=-1)
    bad = ~np.isfinite(points).all(axis=-1)
    points[bad] = [axis[0] for axis in axes]
    out = RegularGridInterpolator(axes, table.magnitudes[:, :, bands])(points)
    out[bad] = np.nan
    return out


def luminosities(
    bands: Sequence[str],
    *,
    age: np.ndarray,
    metallicity: np.ndarray,
    initial_mass: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Luminosities ``10**(-0.4 M_AB)``, shape (N, B): linear, so that they add up.

    Parameters and errors as of `absolute_magnitudes`.
    """
    magnitudes = absolute_magnitudes(
        bands, age=age, metallicity=metallicity, initial_mass=initial_mass
    )
    return luminosity_of(magnitudes)


def luminosity_of(magnitudes: np.ndarray) -> np.ndarray:
    """``10**(-0.4 M)``."""
    return np.exp(-0.4 * np.log(10.0) * magnitudes)


def to_ab(magnitudes: np.ndarray, band: str) -> np.ndarray:
    """AB magnitudes from those of a band's own system (see `BANDS`); unknown bands count as AB."""
    about = BANDS.get(band)
    return magnitudes + (about.ab_minus_vega if about and about.system == "Vega" else 0.0)
