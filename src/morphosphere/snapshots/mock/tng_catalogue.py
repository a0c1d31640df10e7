"""Rows of the group catalogue: what Subfind and FoF measure, from the particles themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.snapshots.mock.tng_units import BANDS, Fields, Units

#: Gravitational constant in kpc (km/s)^2 per 1e10 solar masses.
GRAVITY = 43009.17


@dataclass(frozen=True)
class Measured:
    """Sums over the particles of a subhalo or of a group's fuzz, in the units of the files.

    Attributes
    ----------
    row : dict
        Values of the catalogue's subhalo fields.
    mass_type : ndarray, shape (6,)
        Mass of each type; wind counts as gas.
    moment : ndarray, shape (3,)
        Sum of mass times position (not wrapped).
    momentum : ndarray, shape (3,)
        Sum of mass times peculiar velocity in km/s.
    sfr : float
        Solar masses per year.
    metals : ndarray, shape (2,)
        Mass of metals in gas and stars.
    """

    row: dict[str, object]
    mass_type: np.ndarray
    moment: np.ndarray
    momentum: np.ndarray
    sfr: float
    metals: np.ndarray


def half_mass_radius(radius: np.ndarray, mass: np.ndarray) -> float:
    """Radius that encloses half of the mass; 0 for no particles."""
    if not len(radius):
        return 0.0
    order = np.argsort(radius)
    inside = np.cumsum(mass[order])
    return float(radius[order][np.searchsorted(inside, 0.5 * inside[-1])])


def measure(
    fields: dict[int, Fields], *, centre: np.ndarray, dark_mass: float, units: Units
) -> Measured:
    """Measure a subhalo.

    Parameters
    ----------
    fields : dict of int to Fields
        By particle type (0, 1, 4), coordinates not wrapped.
    centre : ndarray, shape (3,)
        Position of the subhalo, not wrapped.
    dark_mass : float
        Mass of a dark matter particle.
    """
    stars, gas = fields[4], fields[0]
    count = {kind: len(part["Coordinates"]) for kind, part in fields.items()}
    wind = stars["GFM_StellarFormationTime"] <= 0
    mass = {0: gas["Masses"], 1: np.full(count[1], dark_mass), 4: stars["Masses"]}
    mass = {kind: np.asarray(m, dtype=np.float64) for kind, m in mass.items()}
    offset = {kind: part["Coordinates"] - centre for kind, part in fields.items()}
    radius = {kind: np.linalg.norm(d, axis=1) for kind, d in offset.items()}
    peculiar = np.sqrt(units.scale_factor)
    speed = {
        kind: part["Velocities"].astype(np.float64) * peculiar for kind, part in fields.items()
    }

    mass_type = np.zeros(6)
    mass_type[0] = mass[0].sum() + mass[4][wind].sum()
    mass_type[1] = mass[1].sum()
    mass_type[4] = mass[4][~wind].sum()
    total = mass_type.sum()
    all_mass = np.concatenate([mass[k] for k in (0, 1, 4)])
    all_offset = np.concatenate([offset[k] for k in (0, 1, 4)])
    all_speed = np.concatenate([speed[k] for k in (0, 1, 4)])
    all_radius = np.concatenate([radius[k] for k in (0, 1, 4)])
    middle = all_mass @ all_offset / max(total, 1e-30)
    drift = all_mass @ all_speed / max(total, 1e-30)

    half = np.zeros(6)
    half[0] = half_mass_radius(radius[0], mass[0])
    half[1] = half_mass_radius(radius[1], mass[1])
    half[4] = half_mass_radius(radius[4][~wind], mass[4][~wind])
    twice = 2 * half[4]
    inner = {kind: r < twice for kind, r in radius.items()}
    inner_stars = inner[4] & ~wind
    in_radius = np.zeros(6)
    in_radius[0] = mass[0][inner[0]].sum() + mass[4][inner[4] & wind].sum()
    in_radius[1] = mass[1][inner[1]].sum()
    in_radius[4] = mass[4][inner_stars].sum()

    relative = all_speed - drift
    dispersion = np.sqrt((all_mass @ relative**2).sum() / max(total, 1e-30) / 3)
    arm = all_offset * units.scale_factor  # the spin is in physical kpc/h times km/s
    spin = (all_mass[:, None] * np.cross(arm, relative)).sum(axis=0) / max(total, 1e-30)
    speed_max, radius_max = _fastest(all_radius, all_mass, units)
    sfr = float(gas["StarFormationRate"].sum(dtype=np.float64))
    row = {
        "SubhaloCM": (centre + middle),
        "SubhaloGasMetallicity": _mean(gas["GFM_Metallicity"], mass[0], inner[0]),
        "SubhaloGasMetallicitySfrWeighted": _mean(
            gas["GFM_Metallicity"], gas["StarFormationRate"], slice(None)
        ),
        "SubhaloHalfmassRad": half_mass_radius(all_radius, all_mass),
        "SubhaloHalfmassRadType": half,
        "SubhaloLen": sum(count.values()),
        "SubhaloLenType": np.array([count[0], count[1], 0, 0, count[4], 0]),
        "SubhaloMass": total,
        "SubhaloMassInRad": in_radius.sum(),
        "SubhaloMassInRadType": in_radius,
        "SubhaloMassType": mass_type,
        "SubhaloPos": centre,
        "SubhaloSFR": sfr,
        "SubhaloSFRinRad": float(gas["StarFormationRate"][inner[0]].sum()),
        "SubhaloSpin": spin,
        "SubhaloStarMetallicity": _mean(stars["GFM_Metallicity"], mass[4], inner_stars),
        "SubhaloStellarPhotometrics": _magnitudes(stars["GFM_StellarPhotometrics"][~wind]),
        "SubhaloVel": drift,
        "SubhaloVelDisp": dispersion,
        "SubhaloVmax": speed_max,
        "SubhaloVmaxRad": radius_max,
        "SubhaloWindMass": mass[4][wind].sum(),
    }
    metals = np.array(
        [mass[0] @ gas["GFM_Metallicity"], mass[4][~wind] @ stars["GFM_Metallicity"][~wind]]
    )
    return Measured(
        row=row,
        mass_type=mass_type,
        moment=total * (centre + middle),
        momentum=total * drift,
        sfr=sfr,
        metals=metals,
    )


def _mean(values: np.ndarray, weight: np.ndarray, chosen: np.ndarray | slice) -> float:
    values, weight = values[chosen].astype(np.float64), weight[chosen].astype(np.float64)
    return float(values @ weight / weight.sum()) if weight.sum() > 0 else 0.0


def _magnitudes(magnitudes: np.ndarray) -> np.ndarray:
    """Magnitudes of the sum of the light; 1e37 without stars, as in the real catalogues."""
    if not len(magnitudes):
        return np.full(len(BANDS), 1e37)
    return -2.5 * np.log10(np.sum(10 ** (-0.4 * magnitudes.astype(np.float64)), axis=0))


def _fastest(radius: np.ndarray, mass: np.ndarray, units: Units) -> tuple[float, float]:
    """Greatest circular velocity (km/s) and its radius (as `radius`), beyond ten particles."""
    if len(radius) < 12:
        return 0.0, 0.0
    order = np.argsort(radius)[10:]
    inside = np.cumsum(mass[np.argsort(radius)])[10:]
    physical = np.maximum(radius[order], 1e-3) * units.scale_factor  # the h cancels
    squared = GRAVITY * inside / physical
    top = int(np.argmax(squared))
    return float(np.sqrt(squared[top])), float(radius[order][top])
