"""Which subhalos are taken: cuts on the catalogue, with a count of what each removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morphosphere.config.extract import ExtractSettings
from morphosphere.errors import InputError
from morphosphere.snapshots.protocol import Subhalos


def select(
    subhalos: Subhalos, settings: ExtractSettings, where: str
) -> tuple[np.ndarray, dict[str, int]]:
    """Rows of the subhalos that pass the cuts, in the order of the catalogue.

    A cut on a number that the catalogue does not know (the stellar mass of cutouts) is left to
    `keeps`, once the particles are read.

    Parameters
    ----------
    subhalos : Subhalos
    settings : ExtractSettings
    where : str
        Named in errors.

    Returns
    -------
    rows : ndarray of int64
    removed : dict
        Cut to the number of subhalos that it removed, in the order in which the cuts are made.

    Raises
    ------
    InputError
        If listed ids are not in the catalogue, or nothing is left.
    """
    keep = np.ones(len(subhalos), dtype=bool)
    removed: dict[str, int] = {}

    def cut(name: str, passes: np.ndarray) -> None:
        removed[name] = int((keep & ~passes).sum())
        keep[:] &= passes

    if settings.ids is not None:
        cut("ids", _listed(subhalos, settings.ids, where))
    if settings.require_flag and subhalos.flag is not None:
        cut("require_flag", subhalos.flag)
    cut(f"min_stars {settings.min_stars}", subhalos.count["stars"] >= settings.min_stars)
    mass = subhalos.stellar_mass
    if settings.min_stellar_mass > 0:
        name = f"min_stellar_mass {settings.min_stellar_mass:.4g}"
        cut(name, ~(mass < settings.min_stellar_mass))
    if settings.max_stellar_mass is not None:
        name = f"max_stellar_mass {settings.max_stellar_mass:.4g}"
        cut(name, ~(mass > settings.max_stellar_mass))
    rows = np.flatnonzero(keep)
    if settings.maximum is not None and len(rows) > settings.maximum:
        removed[f"maximum {settings.maximum}"] = len(rows) - settings.maximum
        rows = _most_massive(subhalos, rows, settings.maximum)
    if len(rows) == 0:
        raise InputError(nothing_left(where, len(subhalos), removed))
    return rows, removed


def keeps(settings: ExtractSettings, n_stars: int, stellar_mass: float) -> str | None:
    """Why a galaxy that has been read is not kept after all; None if it is.

    Parameters
    ----------
    settings : ExtractSettings
    n_stars : int
        Star particles in the aperture, without winds.
    stellar_mass : float
        Of all its stars, in solar masses, where the catalogue did not know it; else NaN.
    """
    if n_stars < settings.min_stars:
        return f"{n_stars} stars in the aperture, min_stars is {settings.min_stars}"
    if stellar_mass < settings.min_stellar_mass:
        return f"stellar mass {stellar_mass:.4g}, less than min_stellar_mass"
    if settings.max_stellar_mass is not None and stellar_mass > settings.max_stellar_mass:
        return f"stellar mass {stellar_mass:.4g}, more than max_stellar_mass"
    return None


def nothing_left(where: str, total: int, removed: dict[str, int]) -> str:
    """The message for a snapshot of which no galaxy is left."""
    cuts = ", ".join(f"{name} removed {count}" for name, count in removed.items())
    return f"{where}: no galaxy left of {total} subhalos ({cuts}); loosen the cuts"


def _listed(subhalos: Subhalos, ids: Sequence[int], where: str) -> np.ndarray:
    unknown = np.setdiff1d(ids, subhalos.ids)
    if len(unknown):
        some = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        raise InputError(
            f"{where}: {len(unknown)} of the listed ids are not in the catalogue of "
            f"{len(subhalos)} subhalos: {some}"
        )
    return np.isin(subhalos.ids, ids)


def _most_massive(subhalos: Subhalos, rows: np.ndarray, maximum: int) -> np.ndarray:
    mass = subhalos.stellar_mass[rows]
    by = mass if np.isfinite(mass).all() else subhalos.count["stars"][rows]
    return np.sort(rows[np.lexsort((rows, -by))[:maximum]])
