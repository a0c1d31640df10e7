"""From the particles of a subhalo to a Galaxy: centred, cut, turned and measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from morphosphere.artefacts.galaxyset import FIELDS, Galaxy
from morphosphere.config.extract import ExtractSettings
from morphosphere.extract import structure

Particles = dict[str, np.ndarray]

#: Share of the stellar mass whose age (metallicity) must be known for a mean to be given.
KNOWN = 0.99
#: Bands in which the half-light radius is measured, best first.
LIGHT_BANDS = ("r", "V", "i", "g")


class Rejected(Exception):
    """A subhalo that cannot become a galaxy; the message says why.

    Attributes
    ----------
    fault : tuple of (component, field, particle) or None
        The first particle at fault, counted within the subhalo.
    """

    def __init__(self, reason: str, fault: tuple[str, str, int] | None = None) -> None:
        super().__init__(reason)
        self.fault = fault


def make_galaxy(
    particles: dict[str, Particles],
    *,
    position: np.ndarray,
    box_size: float,
    bands: tuple[str, ...],
    settings: ExtractSettings,
    identity: dict[str, Any],
) -> Galaxy:
    """Centre, cut and measure one galaxy.

    Parameters
    ----------
    particles : dict
        Component name to fields as a reader gives them; not changed.
    position : ndarray, shape (3,)
        Most bound position in the catalogue, physical kpc; NaN if it is not known.
    box_size : float
        Physical kpc; 0 for none.
    bands : tuple of str
        Of ``magnitudes``.
    settings : ExtractSettings
    identity : dict
        First columns of the properties: ``galaxy_id`` and so on.

    Raises
    ------
    Rejected
        If numbers are not finite, or no star is left.
    """
    _check_finite(particles)
    particles = {name: dict(fields) for name, fields in particles.items()}
    particles["stars"] = stars = _without_winds(particles["stars"])
    if len(stars["mass"]) == 0:
        raise Rejected("no stars")
    _centre(particles, position, box_size, settings.centre)
    radius = {name: _norm(fields["position"]) for name, fields in particles.items()}
    if settings.aperture is not None:
        limit = settings.aperture
        if settings.aperture_unit == "half_mass_radius":
            limit *= structure.radius_of_half(radius["stars"], stars["mass"])
        for name, fields in particles.items():
            inside = radius[name] <= limit
            if not inside.all():
                particles[name] = {key: values[inside] for key, values in fields.items()}
                radius[name] = radius[name][inside]
        stars = particles["stars"]
        if len(stars["mass"]) == 0:
            raise Rejected("no stars in the aperture")
    half_mass = structure.radius_of_half(radius["stars"], stars["mass"])
    inner = radius["stars"] <= settings.frame_radius * half_mass
    bulk = structure.weighted_mean(stars["velocity"][inner], stars["mass"][inner])
    for fields in particles.values():
        fields["velocity"] = fields["velocity"] - bulk.astype(np.float32)
    place, speed, mass = (stars[key][inner] for key in ("position", "velocity", "mass"))
    axes, ratio = structure.shape_axes(
        stars["position"], stars["mass"], settings.frame_radius * half_mass
    )
    frame = structure.disc_frame(place, speed, mass, axes)
    properties = {
        **identity,
        **_masses(particles, half_mass),
        "half_light_radius": _half_light(stars, radius["stars"], bands),
        "mean_age": _mean(stars, "age"),
        "metallicity": _mean(stars, "metallicity"),
        "rotation_fraction": structure.rotation_fraction(
            stars["position"], stars["velocity"], stars["mass"], frame[2]
        ),
        "axis_ratio": ratio,
        "velocity_dispersion": structure.velocity_dispersion(stars["velocity"], stars["mass"]),
    }
    kept = {
        name: {key: values for key, values in fields.items() if key in FIELDS}
        for name, fields in particles.items()
    }
    return Galaxy(properties, kept, frame)


def _check_finite(particles: dict[str, Particles]) -> None:
    for name, fields in particles.items():
        for key in ("position", "velocity", "mass"):
            # A sum is finite unless a term is not; it is the fastest test.
            if np.isfinite(fields[key].sum(dtype=np.float64)):
                continue
            finite = np.isfinite(fields[key])
            bad = np.flatnonzero(~(finite.all(axis=1) if finite.ndim > 1 else finite))
            if len(bad):
                said = f"{len(bad)} particles of {name} have no finite {key}"
                raise Rejected(said, (name, key, int(bad[0])))


def _without_winds(stars: Particles) -> Particles:
    is_star = stars.pop("is_star", np.True_)
    if is_star.all():
        return stars
    return {name: values[is_star] for name, values in stars.items()}


def _centre(
    particles: dict[str, Particles], position: np.ndarray, box_size: float, how: str
) -> None:
    """Move positions to the centre, across the periodic edge."""
    known = bool(np.isfinite(position).all())
    start = position if known else particles["stars"]["position"][0]
    for fields in particles.values():
        fields["position"] = structure.nearest_image(fields["position"] - start, box_size)
    if known and how == "catalogue":
        shift = np.zeros(3)
    elif how == "catalogue" and (lowest := _lowest_potential(particles)) is not None:
        shift = lowest
    else:
        stars = particles["stars"]
        shift = structure.shrinking_sphere(stars["position"], stars["mass"])
    for fields in particles.values():
        # The shift can move a particle beyond half a box from the centre.
        moved = structure.nearest_image(fields["position"] - shift, box_size)
        fields["position"] = moved.astype(np.float32)


def _lowest_potential(particles: dict[str, Particles]) -> np.ndarray | None:
    best, place = np.inf, None
    for fields in particles.values():
        potential = fields.get("potential")
        if potential is None or len(potential) == 0 or not np.isfinite(potential).any():
            continue
        index = int(np.nanargmin(potential))
        if potential[index] < best:
            best, place = float(potential[index]), fields["position"][index].copy()
    return place


def _masses(particles: dict[str, Particles], half_mass: float) -> dict[str, Any]:
    stars, gas = particles["stars"], particles.get("gas")
    stellar = float(stars["mass"].sum(dtype=np.float64))
    gaseous = float(gas["mass"].sum(dtype=np.float64)) if gas is not None else np.nan
    has_sfr = gas is not None and "sfr" in gas
    return {
        "stellar_mass": stellar,
        "gas_mass": gaseous,
        "gas_fraction": gaseous / (gaseous + stellar),
        "n_stars": len(stars["mass"]),
        "half_mass_radius": half_mass,
        "sfr": float(gas["sfr"].sum(dtype=np.float64)) if has_sfr else np.nan,
    }


def _mean(stars: Particles, name: str) -> float:
    if name not in stars:
        return np.nan
    values, mass = stars[name], stars["mass"].astype(np.float64)
    known = np.isfinite(values)
    if not mass[known].sum() > KNOWN * mass.sum():
        return np.nan
    return float(structure.weighted_mean(values[known], mass[known]))


def _half_light(stars: Particles, radius: np.ndarray, bands: tuple[str, ...]) -> float:
    band = next((name for name in LIGHT_BANDS if name in bands), None)
    if band is None or "magnitudes" not in stars:
        return np.nan
    magnitude = stars["magnitudes"][:, bands.index(band)]
    known = np.isfinite(magnitude)
    if not known.any():
        return np.nan
    light = 10 ** (-0.4 * (magnitude[known].astype(np.float64) - magnitude[known].min()))
    return structure.radius_of_half(radius[known], light)


def _norm(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
