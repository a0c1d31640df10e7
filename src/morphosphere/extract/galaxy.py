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
#: Logarithm of the ratio of light that a magnitude is.
_PER_MAGNITUDE = np.float32(-0.4 * np.log(10))
#: Fields that must be finite.
FINITE = ("position", "velocity", "mass")
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
    checked: bool = False,
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
    checked : bool
        Whether all numbers are known to be finite.

    Raises
    ------
    Rejected
        If numbers are not finite, or no star is left.
    """
    if not checked:
        _check_finite(particles)
    particles = {name: dict(fields) for name, fields in particles.items()}
    particles["stars"] = stars = _without_winds(particles["stars"])
    if len(stars["mass"]) == 0:
        raise Rejected("no stars")
    radius = _centre(particles, position, box_size, settings.centre)
    if settings.aperture is not None:
        limit = settings.aperture
        if settings.aperture_unit == "half_mass_radius":
            limit *= structure.radius_of_half(radius["stars"], stars["mass"])
        for name, fields in particles.items():
            inside = radius[name] <= limit
            if not inside.all():
                particles[name] = _taken(fields, inside)
                radius[name] = radius[name][inside]
        stars = particles["stars"]
        if len(stars["mass"]) == 0:
            raise Rejected("no stars in the aperture")
    half_mass = structure.radius_of_half(radius["stars"], stars["mass"])
    inner = radius["stars"] <= settings.frame_radius * half_mass
    weight = stars["mass"] * inner
    bulk = structure.weighted_mean(stars["velocity"], weight).astype(np.float32)
    for fields in particles.values():
        fields["velocity"] = fields["velocity"] - bulk
    axes, ratio = structure.shape_axes(
        stars["position"], stars["mass"], settings.frame_radius * half_mass
    )
    frame = structure.disc_frame(stars["position"], stars["velocity"], weight, axes)
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
        for key in FINITE:
            if structure.all_finite(fields[key]):
                continue
            finite = np.isfinite(fields[key])
            bad = np.flatnonzero(~(finite.all(axis=1) if finite.ndim > 1 else finite))
            said = f"{len(bad)} particles of {name} have no finite {key}"
            raise Rejected(said, (name, key, int(bad[0])))


def _without_winds(stars: Particles) -> Particles:
    is_star = stars.pop("is_star", np.True_)
    return stars if is_star.all() else _taken(stars, is_star)


def _taken(fields: Particles, keep: np.ndarray) -> Particles:
    """The particles to keep."""
    rows = np.flatnonzero(keep)
    return {name: values.take(rows, axis=0) for name, values in fields.items()}


def _centre(
    particles: dict[str, Particles], position: np.ndarray, box_size: float, how: str
) -> dict[str, np.ndarray]:
    """Move positions to the centre, across the periodic edge; return the distances from it."""
    known = bool(np.isfinite(position).all())
    start = position if known else particles["stars"]["position"][0]
    shift = np.zeros(3)
    if not known or how != "catalogue":
        moved = {
            name: structure.nearest_image(fields["position"] - start, box_size)
            for name, fields in particles.items()
        }
        lowest = _lowest_potential(particles, moved) if how == "catalogue" else None
        shift = lowest
        if lowest is None:
            shift = structure.shrinking_sphere(moved["stars"], particles["stars"]["mass"])
    radius = {}
    for name, fields in particles.items():
        fields["position"], radius[name] = structure.centred(
            fields["position"], start, shift, box_size
        )
    return radius


def _lowest_potential(
    particles: dict[str, Particles], position: dict[str, np.ndarray]
) -> np.ndarray | None:
    """Where the particle of lowest potential is, of all components; None if none is known."""
    best, place = np.inf, None
    for name, fields in particles.items():
        potential = fields.get("potential")
        if potential is None or len(potential) == 0 or not np.isfinite(potential).any():
            continue
        index = int(np.nanargmin(potential))
        if potential[index] < best:
            best, place = float(potential[index]), position[name][index]
    return place


def _masses(particles: dict[str, Particles], half_mass: float) -> dict[str, Any]:
    stars, gas = particles["stars"], particles.get("gas")
    stellar = structure.total(stars["mass"])
    gaseous = structure.total(gas["mass"]) if gas is not None else np.nan
    has_sfr = gas is not None and "sfr" in gas
    return {
        "stellar_mass": stellar,
        "gas_mass": gaseous,
        "gas_fraction": gaseous / (gaseous + stellar),
        "n_stars": len(stars["mass"]),
        "half_mass_radius": half_mass,
        "sfr": structure.total(gas["sfr"]) if has_sfr else np.nan,
    }


def _mean(stars: Particles, name: str) -> float:
    if name not in stars:
        return np.nan
    mean, known = structure.known_mean(stars[name], stars["mass"])
    return mean if known > KNOWN * structure.total(stars["mass"]) else np.nan


def _half_light(stars: Particles, radius: np.ndarray, bands: tuple[str, ...]) -> float:
    band = next((name for name in LIGHT_BANDS if name in bands), None)
    if band is None or "magnitudes" not in stars:
        return np.nan
    magnitude = stars["magnitudes"][:, bands.index(band)]
    if not (known := np.isfinite(magnitude)).all():
        magnitude, radius = magnitude[known], radius[known]
    if len(magnitude) == 0:
        return np.nan
    light = np.exp(_PER_MAGNITUDE * (magnitude - magnitude.min()))
    return structure.radius_of_half(radius, light)
